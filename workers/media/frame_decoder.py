"""Samples the frames of a segment with the first suitable decoder."""

from collections.abc import Callable, Iterator
from typing import Any

from schemas.rejects import Reject
from workers.media.backends import SampledFrame, decord, pyav, torchcodec
from workers.media.container import MediaSource
from workers.media.decode_plan import Segment

BACKENDS: dict[str, Callable[..., Iterator[SampledFrame]]] = {
    "pyav": pyav.decode,
    "decord": decord.decode,
    "torchcodec": torchcodec.decode,
}

# By benchmarks.ingest PyAV is the fastest on every file, since it leaves out what no sample needs, and it reads all
# codecs; with exact samples, and nothing to leave out, torchcodec is up to a tenth faster. decord is taken only where
# the config asks for it: its FFmpeg is of 2020, and a file could choose its faults by being one that PyAV refuses.
AUTO = ("pyav",)


def sample_frames(
    path: MediaSource,
    segment: Segment,
    *,
    short_side: int = 384,
    convert: bool = True,
    backend: str = "auto",
    device: str = "cpu",
    threads: int = 1,
    progress: Callable[[int], None] = lambda pixels: None,
) -> Iterator[SampledFrame]:
    """Yields the frames shown at a segment's sample times, each once, in order of time.

    Args:
        short_side: of the frames, in pixels; smaller sources keep their size.
        convert: deinterlace, and show HDR and BT.2020 in BT.709: see `workers.media.render`.
        backend: a name of BACKENDS, or `auto`: those of AUTO, until one gives a frame.
        device: `cuda`: torchcodec decodes there, and with `auto` goes before the others.
        threads: of the decoder.
        progress: called often while there is no frame to give, by PyAV, with the number of pixels just decoded.

    Raises:
        Reject: `undecodable` where no backend gives a frame, with what the first one says; all of
        `workers.media.container`.
    """
    failure = Reject("undecodable", "no decoder")
    own: dict[str, dict[str, Any]] = {"pyav": {"progress": progress}, "torchcodec": {"device": device}}
    automatic = AUTO if device == "cpu" else ("torchcodec", *AUTO)
    for place, name in enumerate(automatic if backend == "auto" else (backend,)):
        given = 0
        try:
            options = {"short_side": short_side, "convert": convert, "threads": threads, **own.get(name, {})}
            for frame in BACKENDS[name](path, segment, **options):
                given += 1
                yield frame
            if given:
                return
            raise Reject("undecodable", f"{name} gives no frame")
        except Reject as reject:
            if reject.reason != "undecodable":
                raise
            if given:
                return  # keep the frames that could be decoded
            if place == 0:
                failure = reject
    raise failure
