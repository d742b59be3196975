"""Segment -> frames: JPEGs at the sampling rate, each with its true time. Decoded in the sandbox."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, model_validator

from schemas.config import ConfigError, Resources, StageConfig
from schemas.rows import Row
from schemas.stage import Stage
from schemas.tables import FRAME, SEGMENT, VIDEO
from workers.media.decode_plan import Segment
from workers.media.sandboxed import MediaLimits, sample_in_sandbox
from workers.storage.local_media import local_media
from workers.storage.store import Store

_ROWS = 64  # a yield: some MB of JPEG
_OPTIONS = ("short_side", "convert", "jpeg_quality", "backend", "device", "threads")
_PLAN = tuple(Segment.__dataclass_fields__)
# What a backend's process imports before it is locked.
_LIBRARIES: dict[str, tuple[str, ...]] = {
    "auto": (),
    "pyav": (),
    "decord": ("decord",),
    "torchcodec": ("torchcodec.decoders",),
}


class DecodeConfig(StageConfig):
    """Config of the decode stage."""

    short_side: int = Field(384, ge=16, le=4320)
    """Pixels of the shorter side of a frame; smaller videos keep their size."""
    convert: bool = True
    """Deinterlace, and show HDR and BT.2020 in the colours of a usual screen; `false` keeps pixels as they are coded.
    Flags say in either case what a file is. See `workers/media/render.py` and `workers/media/colour.py`."""
    jpeg_quality: int = Field(90, ge=1, le=100)
    """Of libjpeg."""
    backend: Literal["auto", "pyav", "decord", "torchcodec"] = "auto"
    """Decoder; `auto` takes the best measured one, which is PyAV. decord brings an FFmpeg of 2020, whose faults are
    known: take it for files that you trust, or where `longvid doctor` finds the full sandbox."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where frames are decoded. `cuda` takes torchcodec (`pip install longvid[torchcodec]`, and FFmpeg's libraries) and
    a share of a GPU, `resources.gpus`; what it cannot decode, the others do. It may need more `limits.memory_mb`. The
    GPU's driver keeps Landlock and seccomp from being used."""
    threads: int = Field(1, ge=1, le=64)
    """Threads of a decoder. Set `resources.cpus` alike; many segments at once use cores better than many threads."""
    limits: MediaLimits = MediaLimits()
    """Of the process that decodes a segment."""
    # One decoder thread, and room for an embedder and a download beside it on two cores; 4K streams need the memory.
    resources: Resources = Resources(cpus=0.75, memory_mb=1024)
    """Where and how wide it runs."""

    @model_validator(mode="after")
    def _gpu(self) -> "DecodeConfig":
        if self.device == "cuda" and self.backend not in ("auto", "torchcodec"):
            raise ValueError(f"device = 'cuda' with backend = {self.backend!r}: only torchcodec decodes on a GPU")
        if self.device == "cuda" and not self.resources.gpus:
            raise ValueError("device = 'cuda' with resources.gpus = 0: set it, 0.1 shares a GPU among ten workers")
        return self

    def semantic(self) -> dict[str, Any]:
        """Without what decides only whether a unit is rejected, and how fast it is done."""
        return self.model_dump(mode="json", exclude={"resources", "limits", "threads"})


class Decoder:
    """A worker that stays, with its sandbox: where the next segment waits already, no core does. It raises ConfigError
    where the backend is not installed; with `device: cuda`, where there is no GPU, or torchcodec is missing.
    """

    def __init__(self, config: DecodeConfig, store: Store) -> None:
        if config.device == "cuda":
            _check_cuda()
        elif config.backend not in ("auto", "pyav") and find_spec(config.backend) is None:
            raise ConfigError(
                f"decode.backend = {config.backend!r}: {config.backend} is not installed on this worker. Install it "
                "(some systems have no wheels of it), or set decode.backend to 'auto'"
            )
        self._options: dict[str, Any] = {name: getattr(config, name) for name in _OPTIONS}
        on_gpu = config.device == "cuda"
        self._options["preload"] = _LIBRARIES["torchcodec" if on_gpu else config.backend]
        self._options["gpu"] = on_gpu
        self._limits, self._store = config.limits, store

    def __call__(self, unit: Row) -> Iterator[pa.Table]:
        """Yields tables of FRAME rows, in the order of time.

        Raises:
            Reject: `undecodable` where nothing of the segment decodes; `over_budget`, `decoder_crashed`,
            `decoder_timeout`, `decoder_memory`.
        """
        segment = Segment(**{name: unit[name] for name in _PLAN})
        rows: list[Row] = []
        with local_media(self._store, unit) as path:
            frames = sample_in_sandbox(path, segment, self._limits, duration_s=unit["duration_s"], **self._options)
            for header, jpeg in frames:
                rows.append({"video_id": unit["video_id"], "segment_id": unit["segment_id"], **header, "jpeg": jpeg})
                if len(rows) == _ROWS:
                    yield pa.Table.from_pylist(rows, schema=FRAME)
                    rows.clear()
        if rows:
            yield pa.Table.from_pylist(rows, schema=FRAME)


def _check_cuda() -> None:
    """Raises ConfigError where torchcodec or a GPU is missing."""
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, RuntimeError, OSError) as error:
        raise ConfigError(
            f"decode.device = 'cuda': torchcodec does not load ({str(error).strip().partition(chr(10))[0]}). Install "
            "longvid[torchcodec] and the shared libraries of FFmpeg 4 to 8, or set it to 'cpu'"
        ) from None
    import torch

    if not torch.cuda.is_available():
        raise ConfigError("decode.device = 'cuda': there is no GPU on this worker. Add one, or set it to 'cpu'")


def stage(config: DecodeConfig) -> Stage:
    """The declaration."""
    known = [VIDEO.field(name) for name in ("sha256", "media", "duration_s")]
    reads = pa.schema([*known, ("location", pa.string()), *SEGMENT])
    return Stage(
        name="decode",
        reads=reads,
        version=10,
        writes=FRAME,
        run=Decoder,
        config=config,
        emits="unit",
        cache_key_excludes=("media", "location", "duration_s", "frames_to_decode"),
        kind="segment",
    )
