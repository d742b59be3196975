"""Damaged copies of real video files, the same for the same seed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

LARGEST = 700_000
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".h264"}


def sources(videos: Path) -> list[Path]:
    """The small ones of the real files, sorted."""
    return sorted(p for p in videos.rglob("*") if p.suffix in SUFFIXES and 0 < p.stat().st_size < LARGEST)


def write_mutant(folder: Path, files: Sequence[Path], seed: int) -> Path:
    """A damaged copy of one of the files, named by its seed."""
    rng = np.random.default_rng(seed)
    one, other = (files[int(n)] for n in rng.integers(len(files), size=2))
    path = folder / f"{seed}{one.suffix}"
    path.write_bytes(mutate(one.read_bytes(), other.read_bytes(), rng))
    return path


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
