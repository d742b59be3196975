"""Converts cues to sentences: removes repetitions of rolling captions, and joins sentences that span several cues."""

import re
from collections.abc import Iterable

from stages.annotations.subtitles import Cue

# Cues this close follow each other without a pause.
_TOUCH_S = 0.15
# Rolling captions show fewer lines at once.
_MAX_LINES = 16
_SENTENCE_END = re.compile(r"[.?!\u2026\u3002\uff1f\uff01][\"'\u201d\u2019)]*$")
_TRAILING_DOTS = re.compile(r"(?:\.{2,}|\u2026)$")
_LEADING_DOTS = re.compile(r"^(?:\.{2,}|\u2026)\s*")
# A cue that ends in one of these ends in the middle of a sentence, whatever letter the next begins with.
_OPEN = "a an the my your our their of to for from with into and or but because if whether"
_OPEN_WORDS = frozenset(_OPEN.split())


def merge_rolling(cues: Iterable[Cue]) -> list[Cue]:
    """Returns cues without the lines that the previous cue already showed, as in captions that roll up line by line.

    Each line stands in the cue that shows it first; a line that is typed word by word is one. Only where cues touch or
    overlap: what is said again after a pause stays.
    """
    merged: list[Cue] = []
    shown: tuple[str, ...] = ()
    for cue in cues:
        last = merged[-1] if merged else None
        if last is None or cue.start_s > last.end_s + _TOUCH_S:
            merged.append(cue)
        else:
            carried = _carried(shown, cue.lines)
            fresh, end_s = cue.lines[carried:], max(last.end_s, cue.end_s)
            typed = "" if carried else _typed(shown, cue)
            if typed:
                merged[-1] = Cue(last.start_s, end_s, (*last.lines[:-1], last.lines[-1] + typed))
            elif fresh:
                merged.append(Cue(cue.start_s, cue.end_s, fresh))
            else:
                merged[-1] = Cue(last.start_s, end_s, last.lines)
        shown = cue.lines
    return merged


def _carried(before: tuple[str, ...], lines: tuple[str, ...]) -> int:
    """Returns how many of the first lines repeat the last lines of the previous cue."""
    for count in range(min(len(before), len(lines), _MAX_LINES), 0, -1):
        if before[-count:] == lines[:count]:
            return count
    return 0


def _typed(before: tuple[str, ...], cue: Cue) -> str:
    """Returns the text added to that of the previous cue, independent of line breaks; "" if the text is another."""
    text = " ".join(before)
    return cue.text[len(text) :] if cue.text.startswith(text + " ") else ""


def join_sentences(cues: Iterable[Cue], gap_s: float, max_chars: int) -> list[Cue]:
    """Joins cues that continue the sentence of the previous one.

    It goes on where the cue before has no full stop and the next begins small, or where it ends in a word that cannot
    end a sentence. At most `gap_s` apart, at most `max_chars` together.
    """
    joined: list[Cue] = []
    for cue in cues:
        last = joined[-1] if joined else None
        near = last is not None and cue.start_s - last.end_s <= gap_s
        if last is not None and near and len(last.text) + len(cue.text) < max_chars and _goes_on(last.text, cue.text):
            text = f"{_TRAILING_DOTS.sub('', last.text).rstrip()} {_LEADING_DOTS.sub('', cue.text)}"
            joined[-1] = Cue(last.start_s, max(last.end_s, cue.end_s), (text,))
        else:
            joined.append(Cue(cue.start_s, cue.end_s, (cue.text,)))
    return joined


def _goes_on(before: str, after: str) -> bool:
    begins_small = after[:1].islower()
    if _LEADING_DOTS.match(after):
        return bool(_TRAILING_DOTS.search(before)) or not _SENTENCE_END.search(before)
    if _TRAILING_DOTS.search(before):
        return begins_small
    if _SENTENCE_END.search(before):
        return False
    last_word = re.sub(r"[^\w']", "", before.split()[-1]).lower() if before.split() else ""
    return begins_small or last_word in _OPEN_WORDS or before.endswith(",")
