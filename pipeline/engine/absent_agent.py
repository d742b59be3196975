"""Stands for the dashboard agent of Ray in a local session: tells Ray that it has no ports, and ends with it.

Ray's raylet ends if it cannot start that agent, and the agent serves nobody without a dashboard. This script takes its
arguments, `--session-dir` and `--node-id` among them, and imports the standard library only, so it starts at once.
"""

import os
import sys
import time

PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port")


def main() -> None:
    """Writes for each port that it is unused, as Ray's agent does without its optional packages; then waits."""
    raylet = os.getppid()
    given = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    for port in PORTS:
        path = f"{given['--session-dir']}/{port}_{given['--node-id']}"
        with open(f"{path}.new", "w") as file:  # noqa: PTH123  # pathlib takes longer to import than all else here
            file.write("-1")
        os.replace(f"{path}.new", path)  # noqa: PTH105
    while os.getppid() == raylet:
        time.sleep(1)


if __name__ == "__main__":
    main()
