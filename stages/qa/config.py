"""What the writer of QA pairs may be told. Part of the config of the stage `write_qa`."""

from typing import Literal

from pydantic import Field

from schemas.config import Config
from schemas.tables import TASKS


class WritingConfig(Config):
    """How many pairs of which tasks, and what an event must be like to be asked for."""

    seed: int = Field(0, ge=0)
    """Another seed, other questions of the same video."""
    tasks: tuple[Literal[TASKS], ...] = TASKS  # type: ignore[valid-type]
    """Which of the five tasks to write."""
    max_per_task: int = Field(6, ge=1, le=1000)
    """Most pairs of one task a video. Five tasks of six make the 30 pairs a video that LongVid has."""
    max_counting_share: float = Field(0.2, ge=0, le=1)
    """Most of a video's pairs that may ask for a number."""
    num_options: int = Field(4, ge=2, le=8)
    """Options of a multiple-choice question; where a video has too few wrong ones, one less."""
    min_event_s: float = Field(0.3, ge=0)
    """A shorter event is not asked for: sampling may miss it."""
    max_event_share: float = Field(0.5, gt=0, le=1)
    """An event that fills more of the video than this is not asked for: finding it shows nothing."""
    max_gap_s: float = Field(10.0, ge=0)
    """What starts within this of an event's end happens "right after" it."""
    caption_events: int = Field(12, ge=2, le=200)
    """Most events that a description of a whole video tells."""
    silence_s: float = Field(5.0, gt=0)
    """A longer pause in what is said parts two conversations."""
    count_mentions: bool = True
    """Also count in how many parts of a video something appears that several events name ("the purple bird"). Right
    only where the annotation names it each time: such pairs have the flag `annotation_dependent`."""
    max_count: int = Field(12, ge=2)
    """Higher counts are not asked for."""
