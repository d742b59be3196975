"""Cuts speech that nobody punctuated into lines that can be read: at pauses, and where a clause may begin."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol, TypeVar


class Piece(Protocol):
    """Holds a word or a caption line: words that nothing cuts."""

    @property
    def start_s(self) -> float:
        """Returns when it begins."""

    @property
    def end_s(self) -> float:
        """Returns when it ends."""

    @property
    def text(self) -> str:
        """Returns its words."""


P = TypeVar("P", bound=Piece)

_OPEN = "a an the my your our their of to for from with into and or but because if whether"
OPEN_WORDS = frozenset(_OPEN.split())
"""No sentence ends in one of these."""
_OPENING = (
    "and but so then now because okay ok well alright if when while also first next i you we they he she it there"
)
_OPENING_WORDS = frozenset(_OPENING.split())
# What a word is worth in seconds of pause.
_OPENING_S, _OPEN_S = 0.25, -1.0
_EDGE = 0.25  # of a run, at either end: there it is cut last


def cut_run(pieces: Sequence[P], max_chars: int) -> list[Sequence[P]]:
    """Divides the pieces into runs of at most `max_chars` characters, or of a single piece.

    Each cut is made at the longest pause; of equal pauses, before a word that often begins a clause; then nearest to
    the middle. A cut after a word that ends no sentence is made only if there is no other place.
    """
    done: list[Sequence[P]] = []
    left = [pieces]
    while left:
        run = left.pop()
        if len(run) < 2 or _chars(run) <= max_chars:
            done.append(run)
            continue
        cut = _best_cut(run)
        left += [run[cut:], run[:cut]]  # the earlier one is taken first
    return done


def _best_cut(run: Sequence[P]) -> int:
    total, before = _chars(run), 0
    scores: list[tuple[bool, float, float]] = []
    for left, right in pairwise(run):
        before += len(left.text) + 1
        share = before / total
        worth = min(2.0, max(0.0, right.start_s - left.end_s))
        worth += _OPEN_S * (_word(left.text, -1) in OPEN_WORDS) + _OPENING_S * (_word(right.text, 0) in _OPENING_WORDS)
        scores.append((_EDGE <= share <= 1 - _EDGE, round(worth, 1), -abs(share - 0.5)))
    return max(range(len(scores)), key=scores.__getitem__) + 1


def _word(text: str, place: int) -> str:
    words = text.split()
    return words[place].strip(".,;:!?\"'").lower() if words else ""


def _chars(run: Sequence[P]) -> int:
    return sum(len(piece.text) + 1 for piece in run) - 1
