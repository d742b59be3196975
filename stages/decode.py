"""decode: samples the frames of a segment as JPEGs with their true times, in the sandbox. Segment -> frames, 1:1."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, model_validator

from schemas.config import ConfigError, Resources, StageConfig
from schemas.rows import Row
from schemas.stage import Stage
from schemas.tables.media import FRAME, SEGMENT, VIDEO
from workers.media.decode_plan import Segment
from workers.media.media_limits import MediaLimits
from workers.media.sandboxed import sample_in_sandbox
from workers.storage.local_media import local_media
from workers.storage.store import Store

_ROWS = 64  # per table: a few MB of JPEG
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
    """Sets how videos are decoded."""

    not_content = ("limits", "threads")

    short_side: int = Field(384, ge=16, le=4320)
    """Pixels of the shorter side of a frame; smaller videos keep their size."""
    convert: bool = True
    """Whether to deinterlace, and to convert HDR and BT.2020 to BT.709; `false` keeps pixels as they are coded. Flags
    describe the file in either case. See `workers/media/render.py` and `workers/media/colour.py`."""
    jpeg_quality: int = Field(90, ge=1, le=100)
    """Quality of libjpeg."""
    backend: Literal["auto", "pyav", "decord", "torchcodec"] = "auto"
    """Decoder; `auto` uses the fastest one according to the benchmarks, PyAV. decord contains an FFmpeg of 2020 with
    known vulnerabilities: use it for files that you trust, or where `longvid doctor` finds the full sandbox."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Device that decodes frames. `cuda` uses torchcodec (`pip install longvid[torchcodec]`, FFmpeg's libraries) and a
    share of a GPU, `resources.gpus`; files that it cannot decode are decoded on the CPU. It may need more
    `limits.memory_mb`. The GPU driver does not work with Landlock and seccomp, so they are not used."""
    threads: int = Field(1, ge=1, le=64)
    """Threads per decoder. Set `resources.cpus` to the same number. Several segments at once use cores better than
    several threads."""
    limits: MediaLimits = MediaLimits()
    """Limits of the process that decodes a segment."""
    # One decoder thread; leaves room for an embedder and a download on two cores. 4K streams need the memory.
    resources: Resources = Resources(cpus=0.75, memory_mb=1024)
    """Resources and number of workers of the stage."""

    @model_validator(mode="after")
    def _gpu(self) -> "DecodeConfig":
        if self.device == "cuda" and self.backend not in ("auto", "torchcodec"):
            raise ValueError(f"device = 'cuda' with backend = {self.backend!r}: only torchcodec decodes on a GPU")
        if self.device == "cuda" and not self.resources.gpus:
            raise ValueError("device = 'cuda' with resources.gpus = 0: set it, 0.1 shares a GPU among ten workers")
        return self


class Decoder:
    """Decodes segments, one after the other, and keeps its sandbox between them.

    Raises:
        ConfigError: the backend is not installed; or `device` is `cuda`, and there is no GPU or torchcodec is missing.
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
            Reject: `undecodable` if no frame of the segment can be decoded; `over_budget`, `decoder_crashed`,
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
    """Raises ConfigError if torchcodec or a GPU is missing."""
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
    """Declares the stage."""
    known = [VIDEO.field(name) for name in ("sha256", "media", "duration_s")]
    reads = pa.schema([*known, ("location", pa.string()), *SEGMENT])
    return Stage(
        name="decode",
        reads=reads,
        version=11,
        writes=FRAME,
        run=Decoder,
        config=config,
        emits="unit",
        cache_key_excludes=("media", "location", "duration_s", "frames_to_decode"),
        kind="segment",
    )
