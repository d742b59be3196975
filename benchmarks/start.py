"""Start of the commands that look at a corpus, against the import of the libraries that they need.

    python -m benchmarks.start [CORPUS]

Without CORPUS, a small one is built of the demo world first. In CPU seconds, the best of rounds that take turns. Python
compiles modules in the first round, which is not counted, and reads them from files afterwards, as in any installation.
`status` and `plan` show the plan kept of the unchanged corpus; their scan of all units is a figure of its own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._measure import at_most, cpu_seconds, report
from pipeline.demo.corpus import write_demo

ROUNDS = 7
FIRST = "first status"
LONGVID = [sys.executable, "-m", "pipeline"]
IMPORTS = [sys.executable, "-c", "import typer, rich, pyarrow, duckdb"]


def cost(command: list[str], compiled: str, kept: str) -> float:
    """CPU seconds of a command whose modules are compiled in the folder `compiled`, and plans are kept in `kept`."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": compiled, "TMPDIR": kept}
    before = cpu_seconds()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    return cpu_seconds() - before


def one_round(commands: dict[str, list[str]], compiled: str, kept: str) -> dict[str, float]:
    """CPU seconds by command, of the imports as "", and of the first `status` after a change as FIRST."""
    costs = {name: cost(run, compiled, kept) for name, run in {"": IMPORTS, **commands}.items()}
    with tempfile.TemporaryDirectory() as empty:
        return {**costs, FIRST: cost(commands["status"], compiled, empty)}


def build(folder: str) -> str:
    manifest, corpus = write_demo(Path(folder, "world"), videos=4, seconds=60, seed=0), str(Path(folder, "corpus"))
    command = [*LONGVID, "build", "--manifest", str(manifest), "--out", corpus, "--recipe", "demo"]
    subprocess.run(command, capture_output=True, check=True)
    return corpus


def main(corpus: str) -> None:
    commands = {
        "--help": [*LONGVID, "--help"],
        "status": [*LONGVID, "status", corpus],
        "plan": [*LONGVID, "plan", corpus],
        "query": [*LONGVID, "query", corpus, "select count(*) from videos"],
    }
    with tempfile.TemporaryDirectory() as compiled, tempfile.TemporaryDirectory() as kept:
        rounds = [one_round(commands, compiled, kept) for _ in range(1 + ROUNDS)][1:]
    best = {name: min(each[name] for each in rounds) for name in rounds[0]}
    report("import typer, rich, pyarrow, duckdb", best[""], "CPU s", None, None)
    report("longvid status, the first after a change, of these imports", best[FIRST] / best[""], "ratio", None, None)
    for name in commands:
        at_most(f"longvid {name}, of these imports", best[name] / best[""], "ratio", 1.5)


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(build(temporary))
