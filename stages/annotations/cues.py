"""Converts cues to sentences: removes repetitions of rolling captions, and joins sentences that span several cues."""

import re
from collections.abc import Iterable, Sequence

from stages.annotations.runs import OPEN_WORDS, cut_run
from stages.annotations.subtitles import Cue

# Cues this close follow each other without a pause.
_TOUCH_S = 0.15
# Rolling captions show fewer lines at once.
_MAX_LINES = 16
_SENTENCE_END = re.compile(r"[.?!\u2026\u3002\uff1f\uff01][\"'\u201d\u2019)]*$")
_TRAILING_DOTS = re.compile(r"(?:\.{2,}|\u2026)$")
_LEADING_DOTS = re.compile(r"^(?:\.{2,}|\u2026)\s*")
# Lines that are shown so much of their time together are said side by side: two voices, a song and its translation.
_TOGETHER = 0.8


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
    end a sentence. At most `gap_s` apart; what has more than `max_chars` together is cut as `cut_run` does.
    """
    runs: list[list[Cue]] = []
    was_beside = False
    for cue in cues:
        last = runs[-1][-1] if runs else None
        is_beside = last is not None and _are_together(last, cue)
        near = last is not None and cue.start_s - last.end_s <= gap_s
        # After a line that stood beside another, nobody can say which of the two goes on.
        if last is not None and near and not is_beside and not was_beside and _goes_on(last.text, cue.text):
            runs[-1].append(cue)
        else:
            runs.append([cue])
        was_beside = is_beside
    return [_joined(part) for run in runs for part in cut_run(run, max_chars)]


def _are_together(last: Cue, cue: Cue) -> bool:
    """Returns whether two cues are displayed at the same time."""
    shorter = min(last.end_s - last.start_s, cue.end_s - cue.start_s)
    return shorter > 0 and min(last.end_s, cue.end_s) - cue.start_s >= _TOGETHER * shorter


def _joined(cues: Sequence[Cue]) -> Cue:
    text = cues[0].text
    for cue in cues[1:]:
        text = f"{_TRAILING_DOTS.sub('', text).rstrip()} {_LEADING_DOTS.sub('', cue.text)}"
    return Cue(cues[0].start_s, max(cue.end_s for cue in cues), (text,))


def _goes_on(before: str, after: str) -> bool:
    begins_small = after[:1].islower()
    if _LEADING_DOTS.match(after):
        return bool(_TRAILING_DOTS.search(before)) or not _SENTENCE_END.search(before)
    if _TRAILING_DOTS.search(before):
        return begins_small
    if _SENTENCE_END.search(before):
        return False
    last_word = re.sub(r"[^\w']", "", before.split()[-1]).lower() if before.split() else ""
    return begins_small or last_word in OPEN_WORDS or before.endswith(",")
