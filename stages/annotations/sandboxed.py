"""Parses untrusted annotations in a sandboxed process, and checks the results."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from schemas.config import Config
from schemas.flags import ANNOTATION_FLAGS
from schemas.rejects import Reject
from stages.annotations.event_lines import KINDS
from stages.annotations.left_out import REASONS, LeftOut
from stages.annotations.sources import Known, Track
from stages.annotations.text import AnnotationError
from workers.sandbox.client import sandbox
from workers.sandbox.limits import SandboxError, SandboxLimits

TASKS = "stages.annotations.tasks"


class ParseLimits(SandboxLimits):
    """Sets the limits of memory and time for parsing one file."""

    memory_mb: int = Field(2048, ge=256)
    """Memory limit of the process that parses one file, in MB."""
    cpu_s: float = Field(120.0, gt=0)
    """Limit of CPU time in seconds. A megabyte takes less than one second, whatever it contains."""


class _Origin(Config):
    file: str | None = Field(None, max_length=300)
    row: int | None = Field(None, ge=1, lt=2**53)
    format: str | None = Field(None, max_length=300)
    licence: str | None = Field(None, max_length=300)


class _Event(Config):
    start_s: float | None = Field(allow_inf_nan=False)
    end_s: float | None  # infinity: the end of the video
    kind: str = Field(pattern=f"^({'|'.join(KINDS)}|conversation)$")
    text: str
    is_point: bool | None = None
    origin: _Origin | None = None

    @model_validator(mode="after")
    def _check_order(self) -> "_Event":
        start, end = self.start_s, self.end_s
        if (start is None) != (end is None) or (start is not None and end is not None and not start <= end):
            raise ValueError("ends before it starts")
        return self


_Reason = Annotated[str, Field(pattern=f"^({'|'.join(REASONS)})$")]
_LeftOut = tuple[_Reason, Annotated[int, Field(ge=1, lt=2**31)], Annotated[str, Field(max_length=500)]]


class _Header(Config):
    flags: list[Annotated[str, Field(pattern=f"^({'|'.join(ANNOTATION_FLAGS)})$")]]
    track: Track | Literal[""]
    language: str = Field(max_length=40)
    left_out: list[Annotated[_LeftOut, Field(strict=False)]]  # a tuple is a list in JSON


_EVENTS = TypeAdapter(list[_Event])


def parse(task: str, data: bytes, limits: ParseLimits, max_events: int, **options: Any) -> Known:
    """Runs a task of `stages.annotations.tasks` on these bytes and returns its result. Raises AnnotationError."""
    try:
        messages = list(sandbox(TASKS, limits).call(task, data, cpu_s=limits.cpu_s, max_events=max_events, **options))
    except Reject as reject:
        raise AnnotationError(reject.detail) from None
    except SandboxError as error:
        raise AnnotationError(f"parsing it took too much: {error.detail}; see annotate.limits") from None
    try:
        ((header, payload),) = messages
        events = [event.model_dump(exclude_unset=True) for event in _EVENTS.validate_json(payload)]
        told = _Header.model_validate(header)
    except (ValidationError, ValueError):
        raise AnnotationError("the process that parsed it sent something else than events") from None
    return Known(events, tuple(told.flags), told.track, told.language, tuple(LeftOut(*each) for each in told.left_out))
