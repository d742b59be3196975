"""Writing and reading shards against plain webdataset in the same run; planning and ordering all of LongVid.

Both sides start from the same committed units and end with the same arrays; ours also checks that the units belong
together, records byte ranges and checksums, and takes samples in resumable order. Prints JSON lines.
Run: `python -m benchmarks.shards [--videos 40] [--rounds 5]`.
"""

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks._measure import against, seconds, seconds_in_turns
from benchmarks._shard_rivals import read_ours, read_plain, write_ours, write_plain, write_plain_hashed, write_units
from stages.pack import PLANNED, PackConfig, plan_shards
from workers.shards.reader import ShardReader
from workers.shards.sample_order import epoch_order
from workers.storage.store import Store

# LongVid itself (arXiv 2501.00574): videos and QA pairs.
LONGVID_VIDEOS, LONGVID_PAIRS = 114_228, 3_444_849


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
        times = seconds_in_turns(*jobs.values(), rounds=rounds)
        rate = {name: gigabytes / taken for name, taken in zip(jobs, times, strict=True)}
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
    taken = seconds(lambda: sum(1 for _ in plan_shards(videos(LONGVID_VIDEOS), PackConfig())), 1, warm=False)
    yield "shards.planned", shards, "shards", None
    yield "shards.plan", taken, "s", 60.0, "most"
    yield "shards.plan_memory_growth_for_8x_videos", peaks[1] / peaks[0], "ratio", 1.2, "most"


def ordering() -> Iterator[tuple]:
    """Opening a reader and starting an epoch over as many QA pairs as LongVid has."""
    video = np.sort(np.random.default_rng(0).integers(0, LONGVID_VIDEOS, LONGVID_PAIRS))
    video_ids = pa.chunked_array(
        [pa.array([f"{number:016x}" for number in range(LONGVID_VIDEOS)]).take(pa.array(video))]
    )
    yield "shards.epoch_order", seconds(lambda: epoch_order(video_ids, 0, 0, 16), 1, warm=False), "s", 10.0, "most"
    rows = np.arange(LONGVID_PAIRS)
    constant = {"split": "train", "duration_s": 300.0, "qa_bytes": 20_000, "tokens_bytes": 20_000_000}
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
    yield "shards.state", seconds(reader.state_dict, 1, warm=False), "s", 10.0, "most"


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
