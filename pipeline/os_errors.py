"""Explains errors of the operating system: the file, what is wrong with it, and the remedy."""

import errno

_REMEDIES = {
    errno.EACCES: "give this user the right to use it, or name another",
    errno.EPERM: "give this user the right to use it, or name another",
    errno.EROFS: "name a folder that can be written",
    errno.ENOSPC: "free space on its disk, and run the same command again",
    errno.EDQUOT: "free space or raise the quota, and run the same command again",
    errno.EEXIST: "a file is there where a folder is needed; name another, or move it away",
    errno.ENOTDIR: "a file is there where a folder is needed; name another, or move it away",
    errno.EISDIR: "a folder is there where a file is needed; name another, or move it away",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def explained(error: Exception) -> str:
    """Returns the message of an error; for one of the operating system, with the remedy instead of its number."""
    if not isinstance(error, OSError) or error.errno is None or error.strerror is None:
        return str(error)
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    remedy = _REMEDIES.get(error.errno)
    return ": ".join([*names, error.strerror]) + (f"; {remedy}" if remedy else "")
