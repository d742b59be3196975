"""Stands for an agent of Ray in a local session: tells Ray that it has no ports, and ends with it.

Ray's raylet starts a dashboard agent and a runtime environment agent, waits for their ports before it starts workers,
and ends if they end. Without a dashboard and without `runtime_env`, nobody asks them. This script takes the arguments
of either, `--session-dir` and `--node-id` among them, and imports the standard library only, so it starts at once.
"""

import os
import sys
import time

# An option that the command of an agent has, and the ports that the agent tells.
PORTS = {
    "--listen-port": ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port"),
    "--runtime-env-dir": ("runtime_env_agent_port",),
}


def main() -> None:
    """Writes for each port that it is unused, as Ray's agent does without its optional packages; then waits."""
    raylet = os.getppid()
    given = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    for port in (port for option, ports in PORTS.items() if option in given for port in ports):
        path = f"{given['--session-dir']}/{port}_{given['--node-id']}"
        with open(f"{path}.new", "w") as file:  # noqa: PTH123  # pathlib takes longer to import than all else here
            file.write("-1")
        os.replace(f"{path}.new", path)  # noqa: PTH105
    while os.getppid() == raylet:
        time.sleep(1)


if __name__ == "__main__":
    main()
