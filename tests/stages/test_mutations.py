"""Damaged files: each ends as frames or as a reject, and none takes another down."""

import numpy as np
import pytest

from schemas.rejects import Reject
from stages import decode, download, shard
from workers.media_process import MediaLimits
from workers.storage import Store

SMALL = 700_000
LIMITS = MediaLimits(memory_mb=1500, stall_cpu_s=20)


def mutate(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One of: flipped bits, a cut, a hole, a run of noise, a splice with another file, a swap, numbers blown up."""
    mutated = bytearray(data)
    at = int(rng.integers(len(mutated)))
    length = int(rng.integers(1, 1 + len(mutated) // 4))
    match rng.integers(8):
        case 0:
            for position in rng.integers(len(mutated), size=int(rng.integers(1, 40))):
                mutated[position] ^= 1 << int(rng.integers(8))
        case 1:
            del mutated[at:]
        case 2:
            del mutated[at : at + length]
        case 3:
            mutated[at : at + length] = rng.bytes(len(mutated[at : at + length]))
        case 4:
            start = int(rng.integers(len(other)))
            mutated[at:] = other[start:]
        case 5:
            mutated[at : at + length] = bytes(len(mutated[at : at + length]))
        case 6:
            # Headers lie: big numbers where the boxes and elements say sizes, counts and times.
            for position in rng.integers(min(len(mutated), 4000), size=int(rng.integers(1, 6))):
                mutated[position : position + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)])
        case 7:
            for position in rng.integers(max(1, len(mutated) - 4000), len(mutated), size=6):
                mutated[position] = int(rng.integers(256))
    return bytes(mutated)


def ingest(path, store: Store) -> int | str:
    """Number of frames, or the reason of the reject."""
    row = dict.fromkeys(("sha256", "licence", "source", "split"))
    unit = {"video_id": "a" * 16, "id": path.name, "uri": str(path), "source_stamp": "", **row}
    frames, reasons = 0, []
    try:
        (video,) = next(iter(download.run(unit, download.DownloadConfig(limits=LIMITS), store))).to_pylist()
        (segments,) = shard.run(video, shard.ShardConfig(segment_s=4.0, limits=LIMITS, max_frames=200), store)
    except Reject as reject:
        return reject.reason
    for segment in segments.to_pylist():
        try:
            config = decode.DecodeConfig(short_side=32, limits=LIMITS)
            frames += sum(table.num_rows for table in decode.run({**video, **segment}, config, store))
        except Reject as reject:
            reasons.append(reject.reason)
    return frames or reasons[0]


def run(videos, tmp_path, seeds) -> dict[int, int | str]:
    sources = sorted(p for p in videos.rglob("*") if p.suffix in VIDEO_SUFFIXES and 0 < p.stat().st_size < SMALL)
    store, outcomes = Store(tmp_path / "corpus"), {}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        one, other = (sources[int(n)] for n in rng.integers(len(sources), size=2))
        path = tmp_path / f"{seed}{one.suffix}"
        path.write_bytes(mutate(one.read_bytes(), other.read_bytes(), rng))
        outcomes[seed] = ingest(path, store)
        path.unlink()
    return outcomes


VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".h264"}


def test_damaged_files_are_kept_or_rejected(videos, tmp_path):
    outcomes = run(videos, tmp_path, range(40)).values()
    assert sum(isinstance(outcome, int) for outcome in outcomes) > 10
    assert len({outcome for outcome in outcomes if isinstance(outcome, str)}) >= 2


@pytest.mark.soak
def test_many_damaged_files(videos, tmp_path):
    outcomes = run(videos, tmp_path, range(1000, 1600))
    assert len(outcomes) == 600
