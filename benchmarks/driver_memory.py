"""Memory of the driver against the number of videos: a plan over manifests of 4,000 and 40,000 rows, each in a process.

python -m benchmarks.driver_memory
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._memory import own_peak_mb

SMALL, LARGE = 4_000, 40_000


def peak(rows: int) -> int:
    """Bytes at most resident in a process that plans a corpus of so many videos."""
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.driver_memory", str(rows)], capture_output=True, text=True, check=True
    )
    return int(said.stdout)


def plan_one(rows: int) -> None:
    from pipeline.inputs.recipe import load_recipe
    from pipeline.plan import plan

    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.jsonl"
        events = [{"start_s": 10.0 * i, "end_s": 10.0 * i + 5, "text": f"the rabbit does thing {i}"} for i in range(30)]
        with manifest.open("w") as out:
            for i in range(rows):
                row = {"id": f"video {i}", "uri": f"https://example.org/{i}.mp4", "events": events}
                out.write(json.dumps(row) + "\n")
        plan(f"{folder}/corpus", load_recipe("longvid"), manifest)
    print(round(own_peak_mb() * 2**20))


def main() -> None:
    from benchmarks._measure import against  # it imports torch, which would count in the processes measured

    small, large = peak(SMALL), peak(LARGE)
    against("driver memory, 40,000 videos against 4,000", large / small, "x", 1.25, "most")
    against("driver memory, growth per video", (large - small) / (LARGE - SMALL), "bytes")


if __name__ == "__main__":
    plan_one(int(sys.argv[1])) if len(sys.argv) > 1 else main()
