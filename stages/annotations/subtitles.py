"""Parses subtitle files into cues. Like video players, it omits cues that cannot be parsed and keeps the others."""

import re
from dataclasses import dataclass

from stages.annotations.ass_ttml import is_ass, is_ttml, read_ass, read_ttml
from stages.annotations.cue_blocks import read_blocks
from stages.annotations.encodings import DETECT, decode_text
from stages.annotations.left_out import LeftOut, summed
from stages.annotations.markup import is_data, plain_lines
from stages.annotations.text import AnnotationError

NOT_TEXT, CUT = "subtitles_not_text", "long_lines_cut"  # flags of a video

_MAX_LINE = 4096
_HEADER = re.compile(r"(Kind|Language)\s*:\s*(\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Cue:
    """Holds text shown in [start_s, end_s). `lines` are cleaned and not empty. Times may be negative."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Returns the lines, joined by spaces."""
        return " ".join(self.lines)


@dataclass(frozen=True)
class Subtitles:
    """Holds cues in order of time, and the values of the file's header ("" if absent)."""

    cues: list[Cue]
    kind: str = ""
    language: str = ""
    flags: tuple[str, ...] = ()
    """Flags of the video: "encoding_detected", "invalid_utf8", "subtitles_not_text", "long_lines_cut"."""
    left_out: tuple[LeftOut, ...] = ()
    """Cues whose times cannot be read, or that end before they start."""


def parse_subtitles(data: bytes, language: str = "", encoding: str = DETECT) -> Subtitles:
    """Reads a WebVTT, SubRip, ASS, SSA or TTML file. The format is detected from the content.

    A cue without readable times, or that ends before it starts, is left out and counted. Also left out are sounds
    ("[Music]"), markup, and cues that hold no text but JSON or addresses of pictures. A line of more than 4,096
    characters is cut.

    Args:
        language, encoding: see `decode_text`.

    Raises:
        AnnotationError: binary data, an encoding that cannot be told, or text without one readable cue.
    """
    text, flag = decode_text(data, language, encoding)
    lines = text.split("\n")
    header, ass = _header(lines), is_ass(lines)
    bad_lines: list[int] = []
    if is_ttml(text):
        blocks = read_ttml(text)
    else:
        blocks, bad_lines = read_ass(lines) if ass else read_blocks(lines, is_webvtt="webvtt" in header)
    cues: list[Cue] = []
    left_out = [LeftOut("no_time", 1, f"line {line}: its times cannot be read") for line in bad_lines]
    flags = {flag}
    for block in blocks:
        if header.get("kind") == "metadata" or is_data(block.text):
            flags.add(NOT_TEXT)
            continue
        cut = "\n".join(line[:_MAX_LINE] for line in block.text.split("\n"))
        flags.add("" if cut == block.text else CUT)
        try:
            words = plain_lines(cut, ass)
        except AnnotationError as error:
            raise AnnotationError(f"line {block.line}: {error}") from None
        if words and block.end_s >= block.start_s:
            cues.append(Cue(block.start_s, block.end_s, words))
        elif words:
            left_out.append(LeftOut("ends_before_start", 1, f"line {block.line}: the cue ends before it starts"))
    if not blocks and bad_lines:
        raise AnnotationError(
            f"line {bad_lines[0]}: no cue can be read; times are written 00:00:01.000 --> 00:00:02.000"
        )
    if not blocks and not header and not text.isspace() and text:
        raise AnnotationError(f"no cue in its {len(lines)} lines: neither WebVTT, SubRip, ASS nor TTML")
    # ASS shows a line twice to draw its shadow.
    cues = sorted(dict.fromkeys(cues), key=lambda cue: (cue.start_s, cue.end_s))
    told = tuple(sorted(flags - {""}))
    return Subtitles(cues, header.get("kind", ""), header.get("language", ""), told, tuple(summed(left_out)))


def _header(lines: list[str]) -> dict[str, str]:
    """Returns the header fields of a WebVTT file; {"webvtt": ""} if there are none, {} for other formats."""
    if not lines[0].startswith("WEBVTT"):
        return {}
    fields = {"webvtt": ""}
    for line in lines[1:]:
        if not line.strip() or "-->" in line:
            break
        if match := _HEADER.match(line):
            fields[match[1].lower()] = match[2][:40].lower()
    return fields
