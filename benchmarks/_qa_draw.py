"""Draws pairs at random for people to read: over all annotation files beside the checkout, and over its videos.

Each form of annotation has the same chance, whatever its number of videos; so has each video that is there as a file.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._qa_worlds import ANNOTATIONS, World
from pipeline.inputs.annotation_files import read_files
from pipeline.tables.left_out import LeftOut
from stages.annotate import READS, AnnotateConfig, annotate
from stages.annotations.formats.entry import Entry
from stages.annotations.repair import repair
from stages.annotations.text import AnnotationError
from stages.audit_qa import AuditQaConfig, audit_video
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from workers.storage.store import Store

VIDEOS = ANNOTATIONS.parent / "videos"
_AROUND_S = 15.0
_ERROR_S = 3.0  # of the times in event files, by the README beside them
_SEEDS = 3
_MOST_PAIRS = 400  # of a video that is there as a file: there are few
_LONGEST_S = 86_400.0
_PRINTED = ("video_id", "task", "form", "question", "options", "answer", "annotations")
NOTHING = LeftOut(frozenset(), frozenset(), frozenset(), frozenset())

Pair = dict[str, Any]


def draw(count: int, seed: int, left_out: LeftOut = NOTHING) -> list[Pair]:
    """Pairs to read, at least half of them on videos that are there as files, with the captions around the evidence.

    Those in `left_out`, e.g. made from rows of annotations that an earlier reading found wrong, are not drawn.
    """
    rng, config = random.Random(seed), WritingConfig(seed=seed)
    many = config.model_copy(update={"max_pairs": _MOST_PAIRS})
    filmed: dict[str, list[Pair]] = {}
    for world in filmed_worlds():
        # There are few such videos: another seed asks other questions about the same events.
        seeds = (_as_told(many, world).model_copy(update={"seed": seed + more}) for more in range(_SEEDS))
        asked = {pair["question"]: pair for each in seeds for pair in _pairs(world, each, "video file", left_out)}
        filmed[world.video_id] = [*asked.values()]
    on_videos = _by_turns(filmed, -(-count // 2), rng)
    told: dict[str, list[Pair]] = {}
    for form, world in annotated_worlds():
        told.setdefault(form, []).extend(_pairs(world, config, form, left_out))
    return [*_by_turns(told, count - len(on_videos), rng), *on_videos]


def annotated_worlds() -> Iterator[tuple[str, World]]:
    """The videos that annotation files tell of, each with the form of its file."""
    labels: dict[str, str] = {}
    for path, read in read_files(ANNOTATIONS, ""):
        videos: dict[str, list[Entry]] = {}
        form = ""
        try:
            for named, entries in read:
                form = named
                for entry in entries:
                    labels.update(entry.labels)
                    if entry.rows:
                        videos.setdefault(entry.video or path.name, []).append(entry)
        except AnnotationError:
            continue  # bad on purpose, or no annotation of events
        for video, told in videos.items():
            length = max((entry.duration_s for entry in told if entry.duration_s), default=None)
            events, _ = repair([row for entry in told for row in entry.rows], length, labels)
            ends = [event["end_s"] for event in events if event["end_s"] != "end"]
            duration_s = length or max(ends, default=0.0)
            if 0 < duration_s < _LONGEST_S:
                name = str(path.relative_to(ANNOTATIONS))
                yield form, _world(video, duration_s, name, events=json.dumps(events))


def filmed_worlds() -> Iterator[World]:
    """The videos that are there as files and have events, subtitles or descriptions beside them; each film once."""
    facts, films = VIDEOS / "facts.jsonl", set()
    for line in facts.read_text().splitlines() if facts.is_file() else []:
        fact = json.loads(line)
        path = VIDEOS / fact["path"]
        told = _events_file(path)
        described = path.parent.glob(f"{path.stem.split('_')[0]}_descriptions.vtt")
        subtitles = sorted(map(str, [*path.parent.glob(f"{path.stem}*.vtt"), *described]))
        film = path.with_suffix("")
        if (told.exists() or subtitles) and film not in films:
            films.add(film)
            events_file = str(told) if told.exists() else None
            duration_s = float(fact["decoded_duration_s"])
            yield _world(fact["path"], duration_s, str(path), events_file=events_file, subtitles=subtitles)


def _events_file(video: Path) -> Path:
    return video.with_name(f"{video.stem}.events.jsonl")


def _as_told(config: WritingConfig, world: World) -> WritingConfig:
    """The settings of a user who has read how exact the event files are."""
    return config.model_copy(update={"time_error_s": _ERROR_S}) if _events_file(Path(world.source)).exists() else config


def _world(video_id: str, duration_s: float, source: str, **told: Any) -> World:
    """What the step annotate makes of it."""
    unit = {**dict.fromkeys(READS.names), "video_id": video_id, "duration_s": duration_s, **told}
    [table] = annotate(unit, AnnotateConfig(), Store(""))
    return World(video_id, duration_s, table["events"][0].as_py(), source=source)


def read_wrong_rows(path: Path) -> LeftOut:
    """Reads rows that a reading found wrong: a JSON list of [video, file, row], with the names that a draw prints."""
    rows = json.loads(path.read_text())
    return NOTHING._replace(wrong_rows=frozenset((video, file, row) for video, file, row in rows))


def _pairs(world: World, config: WritingConfig, form: str, left_out: LeftOut) -> list[Pair]:
    """The pairs of a video that the audits leave, but for conversations that came with it, which longvid only keeps."""
    pairs = write_pairs(world.rows, world.duration_s, config, world.video_id)
    audited = audit_video(pairs, world.duration_s, np.arange(0.5, world.duration_s, 1.0), AuditQaConfig())
    return [
        {
            "annotation": form,
            "source": world.source,
            **{
                name: pair[name]
                for name in ("video_id", "task", "form", "question", "options", "answer", "annotations")
            },
            "prompt": json.loads(pair["conversations"])[0]["value"],
            "evidence": pair["evidence"],
            "captions": _captions(world, pair["evidence"]),
            "duration_s": world.duration_s,
        }
        for pair, audit in zip(pairs, audited, strict=True)
        if pair["task"] != "conversation" and not audit["dropped"] and not left_out.reason(pair)
    ]


def _captions(world: World, evidence: list[dict[str, float]]) -> list[str]:
    """The rows of the annotation around the evidence, as they were before events were made of them."""
    start_s = min(span["start_s"] for span in evidence) - _AROUND_S
    end_s = max(span["end_s"] for span in evidence) + _AROUND_S
    near = (r for r in world.rows if r["start_s"] is not None and r["start_s"] < end_s and r["end_s"] > start_s)
    return [f"[{row['start_s']:.1f} to {row['end_s']:.1f} s, {row['kind']}] {row['text']}" for row in near]


def _by_turns(pools: dict[str, list[Pair]], count: int, rng: random.Random) -> list[Pair]:
    """Pairs of each pool in turn, drawn at random; fewer where there are no more."""
    left = [rng.sample(pool, len(pool)) for pool in pools.values()]
    drawn: list[Pair] = []
    while len(drawn) < count and (left := [pool for pool in left if pool]):
        drawn += [pool.pop() for pool in left[: count - len(drawn)]]
    return drawn
