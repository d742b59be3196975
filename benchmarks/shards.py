"""Writing and reading shards against plain webdataset in the same run; planning and ordering all of LongVid.

Both sides start from the same committed units and end with the same arrays; ours also checks that the units belong
together, records byte ranges and checksums, and takes samples in resumable order. Prints JSON lines.
Run: `python -m benchmarks.shards [--videos 40] [--rounds 5]`.
"""

import argparse
import hashlib
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import webdataset as wds
from safetensors import numpy as safetensors_numpy

import stages.group
from benchmarks._measure import against
from schemas.tables.qa import QA, TASKS
from schemas.tables.shards import GROUPING, SAMPLE, SELECTION
from stages.group import FACTS, QA_COLUMNS, UNITS
from stages.pack import PLANNED, PackConfig, plan_shards, run, stage
from workers.shards.reader import ShardReader
from workers.shards.sample_order import epoch_order
from workers.storage.store import Store

# A video of five minutes at one frame a second in the tokens of ViT-SO400M: 26 MB.
FRAMES, QUERIES, KEYFRAMES, KEPT, PATCHES, WIDTH = 300, 16, 16, 100, 64, 1152
SHARD_BYTES = 256 << 20
# LongVid itself (arXiv 2501.00574): videos and QA pairs.
LONGVID_VIDEOS, LONGVID_PAIRS = 114_228, 3_444_849


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


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speed(num_videos: int, rounds: int) -> Iterator[tuple]:
    with tempfile.TemporaryDirectory() as folder:
        store, plain = Store(folder), Path(folder) / "plain"
        videos = [write_units(store, number) for number in range(num_videos)]
        gigabytes = sum(store.size(video["distill_unit"]) for video in videos) / 1e9
        jobs = {
            "write": lambda: write_ours(store, videos),
            "write_plain": lambda: write_plain(store, videos, plain),
            "write_plain_hashed": lambda: write_plain_hashed(store, videos, plain),
            "read": lambda: read_ours(store, verify=False),
            "read_verified": lambda: read_ours(store, verify=True),
            "read_plain": lambda: read_plain(plain, verify=False),
            "read_plain_verified": lambda: read_plain(plain, verify=True),
        }
        # In turn, so that what else runs on the machine falls on all alike.
        times: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(rounds):
            for name, job in jobs.items():
                times[name].append(seconds(job))
        # The fastest of all rounds: what else runs can only slow one down.
        rate = {name: gigabytes / min(taken) for name, taken in times.items()}
    for name, value in rate.items():
        yield f"shards.{name}", value, "GB/s", None
    # A shard is published with its checksum: the like of ours is plain writing and hashing the files.
    yield "shards.write_over_webdataset", rate["write"] / rate["write_plain"], "ratio", None
    yield "shards.write_over_webdataset_hashed", rate["write"] / rate["write_plain_hashed"], "ratio", 1.0
    yield "shards.read_over_webdataset", rate["read"] / rate["read_plain"], "ratio", 1.0
    yield "shards.read_over_webdataset_verified", rate["read_verified"] / rate["read_plain_verified"], "ratio", 1.0


def planning() -> Iterator[tuple]:
    """The driver's plan of all LongVid: it must hold one shard a split, not the corpus."""
    units = dict.fromkeys(PLANNED, f"units/{'0' * 60}")

    def videos(count: int) -> Iterator[dict]:
        for number in range(count):
            split = "val" if number % 20 == 0 else "train"
            yield {**units, "packed_bytes": 20_000_000 + number % 7, "split": split, "video_id": f"{number:016x}"}

    peaks = []
    for count in (LONGVID_VIDEOS // 8, LONGVID_VIDEOS):
        tracemalloc.start()
        shards = sum(1 for _ in plan_shards(videos(count), PackConfig()))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    taken = seconds(lambda: sum(1 for _ in plan_shards(videos(LONGVID_VIDEOS), PackConfig())))
    yield "shards.planned", shards, "shards", None
    yield "shards.plan", taken, "s", 60.0, "most"
    yield "shards.plan_memory_growth_for_8x_videos", peaks[1] / peaks[0], "ratio", 1.2, "most"


def ordering() -> Iterator[tuple]:
    """Opening a reader and starting an epoch over as many QA pairs as LongVid has."""
    video = np.sort(np.random.default_rng(0).integers(0, LONGVID_VIDEOS, LONGVID_PAIRS))
    video_ids = pa.chunked_array(
        [pa.array([f"{number:016x}" for number in range(LONGVID_VIDEOS)]).take(pa.array(video))]
    )
    yield "shards.epoch_order", seconds(lambda: epoch_order(video_ids, 0, 0, 16)), "s", 10.0, "most"
    rows = np.arange(LONGVID_PAIRS)
    constant = {
        "split": "train",
        "qa_bytes": 20_000,
        "tokens_bytes": 20_000_000,
    }
    shard = pa.array([f"shards/train/{number:06d}.tar" for number in range(3000)])
    table = pa.table(
        {
            "qa_id": pa.array(rows).cast(pa.string()),
            "video_id": video_ids,
            "sample_key": video_ids,
            "shard": shard.take(pa.array(video // 39)),
            "row": pa.array(rows - np.searchsorted(video, video), pa.int32()),
            "qa_offset": rows,
            "tokens_offset": rows,
            **{name: pa.repeat(value, LONGVID_PAIRS) for name, value in constant.items()},
        }
    )
    before = pa.total_allocated_bytes()
    start = time.perf_counter()
    reader = ShardReader(None, table)
    yield "shards.open_reader", time.perf_counter() - start, "s", 30.0, "most"
    yield "shards.open_reader_memory", (pa.total_allocated_bytes() - before) / 1e9, "GB", None
    yield "shards.state", seconds(reader.state_dict), "s", 10.0, "most"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for measure in (lambda: speed(arguments.videos, arguments.rounds), planning, ordering):
        for figure, value, unit, bar, *side in measure():
            against(figure, value, unit, bar, *side)


if __name__ == "__main__":
    main()
