"""Restricts the local Ray session of a build to this user: by a token, the loopback interface and a private folder.

By default, Ray 2.60 listens on all interfaces, writes a token that every user of the machine may read, and opens its
folder (logs, sockets) to all of them.
"""

import os
import secrets
from typing import Any

from ray._private import ray_constants
from ray._private.authentication.authentication_token_setup import _enable_token_auth

from workers.storage.scratch import scratch_folder

LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's name of the setting: on macOS and Windows, sessions listen on the loopback interface only by default."""


def private_options() -> dict[str, Any]:
    """Returns options of `ray.init` for a session that only this user's processes on this machine can reach.

    Also sets the environment of this process and of the session's processes. If the user has set a token, it is used;
    otherwise a token is made for the session and passed to its processes by the environment, never by a file.

    Raises:
        PermissionError: the folder `longvid-ray-<user id>` in the temporary directory is open to other users.
    """
    if "RAY_AUTH_MODE" not in os.environ:
        _enable_token_auth()
    if not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ[LOOPBACK_ONLY] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False  # read from the environment when Ray was imported
    # Ray opens its folder to all users, but they cannot enter the private folder that contains it.
    return {} if os.environ.get("RAY_TMPDIR") else {"_temp_dir": str(scratch_folder("ray") / "r")}
