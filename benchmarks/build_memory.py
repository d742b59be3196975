"""Memory of a whole build of a ten-hour video, a thousand tiny ones and a 4K one: all of its processes, object store
included, as the sum of their proportional set sizes (a page that n processes share counts 1/n in each).

python -m benchmarks.build_memory
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import imageio_ffmpeg
import psutil

from benchmarks._measure import at_most

ROOT = Path(__file__).resolve().parents[1]
TINY, LONG_S = 1000, 36_000
# Measured on two cores: 3200 MB, and 2770 MB for ten short videos, so nearly all of it is the processes themselves.
# Each core more brings another worker and another process of Ray's.
CAP_MB = 4000
SAMPLE_EVERY_S = 0.5
SMALL = ["shard.min_frames=1", "select.k=4"]
EVENTS = [
    {"start_s": 0.2, "end_s": 0.8, "text": "a square moves to the left"},
    {"start_s": 1.0, "end_s": 1.8, "text": "the counter reaches ten"},
]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_world(Path(folder))
        peak, parts = peak_megabytes(manifest, Path(folder) / "corpus")
    at_most("build memory, 10 hours + 1000 tiny + 4K", peak, "MB", CAP_MB, parts=parts)


def write_world(folder: Path) -> Path:
    """Renders the videos; gives their manifest, with two events for each."""
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "2"]
    _render(folder, f"testsrc2=size=96x54:rate=1:duration={LONG_S}", *x264, "-g", "20", "long.mp4")
    cut = ["-f", "segment", "-segment_time", "2", "-reset_timestamps", "1"]
    _render(folder, f"testsrc2=size=64x48:rate=10:duration={2 * TINY}", *x264, "-g", "20", *cut, "tiny-%04d.mp4")
    _render(folder, "testsrc2=size=3840x2160:rate=5:duration=40", *x264, "-g", "40", "-refs", "16", "4k.mp4")
    manifest = folder / "manifest.jsonl"
    rows = ({"id": path.stem, "uri": path.name, "events": EVENTS} for path in sorted(folder.glob("*.mp4")))
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest


def _render(folder: Path, source: str, *options: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, *options]
    subprocess.run(command, cwd=folder, check=True)


def peak_megabytes(manifest: Path, corpus: Path) -> tuple[float, dict[str, int]]:
    """Builds, and gives the peak of all processes together and what each kind of them had then.

    Raises RuntimeError with what the build said where it does not end well.
    """
    settings = [word for text in SMALL for word in ("--set", text)]
    command = ["build", "--manifest", str(manifest), "--out", str(corpus), "--recipe", "demo", *settings]
    parts: Counter = Counter()
    with tempfile.TemporaryFile("w+") as said:
        build = subprocess.Popen([sys.executable, "-m", "pipeline", *command], cwd=ROOT, stdout=said, stderr=said)
        while build.poll() is None:
            parts = max(parts, _megabytes(build.pid), key=Counter.total)
            time.sleep(SAMPLE_EVERY_S)
        said.seek(0)
        if build.returncode:
            raise RuntimeError(said.read())
    return parts.total(), {kind: round(size) for kind, size in parts.most_common()}


def _megabytes(pid: int) -> Counter:
    driver = psutil.Process(pid)
    found: Counter = Counter()
    for process in [driver, *driver.children(recursive=True)]:
        try:
            kind = "driver" if process == driver else _kind(" ".join(process.cmdline()))
            found[kind] += process.memory_full_info().pss / 2**20
        except psutil.Error:  # gone meanwhile
            continue
    return found


def _kind(command: str) -> str:
    if "workers.media.tasks" in command:
        return "decoders"
    return "workers" if command.startswith("ray::Map") else "Ray"


if __name__ == "__main__":
    main()
