"""What a text-only model sees of multiple-choice questions: words of the options, and cues that reviewers found.

Each option is a row of a sparse 0/1 matrix: its words and pairs of neighbouring words, the option as a whole, its place
among the options, its length, numbers, the listed order and the typical place of its words in a video; each also
together with the side that the question asks for ("after", "first", ...).
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

SIZE = 1 << 18
"""Columns of the matrix; words that share one are as one word."""
_CUES = 1 << 12  # the first columns are those of cues, so that no word shares them
_MOST_WORDS = 60
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"^\D*(\d+(?:\.\d+)?)")
_QUOTED = re.compile(r'"([^"]*)"')
_LISTED = re.compile(r"\((\d{1,2})\)")
_SIDES = {
    1: "after next follows follow following later",
    2: "before previous precedes preceding earlier directly",
    3: "first earliest begins starts",
    4: "last latest final ends",
    5: "between",
}
_SIDE = {word: side for side, words in reversed(_SIDES.items()) for word in words.split()}
_NO_RANK, _TIED = 14, 15


@dataclass(frozen=True)
class Choice:
    """Holds a multiple-choice pair as the audits read it.

    Attributes:
        option_times: when the event of each option happens, as a share of the video; empty where options are no events.
        asked_times: the same of the events that the question names.
    """

    video_id: str
    question: str
    options: tuple[str, ...]
    answer_index: int
    form: str = ""
    option_times: tuple[float, ...] = ()
    asked_times: tuple[float, ...] = ()


@lru_cache(maxsize=1 << 17)
def word_columns(text: str) -> tuple[int, ...]:
    """Returns columns of the words of a text, of its pairs of neighbouring words and of the text as a whole."""
    words = _WORD.findall(text.lower())[:_MOST_WORDS]
    tokens = [*words, *(f"{a} {b}" for a, b in pairwise(words)), f"={' '.join(words)}"]
    return tuple(sorted({_CUES + zlib.crc32(token.encode()) % (SIZE - _CUES) for token in tokens}))


def quoted(question: str) -> list[str]:
    """Returns the events that a question quotes, in its order."""
    return _QUOTED.findall(question)


def side_of(question: str) -> int:
    """Returns which side of something a question asks for, by its words outside quotes; 0: none."""
    words = _WORD.findall(_QUOTED.sub(" ", question.lower()))
    found = [_SIDE[word] for word in words if word in _SIDE]
    return max(found, key=lambda side: (side in (3, 4), -found.index(side)), default=0)


def rows_of(choices: Sequence[Choice], typical: Sequence[dict[str, float]]) -> tuple["sparse.csr_matrix", np.ndarray]:
    """Returns the rows of all options, one pair after the other, and where each pair begins (int64 [pairs + 1]).

    Args:
        choices: the pairs.
        typical: per pair the typical places in a video (-0.5 to 0.5) of the texts of its options and of what it quotes.
    """
    from scipy import sparse  # costs more to import than all else of a command that only looks at a corpus

    columns: list[int] = []
    ends, begins = [0], [0]
    for choice, places in zip(choices, typical, strict=True):
        side = side_of(choice.question)
        for option, cues in zip(choice.options, _cues(choice, places), strict=True):
            columns += sorted({*_columns_of(option, side), *cues, *(c + 256 * (side or 8) for c in cues)})
            ends.append(len(columns))
        begins.append(len(ends) - 1)
    indices = np.array(columns, np.int32)
    matrix = sparse.csr_matrix((np.ones(len(indices), np.float32), indices, np.array(ends)), (len(ends) - 1, SIZE))
    return matrix, np.array(begins)


@lru_cache(maxsize=1 << 14)
def _columns_of(option: str, side: int) -> tuple[int, ...]:
    """Columns of the words of an option, alone and together with the side that the question asks for."""
    words = word_columns(option)
    beside = (_CUES + (c * 0x9E3779B1 + side * 0x85EBCA6B) % (SIZE - _CUES) for c in words)
    return (*words, *beside) if side else words


def _cues(choice: Choice, typical: dict[str, float]) -> list[list[int]]:
    """Columns of the cues of each option: 16 columns for each kind of cue, by its rank among the options."""
    options = choice.options
    asked = [typical[text] for text in quoted(choice.question) if text in typical]
    places = [typical.get(option.strip('"')) for option in options]
    near = [None if p is None or not asked else min(abs(p - a) for a in asked) for p in places]
    told = set(_WORD.findall(choice.question.lower()))
    kinds = [
        [min(i, 13) for i in range(len(options))],
        _ranks([float(len(option)) for option in options]),
        _ranks([number_of(option) for option in options]),
        _ranks(places),
        _ranks(near),
        _ranks(_agreement(choice, typical)),
        _ranks([float(len(told & _words_of(option))) for option in options]),
        [int(is_listed(option)) for option in options],
    ]
    return [[16 * kind + ranks[i] for kind, ranks in enumerate(kinds)] for i in range(len(options))]


@lru_cache(maxsize=1 << 14)
def number_of(option: str) -> float | None:
    """Returns the first number of an option."""
    found = _NUMBER.match(option)
    return float(found[1]) if found else None


@lru_cache(maxsize=1 << 14)
def _words_of(option: str) -> frozenset[str]:
    return frozenset(_WORD.findall(option.lower()))


def _ranks(values: Sequence[float | None]) -> list[int]:
    """The rank of each value; of equal ones, and where a value is missing, none that tells them apart."""
    if None in values:
        return [_NO_RANK] * len(values)
    ordered = sorted(values)  # type: ignore[type-var]
    ranks = [ordered.index(value) for value in values]
    return [min(rank, 13) if ordered.count(value) == 1 else _TIED for rank, value in zip(ranks, values, strict=True)]


@lru_cache(maxsize=1 << 14)
def _order_of(option: str) -> tuple[int, ...]:
    """The numbers of an option that is an order: "(2), (1), (3)" -> (2, 1, 3); else none."""
    return tuple(int(n) for n in _LISTED.findall(option)) if not _LISTED.sub("", option).strip(" ,") else ()


def is_listed(option: str) -> bool:
    """Returns whether an option is the order in which the question lists its events."""
    order = _order_of(option)
    return len(order) > 1 and list(order) == sorted(order)


def _agreement(choice: Choice, typical: dict[str, float]) -> list[float | None]:
    """For options that are orders of listed events: how many pairs of events lie as they typically do."""
    listed = [typical[text] for text in quoted(choice.question) if text in typical]
    found: list[float | None] = []
    for option in choice.options:
        order = _order_of(option)
        if len(order) < 2 or max(order) > len(listed):
            return [None] * len(choice.options)
        found.append(float(sum(listed[a - 1] < listed[b - 1] for a, b in combinations(order, 2))))
    return found
