"""A corpus of tables alone, written directly: for commands that need no units, shards or Ray."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.tables.decoded import VIDEO_TABLE
from pipeline.tables.gather import QA_TABLE
from schemas.tables.shards import SAMPLE
from schemas.tables.text import EVENT
from workers.storage.store import Store

Row = dict[str, Any]


def video(video_id: str, **columns: Any) -> Row:
    """A row of `videos`; its name is its id where none is given."""
    return {
        "video_id": video_id,
        "name": video_id,
        "duration_s": 60.0,
        "licence": "CC0-1.0",
        "source": "demo",
        **columns,
    }


def pair(video_id: str, number: int, **columns: Any) -> Row:
    """A row of `qa` with four options."""
    options = ["a dog", "a cat", "a cow", "a hen"]
    row = {
        "video_id": video_id,
        "qa_id": f"{video_id}-{number}",
        "task": "event_relationship",
        "form": "neighbour",
        "question": f"What comes right after event {number}?",
        "answer": options[number % 4],
        "options": options,
        "answer_index": number % 4,
        "evidence": [{"start_s": 1.0, "end_s": 5.0}],
        "event_ids": [],
        "language": "en",
        "provenance": "template:event_relationship/neighbour",
        "flags": [],
    }
    return {**row, "conversations": json.dumps([]), **columns}


def sample(pair: Row, **columns: Any) -> Row:
    """The row of `samples` of a pair."""
    names = ("video_id", "qa_id", "task", "question", "answer", "provenance", "flags")
    place = {"split": "train", "shard": "shards/train/000000.tar", "shard_bytes": 10_000, "row": 0}
    place |= {"shard_sha256": "0" * 64, "qa_offset": 0, "qa_bytes": 1, "tokens_offset": 1, "tokens_bytes": 1}
    return {**{name: pair[name] for name in names}, **place, "sample_key": pair["video_id"], **columns}


def write_corpus(
    folder: Path, videos: list[Row], pairs: list[Row], samples: list[Row] | None = None, events: list[Row] | None = None
) -> Store:
    """Tables of a corpus; all pairs are in its samples where these are not given."""
    store = Store(folder)
    rows = {
        "videos": (videos, VIDEO_TABLE),
        "qa": (pairs, QA_TABLE),
        "samples": ([sample(p) for p in pairs] if samples is None else samples, SAMPLE),
        "events": (events or [], EVENT),
    }
    for name, (values, schema) in rows.items():
        store.write_tables(f"tables/{name}.parquet", [pa.Table.from_pylist(values, schema)], schema)
    return store
