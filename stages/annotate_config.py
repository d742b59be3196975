"""The settings of annotations: which sources are read, their limits, and the models for videos without annotations."""

from typing import Literal

from pydantic import Field, field_validator

from schemas.config import Resources, StageConfig
from stages.annotations.encodings import DETECT
from stages.annotations.sandboxed import ParseLimits
from workers.endpoint.config import EndpointConfig


class AnnotateConfig(StageConfig):
    """Sets how annotations are read and which events are accepted."""

    # Limits only decide about rejection; answers of models are in other units.
    not_content = ("limits", "max_file_bytes", "max_events", "endpoint", "annotators")

    subtitle_languages: tuple[str, ...] = ("en",)
    """Preferred languages of subtitles, in order ("en" includes "en-GB"). If a video has none of them, a file without a
    language in its name is used, else any. One language is used per video, since translations repeat the content."""
    sentence_gap_s: float = Field(1.0, ge=0, le=10)
    """Maximum pause in seconds between subtitle cues that are joined to one sentence."""
    max_sentence_chars: int = Field(240, ge=20, le=5000)
    """Maximum length of a joined sentence; speech without punctuation that is longer is cut at pauses."""
    instant_s: float = Field(1.0, gt=0, le=60)
    """Duration in seconds given to an event that ends where it starts."""
    encoding: str = DETECT
    """Encoding of annotation files that are neither UTF-8 nor have a byte order mark: a codec of Python, such as
    `cp1251`, or `detect`, which finds it from the text and the language in the file's name and flags the video. A file
    whose encoding cannot be determined is bad; with `utf-8`, all such files are."""
    max_file_bytes: int = Field(64 << 20, ge=1)
    """Maximum size of an annotation file; a larger one is bad."""
    max_events: int = Field(50_000, ge=1)
    """Maximum number of events per video, since the cost of writing questions grows faster than their number."""
    on_bad: Literal["reject", "skip"] = "reject"
    """How a bad file is handled: `reject` the video with a message that names file and line, or `skip` the file and use
    the other sources. A video whose sources are all bad is rejected in either case."""
    limits: ParseLimits = ParseLimits()
    """Limits of the sandbox process that parses a file. A file that exceeds them is bad."""
    annotators: tuple[Literal["transcribe", "caption"], ...] = ()
    """Models for videos without annotations: `transcribe` writes speech if there are no `subtitles`; `caption` writes
    events if there are neither `events` nor `events_file`."""
    endpoint: EndpointConfig = EndpointConfig()
    """The endpoint of the models used by `transcribe`, `caption`, `merge_captions` and `write_qa.realizer=llm`. See
    docs/models.md."""
    # Reads a few kilobytes of text and mostly waits.
    resources: Resources = Resources(cpus=0.5, workers=(1, 2))

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, name: str) -> str:
        if name != DETECT:
            try:
                "a".encode(name)
            except LookupError:
                raise ValueError("give `detect` or the name of a text encoding that Python knows") from None
        return name
