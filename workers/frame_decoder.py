"""Samples the frames of a segment with the first decoder that can."""

from collections.abc import Callable, Iterator
from pathlib import Path

from workers.decode_plan import Segment
from workers.decoders import Picture, pyav

BACKENDS: dict[str, Callable[..., Iterator[Picture]]] = {"pyav": pyav.decode}


def sample_frames(
    path: str | Path, segment: Segment, *, short_side: int = 384, backend: str = "auto", threads: int = 1
) -> Iterator[Picture]:
    """The frames shown at a segment's sample times, each kept once, in the order of time.

    Args:
        short_side: of the pictures, in pixels; smaller sources keep their size.
        backend: a name of BACKENDS; `auto`: the order that benchmarks/decode.py found best.
        threads: of the decoder.

    Raises:
        Reject: `undecodable`, and all of `workers.media_file`.
    """
    return BACKENDS["pyav" if backend == "auto" else backend](path, segment, short_side=short_side, threads=threads)
