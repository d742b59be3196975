"""ASS, SSA and TTML files to cues as they were written, by pysubs2."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from stages.annotations.cue_blocks import Block
from stages.annotations.text import AnnotationError

if TYPE_CHECKING:
    import pysubs2

_SECTION = re.compile(r"\s*\[(?:Script Info|V4\+? Styles|Events)\]\s*", re.IGNORECASE)
_TTML = re.compile(r"<(?:\w+:)?tt\b")
# It may name an encoding, in which pysubs2 would decode once more what has been decoded.
_DECLARATION = re.compile(r"\A\s*<\?xml[^<>]*\?>")
# TTML's attribute is `dur`; pysubs2 looks for `duration`.
_DURATION = re.compile(r"(<p\b[^<>]*\s)dur(?=\s*=)")
_ASS_FIELDS = 10
_HEAD_LINES, _HEAD_CHARS = 100, 10_000


def is_ass(lines: list[str]) -> bool:
    """Returns whether these are the lines of an ASS or SSA file."""
    return any(_SECTION.fullmatch(line) for line in lines[:_HEAD_LINES])


def is_ttml(text: str) -> bool:
    """Returns whether this is the text of a TTML file."""
    return text.lstrip().startswith("<") and _TTML.search(text[:_HEAD_CHARS]) is not None


def read_ass(lines: list[str]) -> tuple[list[Block], list[int]]:
    """Returns the cues of a file, and the lines of those that cannot be read."""
    import pysubs2

    blocks: list[Block] = []
    bad_lines: list[int] = []
    # Line by line: a bad one costs itself alone, and what styles and fonts hold costs nothing.
    for number, line in enumerate(map(str.lstrip, lines), 1):
        if not line.startswith("Dialogue:"):
            continue
        try:
            if line.count(",") < _ASS_FIELDS - 1:
                raise ValueError("no text")
            blocks += _blocks(pysubs2.SSAFile.from_string(line, "ssa"), number)
        except ValueError:
            bad_lines.append(number)
    return blocks, bad_lines


def read_ttml(text: str) -> list[Block]:
    """Returns the cues of a file. Raises AnnotationError."""
    import pysubs2

    if "<!ENTITY" in text:
        raise AnnotationError("declares XML entities, which no subtitles need; write them out")
    text = _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1)
    try:
        return list(_blocks(pysubs2.SSAFile.from_string(_DURATION.sub(r"\1duration", text), "ttml"), line=1))
    except ParseError as error:
        line, column = error.position
        raise AnnotationError(f"bad TTML at line {line}, column {column + 1}") from None
    except Exception as error:  # noqa: BLE001  # pysubs2 declares none of what it raises on a bad file
        raise AnnotationError(
            f"TTML that is not read ({type(error).__name__}): each <p> needs begin and end or dur, "
            "as 00:00:01.500 or 1.5s, and only containers of the kind par are known"
        ) from None


def _blocks(file: "pysubs2.SSAFile", line: int) -> Iterator[Block]:
    for event in file:
        yield Block(event.start / 1000, event.end / 1000, event.text, line)
