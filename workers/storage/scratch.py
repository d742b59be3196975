"""Scratch folders on a node's disk, shared by the processes of one user."""

import os
import stat
import tempfile
from pathlib import Path


def scratch_folder(name: str) -> Path:
    """Returns the folder `longvid-<name>-<user id>` in the temporary directory; creates it if it is missing.

    Raises:
        PermissionError: other users can write to the folder, and so could replace files in it.
    """
    folder = Path(tempfile.gettempdir()) / f"longvid-{name}-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        raise PermissionError(f"{folder} is open to other users: remove it, or set TMPDIR to a folder of your own")
    return folder
