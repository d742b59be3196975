"""Reads untrusted media files in the sandbox. Files that crash, hang or exceed the limits are rejected."""

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from schemas.rejects import Reject
from workers.media.audio_format import num_samples
from workers.media.decode_plan import Segment
from workers.media.media_limits import MediaLimits, budget_of, probe_cpu_s, size_bytes
from workers.media.sample_grid import AccessPoints, SampleGrid, Sampling, segments
from workers.media.video_facts import VideoFacts
from workers.sandbox.client import sandbox
from workers.sandbox.limits import SandboxError
from workers.sandbox.task import Message

_TASKS = "workers.media.tasks"
_REASONS = {
    "crashed": "decoder_crashed",
    "timeout": "decoder_timeout",
    "memory": "decoder_memory",
    "budget": "over_budget",
}

_Count = Annotated[int, Field(ge=0, lt=1 << 31)]


class _FrameHeader(TypedDict):
    sample_index: _Count
    time_s: float
    width: _Count
    height: _Count
    wanted: _Count
    source_width: _Count
    source_height: _Count
    decoder_errors: _Count
    frames_decoded: _Count | None


_FINITE = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_FACTS, _FRAME = TypeAdapter(with_config(_FINITE)(VideoFacts)), TypeAdapter(with_config(_FINITE)(_FrameHeader))


def probe_in_sandbox(path: str | Path, limits: MediaLimits) -> dict[str, Any]:
    """Runs `workers.media.probe.probe` in the sandbox and returns its facts by column name.

    Raises:
        Reject: as `probe`; also if the process crashes or exceeds a limit.
    """
    columns, _ = _only(_call("probe", path, limits, probe_cpu_s(path, limits)))
    if any(type(value) is int and not 0 <= value < 1 << 31 for value in columns.values()):
        raise _lie()
    try:
        facts: VideoFacts = _FACTS.validate_json(json.dumps(columns))
    except ValidationError:
        raise _lie() from None
    return facts.columns()


def sample_grid_in_sandbox(path: str | Path, sampling: Sampling, limits: MediaLimits) -> SampleGrid:
    """Runs `workers.media.probe.sample_grid` in the sandbox.

    Raises:
        Reject: as `sample_grid`; also if the process crashes or exceeds a limit.
    """
    cpu_s = probe_cpu_s(path, limits)
    header, payload = _only(_call("sample_grid", path, limits, cpu_s, sampling=vars(sampling)))
    count, phase = header.get("access_points"), header.get("phase")
    if type(count) is not int or count < 1 or len(payload) < 16 * count or len(payload) % 8:
        raise _lie()
    if type(phase) is not float or not 0 <= phase < 1:
        raise _lie()
    points = AccessPoints(np.frombuffer(payload, np.int64, count), np.frombuffer(payload, np.float64, count, count * 8))
    if not np.isfinite(points.time_s).all() or (np.diff(points.pts) <= 0).any() or (np.diff(points.time_s) < 0).any():
        raise _lie()
    frames_to_decode = np.frombuffer(payload, np.int64, offset=16 * count).tolist()
    planned = segments(points, sampling, phase)
    if len(frames_to_decode) != len(planned) or not all(0 <= frames < 1 << 31 for frames in frames_to_decode):
        raise _lie()
    return SampleGrid(points, phase, planned, frames_to_decode)


def sample_in_sandbox(
    path: str | Path,
    segment: Segment,
    limits: MediaLimits,
    *,
    duration_s: float,
    preload: tuple[str, ...] = (),
    gpu: bool = False,
    **options: Any,
) -> Iterator[Message]:
    """Yields frames of a segment as JPEG with headers: the columns of schemas.tables.media.FRAME except ids and `jpeg`.

    Args:
        duration_s: of the whole video.
        preload: the modules of the decoder that `options` ask for.
        gpu: the decoder drives a GPU, which the full sandbox keeps it from.
        options: of `workers.media.frame_decoder.sample_frames`, and `jpeg_quality`.

    Raises:
        Reject: as `sample_frames`; `over_budget`, `decoder_crashed`, `decoder_timeout`, `decoder_memory`.
    """
    cpu_s, pixels = budget_of(size_bytes(path), duration_s, segment.end_s - segment.start_s)
    options |= {"segment": vars(segment), "max_pixels": pixels * limits.budget}
    messages = _call("sample", path, limits, cpu_s * limits.budget, preload, gpu, **options)
    for number, (header, jpeg) in enumerate(messages):
        if number >= segment.num_samples:
            raise _lie()
        try:
            yield dict(_FRAME.validate_python(header)), jpeg
        except ValidationError:
            raise _lie() from None


def audio_in_sandbox(
    path: str | Path,
    limits: MediaLimits,
    *,
    duration_s: float,
    seek_pts: int,
    seek_s: float,
    start_s: float,
    end_s: float,
) -> np.ndarray:
    """Runs `workers.media.audio.read_audio` in the sandbox; see there for the arguments and the result.

    Args:
        duration_s: duration of the whole video.

    Raises:
        Reject: as `read_audio`; also if the process crashes or exceeds a limit.
    """
    cpu_s, _ = budget_of(size_bytes(path), duration_s, end_s - start_s)
    told: dict[str, Any] = {"seek_pts": seek_pts, "seek_s": seek_s, "start_s": start_s, "end_s": end_s}
    _, payload = _only(_call("audio", path, limits, cpu_s * limits.budget, **told))
    if len(payload) != 2 * num_samples(start_s, end_s):
        raise _lie()
    return np.frombuffer(payload, np.int16)


# A compromised process may send anything. An invalid answer rejects its file, and is not an error of longvid.


def _only(messages: Iterator[Message]) -> Message:
    found = list(islice(messages, 2))
    if len(found) != 1:
        raise _lie()
    return found[0]


def _lie() -> Reject:
    return Reject("decoder_crashed", "the decoder's process gave what is no answer")


def _call(
    task: str,
    path: str | Path,
    limits: MediaLimits,
    cpu_s: float,
    preload: tuple[str, ...] = (),
    gpu: bool = False,
    **arguments: Any,
) -> Iterator[Message]:
    by_name = bool(preload) and not gpu  # libraries other than PyAV open the file by name
    try:
        yield from sandbox(_TASKS, limits, preload, gpu).call(task, path, cpu_s=cpu_s, fresh=by_name, **arguments)
    except OSError as error:
        raise Reject("not_found", f"cannot be opened: {os.strerror(error.errno or 0)}") from None
    except SandboxError as error:
        raise _reject(error.kind, error.detail, limits) from None
    except Reject as reject:
        raise _reject(reject.reason, reject.detail, limits) from None


def _reject(kind: str, detail: str, limits: MediaLimits) -> Reject:
    reason = _REASONS.get(kind, kind)
    if reason == "over_budget":
        detail += f", which its size and duration don't account for; limits.budget, now {limits.budget:g}, scales this"
    return Reject(reason, detail)
