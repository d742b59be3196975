"""The lines of WebVTT and SubRip files to cues as they were written.

WebVTT after the W3C's parser; SubRip, which has no standard, as ffmpeg and VLC read it. Not by pysubs2: it takes the
word times of automatic captions for cues and loses their text, reads notes and identifiers of cues as text, and cannot
tell which line is bad.
"""

import re
from itertools import pairwise
from typing import NamedTuple

_TIME = r"(-?)(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:[.,:](\d{1,9}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
# What was meant for one. A "-->" elsewhere is text.
_LIKE_TIMING = re.compile(r"\s*-?\d[^<>]{0,40}-->")
_NO_CUE = re.compile(r"(?:NOTE|STYLE|REGION)\b")


class Block(NamedTuple):
    """Holds a cue as written: times in seconds, lines joined by line feeds, and the line of the file it begins on."""

    start_s: float
    end_s: float
    text: str
    line: int


def read_blocks(lines: list[str], is_webvtt: bool) -> tuple[list[Block], list[int]]:
    """Returns the cues of a file, and the numbers of the invalid timing lines.

    A WebVTT cue ends at an empty line (one that holds a space is not empty), a SubRip cue at the next timing.
    """
    blocks: list[Block] = []
    text: list[str] = []
    times: tuple[float, float] | None = None
    bad_lines: list[int] = []
    first = 0
    numbered = _is_numbered(lines)
    for number, line in enumerate(lines, 1):
        if _LIKE_TIMING.match(line):
            if times is not None:
                blocks.append(Block(*times, _before_timing(text, numbered, is_webvtt), first))
            times, text, first = _times(line), [], number
            bad_lines += [number] if times is None else []
        elif times is None or not is_webvtt:
            text.append(line)
        elif line == "" and not any(text):
            text = [""]  # not the end yet: an editor that strips spaces leaves the first line of rolling captions so
        elif line == "" or (text == [""] and _NO_CUE.match(line)):
            blocks.append(Block(*times, "\n".join(text), first))
            times = None
        else:
            text.append(line)
    if times is not None:
        blocks.append(Block(*times, _own(text, numbered and not is_webvtt), first))
    return blocks, bad_lines


def _is_numbered(lines: list[str]) -> bool:
    """Returns whether a line with a number precedes the first timing, as in SubRip."""
    first = next((n for n, line in enumerate(lines) if _LIKE_TIMING.match(line)), 0)
    return first > 0 and lines[first - 1].strip().isdigit()


def _before_timing(text: list[str], numbered: bool, is_webvtt: bool) -> str:
    """Returns the text of a cue up to the next timing, without the number or identifier of the next cue."""
    if text and ((numbered and text[-1].strip().isdigit()) or (is_webvtt and text[0] == "")):
        text = text[:-1]
    return _own(text, numbered and not is_webvtt)


def _own(text: list[str], numbered: bool) -> str:
    """Returns the text without that of a following cue that has a number but no timing, since its time is unknown."""
    for place, (blank, number) in enumerate(pairwise(text)):
        if numbered and not blank.strip() and number.strip().isdigit() and any(map(str.strip, text[place + 2 :])):
            return "\n".join(text[:place])
    return "\n".join(text)


def _times(line: str) -> tuple[float, float] | None:
    match = _TIMING.fullmatch(line)
    return (_seconds(match.groups()[:5]), _seconds(match.groups()[5:])) if match else None


def _seconds(parts: tuple[str | None, ...]) -> float:
    sign, hours, minutes, seconds, fraction = parts
    # Thousandths first: a sum of floats would give 2.0999999 for 00:02.100.
    thousandths = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * 1000
    parts_per_second: int = 10 ** len(fraction or "")
    thousandths += int(fraction or 0) * 1000 // parts_per_second
    return (-thousandths if sign else thousandths) / 1000
