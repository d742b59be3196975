"""Is run by Ray where it would run its worker: has the fork server make one, with the same arguments and environment.

If no fork server answers, this process becomes Ray's own worker. It imports the standard library only, so it costs
little.
"""

import json
import os
import socket
import sys

SOCKET, WORKER = "LONGVID_FORK_SERVER", "LONGVID_RAY_WORKER"


def main() -> None:
    """Has the worker forked, or becomes it."""
    try:
        if _is_forked():
            return
    except OSError:
        pass  # the server has ended
    os.execv(sys.executable, [sys.executable, os.environ[WORKER], *sys.argv[1:]])


def _is_forked() -> bool:
    with open("/proc/self/oom_score_adj") as file:  # noqa: PTH123  # pathlib takes longer to import than all else here
        oom_score_adj = file.read()
    request = {
        "arguments": sys.argv[1:],
        "environment": {**os.environ},
        "folder": os.getcwd(),  # noqa: PTH109
        "oom_score_adj": oom_score_adj,
        "process_group": os.getpgid(0),
    }
    text = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[SOCKET])
        sent = socket.send_fds(connection, [text], [1, 2])
        connection.sendall(text[sent:])
        connection.shutdown(socket.SHUT_WR)
        return bool(connection.recv(1))  # nothing: the server could not make it


if __name__ == "__main__":
    main()
