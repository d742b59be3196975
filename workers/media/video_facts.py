"""The properties of a video file found by demuxing it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class VideoFacts:
    """Holds the columns of schemas.tables.media.VIDEO that come from the file; see there."""

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    frame_count: int
    first_frame_s: float
    duration_s: float
    header_duration_s: float | None
    average_fps: float
    audio_codec: str | None
    flags: tuple[str, ...]

    def columns(self) -> dict[str, Any]:
        """Returns the facts by column name, with lists in place of tuples."""
        return {**asdict(self), "flags": list(self.flags)}
