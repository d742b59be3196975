"""Small videos to write questions of: rows of events, and real annotation."""

import json
from pathlib import Path

from stages.annotate import READS, AnnotateConfig, annotate
from stages.qa.config import WritingConfig
from stages.qa.make_events import make_events
from stages.qa.plan import Plan
from stages.qa.tasks import WRITERS
from stages.qa.timeline import Timeline


def rows(*events: tuple) -> list[dict]:
    """(start, end, text) or (start, end, text, kind)."""
    named = [(*event, "event")[:4] for event in events]
    return [
        {"event_id": f"e{i}", "start_s": float(s), "end_s": float(e), "kind": kind, "text": text, "video_id": "v"}
        for i, (s, e, text, kind) in enumerate(named)
    ]


def timeline(*events: tuple, duration: float = 100.0, **config) -> Timeline:
    settings = WritingConfig(**config)
    made, _, _ = make_events(rows(*events), duration, settings)
    return Timeline("v", duration, tuple(made), settings)


def plans(line: Timeline, form: str, *, seeds: int = 20) -> list[Plan]:
    """All plans of a form that several seeds give."""
    found = []
    for seed in range(seeds):
        seeded = Timeline(line.video_id, line.duration_s, line.events, line.config.model_copy(update={"seed": seed}))
        for writers in WRITERS.values():
            found += [plan for writer in writers if writer.__name__ == form for plan in writer(seeded)]
    return found


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

# The same, with holes of a second: all of the video is told.
ROW = [(start, start + 9, text) for start, _, text in EIGHT]

# Scenes around them, and one thing that happens three times.
SCENES = [
    (0, 18, "a sunny yard", "scene"),
    (18, 38, "a dark cellar", "scene"),
    (38, 58, "a wide road", "scene"),
    (58, 68, "a snowy mountain", "scene"),
    (68, 100, "a railway station", "scene"),
]
RINGS = [(7, 8, "a bell rings"), (37, 38, "a bell rings"), (57, 58, "a bell rings")]


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
