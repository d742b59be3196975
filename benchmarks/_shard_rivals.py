"""Writing and reading shards of the same committed units: by our stages and readers, and by plain webdataset."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import webdataset as wds
from safetensors import numpy as safetensors_numpy

import stages.group
from schemas.tables.qa import QA, TASKS
from schemas.tables.shards import GROUPING, SAMPLE, SELECTION
from stages.group import FACTS, QA_COLUMNS, UNITS
from stages.pack import PackConfig, plan_shards, run, stage
from workers.shards.reader import ShardReader
from workers.storage.store import Store

# A video of five minutes at one frame per second in the tokens of ViT-SO400M: 26 MB.
FRAMES, QUERIES, KEYFRAMES, KEPT, PATCHES, WIDTH = 300, 16, 16, 100, 64, 1152
SHARD_BYTES = 256 << 20


def write_units(store: Store, number: int) -> dict:
    """The three units of a video, as the stages before pack leave them; gives its row for the planner."""
    chance = np.random.default_rng(number)
    video_id = f"{number:016x}"
    keyframes = np.sort(chance.choice(FRAMES, KEPT, replace=False)).astype("<i4")
    rows = np.stack([np.sort(chance.choice(KEPT, KEYFRAMES, replace=False)) for _ in range(QUERIES)]).astype("<i4")
    rows[0, :] = -1  # so that all keyframes are used, whatever the chance
    rows = np.concatenate([rows, np.full((QUERIES, KEPT - KEYFRAMES), -1, "<i4")], axis=1)
    rows[0] = np.arange(KEPT)
    tokens = chance.standard_normal((KEPT, PATCHES, WIDTH), np.float32).astype("<f2")
    merged = chance.standard_normal((QUERIES, FRAMES, WIDTH), np.float32).astype("<f2")
    pairs, selected = [], []
    for row in range(QUERIES):
        turns = [{"from": "human", "value": "<image>\nWhat happens?"}, {"from": "gpt", "value": f"Answer {row}."}]
        pair = {"video_id": video_id, "qa_id": f"{video_id}-{row}", "task": TASKS[row % 5], "question": "What happens?"}
        pairs.append(
            {**pair, "answer": f"Answer {row}.", "options": [], "conversations": json.dumps(turns), "flags": []}
        )
        positions = keyframes[rows[row][rows[row] >= 0]].tolist()
        selected.append({"video_id": video_id, "qa_id": pair["qa_id"], "keyframes": positions})
    units = {name: f"units/{name}/{video_id}" for name in UNITS}
    store.write_tables(units["write_qa_unit"], [pa.Table.from_pylist(pairs, QA)], QA)
    store.write_tables(units["select_unit"], [pa.Table.from_pylist(selected, SELECTION)], SELECTION)
    store.write_tensors(
        units["distill_unit"],
        {
            "time_s": np.arange(FRAMES, dtype="<f8"),
            "sample_index": np.arange(FRAMES, dtype="<i8"),
            "keyframes": keyframes,
            "keyframe_tokens": tokens,
            "query_keyframes": rows,
            "merged_tokens": merged,
        },
    )
    plain = {"video_id": video_id, "name": video_id, "licence": None, "source": None, "split": "train"}
    return {**dict.fromkeys(FACTS), **plain, **units, "duration_s": float(FRAMES)}


def grouped(store: Store, video: dict, config: PackConfig) -> dict:
    """A video's row for the planner, after its own stage has run."""
    declared = stages.group.stage(config)
    path = declared.unit_path(video)
    store.write_tables(path, declared.run(video, declared.config, store), GROUPING)
    (row,) = store.read_table(path, ["split", "packed_bytes"]).to_pylist()
    return {**video, **row, "group_unit": path}


def write_ours(store: Store, videos: list[dict]) -> None:
    config = PackConfig(shard_bytes=SHARD_BYTES)
    declared = stage(config)
    tables: list[pa.Table] = []
    for unit in plan_shards((grouped(store, video, config) for video in videos), config):
        tables += run({**unit, "unit_path": declared.unit_path(unit)}, config, store)
    store.write_tables("tables/samples.parquet", tables, SAMPLE)


def write_plain(store: Store, videos: list[dict], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with wds.ShardWriter(f"{folder}/%06d.tar", maxsize=SHARD_BYTES, verbose=0) as sink:
        for video in videos:
            pairs = store.read_table(video["write_qa_unit"], QA_COLUMNS).to_pylist()
            tokens = store.read_bytes(video["distill_unit"])
            facts = {name: video[name] for name in ("video_id", "name", "licence", "duration_s")}
            sink.write({"__key__": video["video_id"], "json": facts, "qa.json": pairs, "tokens.safetensors": tokens})


def write_plain_hashed(store: Store, videos: list[dict], folder: Path) -> None:
    write_plain(store, videos, folder)
    for path in sorted(folder.glob("*.tar")):
        with path.open("rb") as stream:
            digest_of(iter(lambda: stream.read(1 << 22), b""))


def digest_of(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def read_ours(store: Store, verify: bool) -> int:
    return sum(sample["merged_tokens"].shape[0] for sample in ShardReader(store, interleaved_videos=4, verify=verify))


def read_plain(folder: Path, verify: bool) -> int:
    frames = 0
    shards = sorted(str(path) for path in folder.glob("*.tar"))
    for group in wds.WebDataset(shards, shardshuffle=False).decode():
        tensors = safetensors_numpy.load(group["tokens.safetensors"])
        if verify:
            assert digest_of([group["tokens.safetensors"]])
        for row in range(len(group["qa.json"])):
            used = tensors["query_keyframes"][row]
            keyframe_tokens = tensors["keyframe_tokens"][used[used >= 0]]
            merged, times = tensors["merged_tokens"][row].copy(), tensors["time_s"].copy()
            assert len(keyframe_tokens) and len(times) == len(merged)
            frames += merged.shape[0]
    return frames
