"""Small videos to write questions of: rows of events, and real annotation."""

import json
from pathlib import Path

from stages.annotate import READS, AnnotateConfig, annotate
from stages.qa.config import WritingConfig
from stages.qa.video import Video, make_video


def rows(*events: tuple) -> list[dict]:
    """(start, end, text) or (start, end, text, kind)."""
    named = [(*event, "event")[:4] for event in events]
    return [
        {"event_id": f"e{i}", "start_s": float(s), "end_s": float(e), "kind": kind, "text": text, "video_id": "v"}
        for i, (s, e, text, kind) in enumerate(named)
    ]


def video(*events: tuple, duration: float = 100.0, **config) -> Video:
    return make_video("v", duration, rows(*events), WritingConfig(**config))


# Eight things that happen once, ten seconds apart, in one shape of sentence.
EIGHT = [
    (10 * i, 10 * i + 6, text)
    for i, text in enumerate(
        [
            "the dog digs a hole",
            "a boy climbs a ladder",
            "the cook peels potatoes",
            "a train leaves the station",
            "the painter mixes green colours",
            "two girls jump over a rope",
            "a plane lands on the runway",
            "the old man reads a newspaper",
        ]
    )
]


def annotated(folder: Path, name: str) -> tuple[list[dict], float]:
    """Rows of EVENT and the duration of a real video ("bbb" or "agent327"), by the stage `annotate`."""
    facts = [json.loads(line) for line in (folder / "facts.jsonl").read_text().splitlines()]
    fact = next(f for f in facts if name in f["path"])
    stem = (folder / fact["path"]).with_suffix("")
    unit = {**dict.fromkeys(READS.names), "video_id": name, "duration_s": float(fact["decoded_duration_s"])}
    events_file = stem.with_name(f"{stem.name}.events.jsonl")
    unit["events_file"] = str(events_file) if events_file.exists() else None
    unit["subtitles"] = sorted(str(p) for p in stem.parent.glob(f"{stem.name}*.vtt"))
    [table] = annotate(unit, AnnotateConfig(), None)
    return table["events"][0].as_py(), unit["duration_s"]
