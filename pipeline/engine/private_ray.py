"""Closes the Ray that a local build starts for itself: a token, loopback only, and a folder of this user's alone.

Left to itself, Ray 2.60 listens on all interfaces, writes a token that every user of the machine may read, and opens
its folder (logs, sockets) to all of them.
"""

import os
import secrets
from typing import Any

from ray._private import ray_constants
from ray._private.authentication.authentication_token_setup import _enable_token_auth

from workers.storage.scratch import scratch_folder

LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""What Ray calls the choice: on macOS and Windows its default is a session that listens on loopback only."""


def private_options() -> dict[str, Any]:
    """Options of `ray.init` for a session that only this user's processes on this machine can reach.

    Sets the environment of this process and of the session's processes as well. A token that the user has set is used;
    another is made for the session, and is in its processes' environment only, never in a file.

    Raises:
        PermissionError: the folder `longvid-ray-<user id>` in the temporary directory is open to other users.
    """
    if "RAY_AUTH_MODE" not in os.environ:
        _enable_token_auth()
    if not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ[LOOPBACK_ONLY] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False  # read from the environment when Ray was imported
    # Ray opens the folder that it is given to all users; nobody else gets through the one around it.
    return {} if os.environ.get("RAY_TMPDIR") else {"_temp_dir": str(scratch_folder("ray") / "r")}
