"""The lines of a subtitle cue to plain words: without style codes, drawings, sounds and speakers' dashes."""

import re
from collections.abc import Iterator

from stages.annotations.text import clean_text

# `{\an8}` and `{y:i}` (MicroDVD) are codes wherever they stand, `{b}` where SubRip has them.
_CODE = re.compile(r"\\|[A-Za-z]:|/?[bius]$")
_DRAWING = re.compile(r"\\p(\d)")
_LINE_BREAK = re.compile(r"\\[Nn]")
# "[Music]", "(applause)", notes: sounds, not what is said.
_SOUND = re.compile(r"\[[^\[\]]*\]|^\s*\([^()]*\)\s*$|[\u2669-\u266f]")
# ">> Hello", "- Hello", but a number keeps its sign.
_SPEAKER = re.compile(r"^(?:>>+|[-\u2013\u2014](?![\d$\u20ac\u00a3]|[.,]\d))\s*")
# What a cue of a metadata or thumbnail track holds.
_JSON = re.compile(r"(?:\[\s*)?\{\s*[\"}]")
_PICTURE = re.compile(r"\S+#xywh=[\d.,:a-z]+|\S+\.(?:jpe?g|png|webp|gif)", re.IGNORECASE)


def plain_lines(text: str, is_ass: bool = False) -> tuple[str, ...]:
    """Returns the lines of a cue that contain words.

    Args:
        is_ass: whether the file is ASS or SSA, where nothing that stands in braces is text.
    """
    text = _LINE_BREAK.sub("\n", "".join(_outside_codes(text, is_ass))).replace("\\h", " ")
    return tuple(filter(None, map(_plain_line, text.split("\n"))))


def is_data(text: str) -> bool:
    """Returns whether a cue contains JSON or the address of an image, which is data for programs."""
    text = text.strip()
    return bool(_JSON.match(text) and text.endswith(("}", "]"))) or _PICTURE.fullmatch(text) is not None


def _outside_codes(text: str, is_ass: bool) -> Iterator[str]:
    r"""The pieces of text between codes, but for drawings: `{\p1}m 0 0 l 9 9{\p0}`."""
    at, drawing = 0, False
    while (start := text.find("{", at)) >= 0 and (end := text.find("}", start)) >= 0:
        if not is_ass:
            start = text.rfind("{", start, end)
        code = text[start + 1 : end]
        keep = end + 1 if not is_ass and not _CODE.match(code) else start
        if not drawing:
            yield text[at:keep]
        if scales := _DRAWING.findall(code):
            drawing = scales[-1] != "0"
        at = end + 1
    if not drawing:
        yield text[at:]


def _plain_line(line: str) -> str:
    if not line or line.isspace():
        return ""
    return _SPEAKER.sub("", clean_text(_SOUND.sub(" ", clean_text(line))))
