"""Subtitles in WebVTT, SubRip, ASS, SSA, TTML, SBV, SAMI and MicroDVD, read like those beside videos.

    WEBVTT

    00:00:01.000 --> 00:00:02.500
    Hi everybody,

    0:00:01.000,0:00:02.500     (SBV)
    Hi everybody,

One file per video. `longvid manifest DIR` finds files such as `film.en.vtt` beside a video without an option. MicroDVD
uses frame numbers and must state the frame rate in its first cue. SCC is not supported.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pysubs2
from pysubs2.formats.microdvd import MICRODVD_LINE

from stages.annotations.formats.entry import Entry, Format, Row
from stages.annotations.sources import read_subtitles
from stages.annotations.text import AnnotationError

_SBV = re.compile(r"^(\d{1,2}:\d\d:\d\d\.\d{3}),(\d{1,2}:\d\d:\d\d\.\d{3})$", re.MULTILINE)
_LIKE_SBV = re.compile(r"^\d{1,2}:[^\s,]{1,20},[^\s,]{1,20}$", re.MULTILINE)
_ASS = r"\[(?:Script Info|V4\+? Styles|Events)\]"
_CUES = re.compile(rf"^WEBVTT|^\s*-?[\d:.,]{{4,20}}\s*-->|^{_ASS}|<(?:\w+:)?tt\b", re.MULTILINE)
_SAMI = re.compile(r"\s*<SAMI\b", re.IGNORECASE)
_MICRODVD = re.compile(r"\s*\{\d{1,7}\}\{\d{1,7}\}")
_FPS = re.compile(r"\s*\{\d{1,7}\}\{\d{1,7}\}\d{1,3}(?:\.\d{1,3})?\s*$", re.MULTILINE)
_HEAD = 20_000
# As `annotate` joins cues where no recipe says otherwise.
_GAP_S, _MAX_CHARS = 1.0, 240


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    head = value[:_HEAD]
    return any((_CUES.search(head), _SBV.search(head), _SAMI.match(head), _MICRODVD.match(head)))


def _read(key: str, value: Any) -> Iterator[Entry]:
    dropped: Counter[str] = Counter()
    if _SAMI.match(value):
        value = _as_subrip(value)
    elif _MICRODVD.match(value):
        dropped, value = _not_read(value), _as_subrip(value)
    elif not _CUES.search(value[:_HEAD]):
        dropped["no_time"] = sum(1 for line in _LIKE_SBV.finditer(value)) - sum(1 for line in _SBV.finditer(value))
        # As in WebVTT, an empty line ends a cue.
        value = "WEBVTT\n\n" + _SBV.sub(r"\1 --> \2", value)
    known = read_subtitles(value.encode("utf-8", "replace"), key, "utf-8", _GAP_S, _MAX_CHARS)
    rows = [Row(e["start_s"], e["end_s"], e["text"], e["kind"], has_unit=True) for e in known.events]
    dropped["no_time"] += sum(each.number for each in known.left_out)
    yield Entry("", rows, dropped=dropped)


def _not_read(text: str) -> Counter[str]:
    """Counts the lines of a MicroDVD file that pysubs2 skips, by reason."""
    skipped = [line for line in text.splitlines() if line.strip() and not MICRODVD_LINE.match(line)]
    return Counter("no_text" if _MICRODVD.fullmatch(line.strip()) else "no_time" for line in skipped)


def _as_subrip(text: str) -> str:
    if not _SAMI.match(text) and not _FPS.match(text):
        raise AnnotationError("MicroDVD without a frame rate: make its first line {1}{1}25.0, or save it as SubRip")
    try:
        return pysubs2.SSAFile.from_string(text, "sami" if _SAMI.match(text) else "microdvd").to_string("srt")
    except Exception as error:  # noqa: BLE001  # pysubs2 declares none of what it raises on a bad file
        raise AnnotationError(f"subtitles that are not read ({type(error).__name__}); save them as SubRip") from None


FORMAT = Format("subtitles", _is_of, _read)
