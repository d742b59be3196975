"""Videos to write pairs of: scripts of the demo world (not rendered), and real captions of two public data sets."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.demo.corpus import manifest_row, script_of
from pipeline.demo.script import Script

ANNOTATIONS = Path(__file__).resolve().parents[1].parent / "shared" / "annotations"
REAL = {
    "ActivityNet": "01_activitynet_captions/train_modified_200.json",
    "YouCook2": "02_youcook2/pdvc_yc2_train_100.json",
}


@dataclass(frozen=True)
class World:
    """One video's annotation: rows of EVENT, its script where it is of the demo world, and the file that it is from."""

    video_id: str
    duration_s: float
    rows: list[dict[str, Any]]
    script: Script | None = None
    source: str = ""


def demo(count: int, seconds: int = 360) -> Iterator[World]:
    """Scripted videos; the annotation is the script."""
    for index in range(count):
        script = script_of(index, seconds=seconds, seed=1000)
        told = manifest_row(f"demo-{index}", script, split="train")["events"]
        yield World(f"demo-{index}", script.seconds, _rows(f"demo-{index}", told), script)


def real(name: str) -> Iterator[World]:
    """Videos of ActivityNet Captions or YouCook2, from the files beside the checkout; none where those are absent."""
    path = ANNOTATIONS / REAL[name]
    if not path.is_file():
        return
    for video_id, found in json.loads(path.read_text()).items():
        duration = float(found["duration"])
        told = [
            {"start_s": float(start), "end_s": max(float(end), start + 0.1), "kind": "event", "text": text}
            for (start, end), text in zip(found["timestamps"], found["sentences"], strict=True)
        ]
        yield World(video_id, duration, _rows(video_id, told))


def _rows(video_id: str, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "event_id": f"{video_id}-{i}", "video_id": video_id} for i, row in enumerate(told)]
