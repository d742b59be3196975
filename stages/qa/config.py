"""What the writer of QA pairs may be told. Part of the config of the stage `write_qa`."""

from typing import Literal

from pydantic import Field

from schemas.config import Config
from schemas.tables.qa import TASKS


class WritingConfig(Config):
    """Sets how many pairs of which tasks are written, and what an event must be like to be asked for."""

    seed: int = Field(0, ge=0)
    """Another seed gives other questions about the same video."""
    tasks: tuple[Literal[TASKS], ...] = TASKS  # type: ignore[valid-type]
    """Which of the five tasks to write."""
    pairs_per_event: float = Field(3.0, gt=0, le=20)
    """Pairs per event of a video: about 30 for ten events, as LongVid has."""
    max_pairs: int = Field(60, ge=1)
    """Most pairs per video: each has its own merged tokens in the shard."""
    max_counting_share: float = Field(0.2, ge=0, le=1)
    """Most of a video's pairs that may ask for a number."""
    num_options: int = Field(4, ge=2, le=8)
    """Options of a multiple-choice question."""
    none_share: float = Field(0.05, ge=0, le=0.2)
    """Share of the multiple-choice questions whose answer is "None of these": what is asked for is no option. The
    option is offered `num_options` times as often, so that offering it says nothing. Questions with a false premise
    are besides: one in `num_options` of the form `after_before`, and some that ask for one occurrence too many."""
    absent_share: float = Field(0.02, ge=0, le=0.2)
    """Share of the questions that ask when something happens that another video of the split shows, and this one does
    not; open ones, as half of those that ask when something happens are. Only of videos of which at least half is
    annotated. 0, or `clips: windows`: none, and no pair depends on other videos."""
    min_event_s: float = Field(0.3, ge=0)
    """A shorter event is not asked for: sampling may miss it."""
    time_error_s: float = Field(2.0, ge=0, le=30)
    """How far the annotated start or end of an event may lie from where the frames show it. Questions about a time name
    only the part of an event that is so far from its ends, wrong times lie so far from the right one, an event of less
    than three times this is at "about" a time, and from 1 on times are told in whole seconds. Speech is taken as exact.
    0: the times are exact, as those of rendered videos are."""
    max_event_share: float = Field(0.5, gt=0, le=1)
    """The time of an event that fills more of the video than this is not asked for: finding it shows nothing."""
    max_gap_s: float = Field(30.0, ge=0)
    """An event is followed by another only where that starts within this of its end: more may happen in between that
    nobody annotated."""
    touch_s: float = Field(2.0, ge=0)
    """Repeats of one event that lie at most this far apart, or a tenth of its length, are one event: a song cut in four
    is one song."""
    caption_events: int = Field(12, ge=2, le=200)
    """Most events that one description tells."""
    max_count: int = Field(12, ge=2)
    """Higher counts are not asked for."""
    speech: Literal["with_transcript", "visual_only"] = "with_transcript"
    """Questions that only speech answers (of what is said, and of chapters): `with_transcript` puts the transcript of
    their part of the video into the prompt, and leaves out those without one; `visual_only` leaves out all."""
    speech_pairs_per_minute: float = Field(2.0, ge=0, le=60)
    """Most pairs per minute of video that need speech."""
    clips: Literal["events", "windows"] = "events"
    """What the rows of a clip list (annotations of the kind `clip`) are: `events` of their video, or `windows`, each a
    sample of its own. A window's pairs are about it alone, their frames and keyframes lie in it, and their times
    count from its start. The video is fetched, decoded and embedded once either way."""
    text_model: str = ""
    """What tells that two events say the same in other words, so that none is asked for, counted or offered as a wrong
    option beside the other: the folder of a sentence encoder in the Hugging Face form (all-MiniLM-L6-v2), or `clip`,
    the text side of `embed.tower`. Empty: their words alone."""
    text_similarity: float = Field(0.8, gt=0, le=1)
    """Cosine by `text_model` from which on two events say the same. 0.8 is for all-MiniLM-L6-v2."""
    languages: tuple[str, ...] = ("en",)
    """Languages (ISO 639-1) of events that are asked about: the templates are English. Empty: any."""
    max_words: int = Field(40, ge=5, le=200)
    """A longer sentence is not quoted in a question, nor offered as an option."""
