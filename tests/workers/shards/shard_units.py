"""Small units of QA pairs, selections and tokens, written through the store as the stages do, to pack in tests."""

import hashlib
import json

import numpy as np
import pyarrow as pa

import stages.group
import stages.pack
from schemas.tables import FORMAT_VERSION
from schemas.tables.qa import QA, TASKS
from schemas.tables.shards import GROUPING, SAMPLE, SELECTION
from stages.group import FACTS
from stages.pack import PackConfig, plan_shards
from workers.storage.safetensors_file import encode_tensors
from workers.storage.store import Store

WIDTH, TOKENS_PER_KEYFRAME, TOKENS_PER_CLIP = 8, 4, 3


def distill_tensors(chance, num_frames: int, num_queries: int, num_keyframes: int, clips: bool = True) -> dict:
    """Tensors of a distill unit: each query has 1 .. num_keyframes keyframes."""
    keyframes = [
        np.sort(chance.choice(num_frames, chance.integers(1, num_keyframes + 1), replace=False))
        for _ in range(num_queries)
    ]
    union = np.unique(np.concatenate(keyframes)).astype("<i4")
    rows = np.full((num_queries, num_keyframes), -1, "<i4")
    for row, frames in zip(rows, keyframes, strict=True):
        row[: len(frames)] = np.searchsorted(union, frames)
    tensors = {
        "time_s": np.arange(num_frames, dtype="<f8") * 0.5,
        "sample_index": np.arange(num_frames, dtype="<i8"),
        "keyframes": union,
        "keyframe_tokens": chance.standard_normal((len(union), TOKENS_PER_KEYFRAME, WIDTH)).astype("<f2"),
        "query_keyframes": rows,
        "merged_tokens": chance.standard_normal((num_queries, num_frames, WIDTH)).astype("<f2"),
    }
    if clips:
        shape = (-(-num_frames // 4), TOKENS_PER_CLIP, WIDTH)
        tensors["clip_tokens"] = chance.standard_normal(shape).astype("<f2")
    return tensors


def qa_row(video_id: str, row: int) -> dict:
    task = TASKS[row % len(TASKS)]
    turns = [{"from": "human", "value": f"<image>\nQuestion {row}?"}, {"from": "gpt", "value": f"réponse {row}"}]
    return {
        "video_id": video_id,
        "qa_id": f"{video_id}{row:04d}",
        "task": task,
        "question": f"Question {row}?",
        "answer": f"réponse {row}",
        "options": ["a", f"réponse {row}"] if row % 2 else [],
        "answer_index": 1 if row % 2 else None,
        "evidence": [{"start_s": 0.25 * row, "end_s": 0.25 * row + 1}],
        "event_ids": [f"e{row}"],
        "provenance": f"template:{task}",
        "conversations": json.dumps(turns),
        "flags": [],
        "select_queries": [[1.0, 0.0]],
        "merge_query": [0.0, 1.0],
    }


def encoded_member(tensors: dict, qa: bytes = b"") -> bytes:
    """A member as its author would write it, checksums included."""
    metadata = {"format_version": str(FORMAT_VERSION), "qa_sha256": hashlib.sha256(qa).hexdigest()}
    return b"".join(encode_tensors(tensors, metadata)[0])


def write_video(store: Store, number: int, num_frames: int = 9, num_queries: int = 5, clips: bool = True) -> dict:
    """Writes the three units of one video that `group` reads; gives its row as `group` takes it."""
    video_id = f"{number:016x}"
    tensors = distill_tensors(np.random.default_rng(number), num_frames, num_queries, 3, clips)
    pairs = [qa_row(video_id, row) for row in range(num_queries)]
    selected = [
        {
            "video_id": video_id,
            "qa_id": pair["qa_id"],
            "keyframes": tensors["keyframes"][rows[rows >= 0]].tolist(),
            "time_s": [],
            "relevance": [],
        }
        for pair, rows in zip(pairs, tensors["query_keyframes"], strict=True)
    ]
    units = {name: f"units/{name}/{video_id}" for name in ("write_qa_unit", "select_unit", "distill_unit")}
    store.write_tables(units["write_qa_unit"], [pa.Table.from_pylist(pairs, QA)], QA)
    store.write_tables(units["select_unit"], [pa.Table.from_pylist(selected, SELECTION)], SELECTION)
    store.write_tensors(units["distill_unit"], tensors)
    return {
        **dict.fromkeys(FACTS),
        "sha256": f"{number:064x}",
        "width": 640,
        "flags": [],
        "video_id": video_id,
        "name": f"video n° {number}",
        "licence": "CC-BY",
        "source": "test",
        "split": None,
        "duration_s": num_frames * 0.5,
        **units,
    }


def group(store: Store, video: dict, config: PackConfig) -> dict:
    """Groups a video; gives its row as the planner takes it."""
    declared = stages.group.stage(config)
    path = declared.unit_path(video)
    store.write_tables(path, stages.group.run(video, config, store), GROUPING)
    (grouped,) = store.read_table(path, ["split", "packed_bytes"]).to_pylist()
    return {**video, **grouped, "group_unit": path}


def pack(store: Store, videos: list[dict], **settings) -> pa.Table:
    """Groups, plans and writes the shards and the table `samples`; gives the table."""
    config = PackConfig(**settings)
    declared = stages.pack.stage(config)
    tables = []
    for unit in plan_shards([group(store, video, config) for video in videos], config):
        unit = {**unit, "unit_path": declared.unit_path(unit)}
        table = pa.concat_tables(stages.pack.run(unit, config, store))
        store.write_tables(unit["unit_path"], [table], SAMPLE)
        tables.append(table)
    store.write_tables("tables/samples.parquet", tables, SAMPLE)
    return pa.concat_tables(tables)
