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
    """Returns when the worker has been forked."""
    with open("/proc/self/oom_score_adj") as file:  # noqa: PTH123  # pathlib takes longer to import than all else here
        oom_score_adj = file.read()
    request = {
        "arguments": sys.argv[1:],
        "environment": {**os.environ},
        "folder": os.getcwd(),  # noqa: PTH109
        "oom_score_adj": oom_score_adj,
        "process_group": os.getpgid(0),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.environ[SOCKET])
            text = json.dumps(request).encode()
            sent = socket.send_fds(connection, [text], [1, 2])
            connection.sendall(text[sent:])
            connection.shutdown(socket.SHUT_WR)
            if connection.recv(1):
                return
        except OSError:
            pass  # it has ended, so Ray's own worker takes its place
    os.execv(sys.executable, [sys.executable, os.environ[WORKER], *sys.argv[1:]])


if __name__ == "__main__":
    main()
