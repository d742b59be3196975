"""The content of a record of an annotation file: the types that all formats produce, and functions that read fields.

For a field that is absent or has another type than expected, these functions return None, "" or [], so a format raises
no errors. Rows with missing values are counted later, when they are checked.
"""

import ast
import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2})(?:[.,](\d{1,9}))?")
_ISO = re.compile(r"PT(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,5}(?:\.\d{1,9})?)S)?")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{0,18})?(?:[eE][+-]?\d{1,2})?")
_MAX_LITERAL = 1 << 20
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s().-]+")

Turns = list[dict[str, Any]]


class Origin(NamedTuple):
    """Names the place in a file from which a row or a conversation was read."""

    file: str
    row: int
    format: str
    licence: str = ""


class Row(NamedTuple):
    """Holds one event. `start_s` None: the file has no readable time; `end_s` None: until the end of the video."""

    start_s: float | None
    end_s: float | None
    text: str
    kind: str = "event"
    is_point: bool = False
    label: str = ""
    """If there is no text: the key of the text in a file of labels."""
    ref: str = ""
    """Name of the row within its video: a row without time has that of the row with the same name in another file."""
    within: str = ""
    """`ref` of the row at whose start this row's times are 0."""
    has_unit: bool = False
    """Whether the format states the unit of its times, so that they are certainly seconds here."""
    origin: Origin | None = None


class Entry(NamedTuple):
    """Holds the content of a record about one video."""

    video: str
    """Id of the video as written; "": the video that the file is named after."""
    rows: list[Row] = []
    duration_s: float | None = None
    clip_of: str = ""
    """The video from which this one was cut, if the id contains it; `offset_s` is its start there."""
    offset_s: float = 0.0
    conversations: list[Turns] = []
    questions: list[str] = []
    """Questions with their options that are not in conversations, for example since their answers are not published:
    they are not trained on, but a corpus can be compared with them."""
    split: str = ""
    labels: dict[str, str] = {}
    """Texts of labels; an entry with labels belongs to no video."""
    dropped: dict[str, int] = {}
    """Number of rows of the record that the format dropped, by reason; reasons without rows are removed later."""
    record: int = 0
    """Number of the record in its file, from 1."""
    origin: Origin | None = None
    """Origin of the conversations."""


class Format(NamedTuple):
    """Describes a form of annotation: which records are of it, and what they tell.

    A record is a key and a value: an object's member, an item of a list or a line of JSON (key ""), a row of a table
    (a dict of its cells) or a whole text file (a string).
    """

    name: str
    is_of: Callable[[str, Any], bool]
    read: Callable[[str, Any], Iterator[Entry]]
    is_prediction: Callable[[str, Any], bool] = lambda key, value: False
    """Whether a model wrote the record. It is read only where the user names the format."""


def seconds(value: Any) -> float | None:
    """Converts a number, a number as text, a clock time (`1:02:03.5`, `62:03`) or an ISO 8601 duration to seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e15 else None  # also False for NaN
    if not isinstance(value, str) or len(value) > 40:
        return None
    value = value.strip()
    if _NUMBER.fullmatch(value):
        number = float(value)
        return number if math.isfinite(number) and abs(number) < 1e15 else None
    if match := _CLOCK.fullmatch(value):
        whole = int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
        return whole + (int(match[4]) / 10 ** len(match[4]) if match[4] else 0.0)
    if (match := _ISO.fullmatch(value)) and value != "PT":
        return int(match[1] or 0) * 3600 + int(match[2] or 0) * 60 + float(match[3] or 0)
    return None


def row(start: Any, end: Any, text: Any, kind: str = "event", label: str = "", ref: str = "") -> Row:
    """Returns a row with a start and an end; it has no time unless both are given."""
    start_s, end_s = seconds(start), seconds(end)
    has_time = start_s is not None and end_s is not None
    return Row(start_s if has_time else None, end_s if has_time else None, text_of(text), kind, label=label, ref=ref)


def whole_video(text: Any) -> Row:
    """Returns a row about the whole video."""
    return Row(0.0, None, text_of(text), "caption")


def cut_entry(video: str, found: Row) -> Entry:
    """Returns the row of a cut that tools name after its video and its times: `---QUuC4vJs_000084_000094`."""
    start_s, end_s = found.start_s, found.end_s
    if start_s is None or end_s is None:
        return Entry(video, [found])
    name = f"{video}_{start_s:06.0f}_{end_s:06.0f}"
    return Entry(name, [found._replace(start_s=0.0, end_s=end_s - start_s)], clip_of=video, offset_s=start_s)


def text_of(value: Any) -> str:
    """Returns a text, or a number as text; "" for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else ""


def list_of(value: Any) -> list[Any]:
    """Returns a list, also one that is written as Python or JSON text in a cell; [] for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("[") and len(value) <= _MAX_LITERAL:
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return []
    return list(value) if isinstance(value, list | tuple) else []


def dict_of(value: Any) -> dict[str, Any]:
    """Returns an object; {} for anything else."""
    return value if isinstance(value, dict) else {}


def fields_of(value: Any) -> dict[str, Any]:
    """Returns an object with its names in small letters, also as words (`startTime` is `start_time`); {} otherwise."""
    if not isinstance(value, dict):
        return {}
    small = {str(name).lower(): cell for name, cell in value.items()}
    return {**{_in_words(str(name)): cell for name, cell in value.items()}, **small}


@lru_cache(1000)
def _in_words(name: str) -> str:
    return _WORDS.sub("_", name).strip("_").lower()


def pair(value: Any) -> tuple[Any, Any]:
    """Returns the two values of a list of two; None twice for anything else."""
    found = list_of(value)
    return (found[0], found[1]) if len(found) == 2 else (None, None)


def first_of(record: dict[str, Any], *names: str) -> Any:
    """Returns the value of the first of these fields that is neither absent nor null or empty."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)
