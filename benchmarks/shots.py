"""Shot boundaries at the usual sampling against truth at full rate: precision and recall, and what a video costs.

Demo world: the scenes of the script, in videos that were encoded, decoded and embedded for real. A real film, where
one is given: the cuts that a detector finds at full rate, by the ratio of each frame's change to those around it (as
PySceneDetect's adaptive detector does), on pixels alone; in one second it may see several, which count as one.

python -m benchmarks.shots [--film PATH] [--videos 4]
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa

from benchmarks._measure import at_least, report, seconds
from pipeline.demo import write_demo
from pipeline.demo.corpus import script_of
from pipeline.engine.chain import chain
from pipeline.engine.committed import Committed
from pipeline.engine.crash_counter import CrashCounter
from pipeline.engine.unit_runner import UnitRunner
from pipeline.inputs.recipe import load_recipe
from pipeline.phases import phases
from stages.find_shots import run
from stages.shard import ShardConfig
from workers.storage.store import Store

SECONDS, SEED = 330, 41
WIDTH, HEIGHT = 64, 36
RATIO, LEAST = 3.0, 6.0  # of a full-rate cut: to the changes around it, and in levels of 255
AROUND = 4
TOLERANCE = ShardConfig().tolerance


def shots_of(path: Path, store: Store, **settings: Any) -> tuple[list[dict], dict]:
    """The shots of a file, and the unit they were made from."""
    recipe = load_recipe("demo", [f"{key}={value}" for key, value in settings.items()])
    ingest = phases(recipe.stages(recipe.download.access("/")))[0]
    schemas = chain(ingest.schema, ingest.stages, ingest.passthrough)
    rows = [{**dict.fromkeys(schemas[0].names), "id": path.stem, "uri": str(path), "video_id": path.stem}]
    rows[0] |= {"name": path.stem, "location": str(path), "source_stamp": "", "reject": None}
    for stage, schema in zip(ingest.stages, schemas[1:], strict=True):
        runner = UnitRunner(Committed(stage, store, schema), CrashCounter(store, "shots"))
        rows = [out for row in rows for out in runner.run(row)]
        assert not any(row["reject"] for row in rows), rows
    unit = {
        "video_id": path.stem,
        "first_frame_s": rows[0]["first_frame_s"],
        "end_s": rows[0]["first_frame_s"] + rows[0]["duration_s"],
        **{f"{name}_units": [row[f"{name}_unit"] for row in rows] for name in ("embed", "decode")},
    }
    return pa.concat_tables(run(unit, recipe.find_shots, store)).to_pylist(), unit


def full_rate_cuts(path: Path) -> np.ndarray:
    """Times of a file's cuts, from all its frames."""
    times, changes, before = [], [], None
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            pixels = frame.reformat(WIDTH, HEIGHT, "yuv444p").to_ndarray().astype(np.int16)
            if before is not None:
                times.append(frame.time)
                changes.append(np.abs(pixels - before).mean())
            before = pixels
    change, time_s = np.array(changes), np.array(times)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(change, AROUND, mode="edge"), 2 * AROUND + 1)
    around = np.maximum((windows.sum(axis=1) - change) / (2 * AROUND), 1.0)
    return time_s[(change >= LEAST) & (change >= RATIO * around)]


def agreement(found_s: np.ndarray, true_s: np.ndarray, period_s: float = 1.0) -> tuple[int, int, int]:
    """Boundaries found, true ones in seconds of their own, and how many of both meet.

    A boundary is set half way between two frames, and those may lie a period and twice the tolerance apart.
    """
    true_s = true_s[np.diff(np.floor(true_s / period_s), prepend=-1) > 0]
    near = np.abs(found_s[:, None] - true_s[None]) <= (0.55 + TOLERANCE) * period_s
    return len(found_s), len(true_s), int(near.any(axis=1).sum()) if near.size else 0


def tell(name: str, counts: list[tuple[int, int, int]], bar: float) -> None:
    found, true, met = np.sum(counts, axis=0).tolist()
    at_least(f"shot boundaries, {name}, precision", met / max(1, found), "share", bar, boundaries=found)
    at_least(f"shot boundaries, {name}, recall", min(1.0, met / max(1, true)), "share", bar, boundaries=true)


def starts(shots: list[dict]) -> np.ndarray:
    return np.array([shot["start_s"] for shot in shots[1:]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--film", type=Path, help="a real film, against its cuts at full rate")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, counts = Store(folder), []
        manifest = write_demo(Path(folder) / "world", videos=options.videos, seconds=SECONDS, seed=SEED)
        for index, line in enumerate(manifest.read_text().splitlines()):
            shots, unit = shots_of(manifest.parent / json.loads(line)["uri"], store)
            script = script_of(index, seconds=SECONDS, seed=SEED)
            counts.append(agreement(starts(shots), np.array([scene.start_s for scene in script.scenes[1:]])))
        tell("demo world", counts, 0.95)
        config, frames = load_recipe("demo").find_shots, sum(shot["num_frames"] for shot in shots)
        taken = seconds(lambda: list(run(unit, config, store)))
        report("finding shots, share of real time", taken / script.seconds, "share", None, None, frames=frames)
        if options.film:
            shots, _ = shots_of(options.film.absolute(), store, **{"decode.short_side": 384})
            tell(options.film.stem, [agreement(starts(shots), full_rate_cuts(options.film))], 0.85)
        else:
            report("shot boundaries, a real film", None, "share", ">= 0.85", None, command="--film PATH")


if __name__ == "__main__":
    main()
