"""WebVTT and SubRip files to cues, as forgiving as players are: a cue that cannot be read is left out, the rest stays.

Sources: W3C WebVTT (parser of section 6); SubRip has no standard, what is read is what ffmpeg and VLC read.
"""

import html
import math
import re
from dataclasses import dataclass

from stages.annotations.text import clean_text, decode_text

_TIME = r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,9}))?"
_TIMING = re.compile(rf"^\s*(-?){_TIME}\s*-->\s*(-?){_TIME}(?:\s.*)?$")
_HEADER = re.compile(r"^(Kind|Language)\s*:\s*(\S+)", re.IGNORECASE)
_STYLE_CODE = re.compile(r"\{\\[^{}]*\}|\{[a-zA-Z]:[^{}]*\}")
# "[Music]", "(applause)", notes: sounds, not what is said.
_SOUND = re.compile(r"\[[^\[\]]*\]|^\s*\([^()]*\)\s*$|[\u2669-\u266f]")
_SPEAKER = re.compile(r"^(?:>>+|-|\u2013|\u2014)\s*")


class SubtitleError(ValueError):
    """A subtitle file without one readable cue."""


@dataclass(frozen=True)
class Cue:
    """Text shown in [start_s, end_s); `lines` are as written, cleaned, none of them empty."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)


@dataclass(frozen=True)
class Subtitles:
    """Cues in time order, and what the file's own header says of them ("" where it says nothing)."""

    cues: list[Cue]
    kind: str = ""
    language: str = ""


def parse_subtitles(data: bytes) -> Subtitles:
    """Reads a .vtt or .srt file.

    A time below zero counts as zero; a cue that ends before it starts is left out, as are sounds ("[Music]") and
    markup.
    Raises SubtitleError that names the first bad line where there is text but no cue, TextError for binary data.
    """
    lines = decode_text(data).split("\n")
    cues, bad_line = [], 0
    header = _header(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if "-->" not in line:
            continue
        times = _times(line)
        if times is None:
            bad_line = bad_line or number
            continue
        block, number = _block(lines, number)
        text = tuple(filter(None, map(_clean_line, block)))
        if text and times[1] >= times[0]:
            cues.append(Cue(*times, text))
    if not cues and bad_line:
        raise SubtitleError(f"line {bad_line}: {lines[bad_line - 1].strip()[:80]!r} is no cue timing")
    if not cues and not header and any(line.strip() for line in lines) and not any("-->" in line for line in lines):
        raise SubtitleError(f"line 1: {lines[0].strip()[:80]!r}: neither WebVTT nor SubRip, no cue in the file")
    cues.sort(key=lambda cue: (cue.start_s, cue.end_s))
    return Subtitles(cues, header.get("kind", ""), header.get("language", ""))


def _header(lines: list[str]) -> dict[str, str]:
    """Header fields of a WebVTT file; {"webvtt": ""} where it has none, {} for another file."""
    if not lines[0].startswith("WEBVTT"):
        return {}
    fields = {"webvtt": ""}
    for line in lines[1:]:
        if not line.strip():
            break
        if match := _HEADER.match(line):
            fields[match[1].lower()] = match[2].lower()
    return fields


def _block(lines: list[str], number: int) -> tuple[list[str], int]:
    """Lines of a cue's text from index `number`, and the index after them: up to an empty line or another timing."""
    block: list[str] = []
    while number < len(lines) and lines[number].strip() and "-->" not in lines[number]:
        block.append(lines[number])
        number += 1
    if number < len(lines) and "-->" in lines[number] and block and block[-1].strip().isdigit():
        # No empty line before the next cue: the last line is that cue's number, not text.
        block.pop()
    return block, number


def _times(line: str) -> tuple[float, float] | None:
    match = _TIMING.match(line)
    if match is None:
        return None
    start, end = _seconds(match.groups()[:5]), _seconds(match.groups()[5:])
    return max(0.0, start), max(0.0, end)


def _seconds(parts: tuple[str | None, ...]) -> float:
    sign, hours, minutes, seconds, fraction = parts
    # Thousandths first: a sum of floats would give 2.0999999 for 00:02.100.
    thousandths = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * 1000
    thousandths += math.floor(int(fraction or 0) * 1000 / 10 ** len(fraction or ""))
    return (-thousandths if sign else thousandths) / 1000


def _clean_line(line: str) -> str:
    # Entities last, then tags once more: "&lt;image&gt;" must not come out as a token.
    text = clean_text(html.unescape(clean_text(_STYLE_CODE.sub("", line))))
    return _SPEAKER.sub("", clean_text(_SOUND.sub(" ", text)))
