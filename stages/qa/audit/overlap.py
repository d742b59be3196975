"""Finds questions of benchmarks among the questions of a corpus, by runs of words that they have in common."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_END = re.compile(r"[\n?!.]+")
_RUN = 4
_LEAST_RUNS = 6  # in common; shorter questions are found where they are equal
_LEAST_SHARE = 0.7  # of the runs of the shorter text that must be in the other
_MOST_WORDS = 400
_COMMON = 200  # a run that more questions have is a phrase, and says nothing


class QuestionIndex:
    """Finds known questions by their words.

    Args:
        questions: of each its text, options included.
    """

    def __init__(self, questions: Iterable[str]) -> None:
        self._holders: dict[int, list[int]] = defaultdict(list)
        self._sizes: list[int] = []
        self._equal: dict[str, int] = {}
        for number, text in enumerate(questions):
            runs = _runs(text)
            self._sizes.append(len(runs))
            self._equal.setdefault(" ".join(words_of(text)), number)
            for run in runs:
                self._holders[run].append(number)

    def find(self, text: str) -> tuple[int, float] | None:
        """Finds the known question that a text has most in common with: its number and the share; None: with none."""
        words = words_of(text)
        if len(words) >= _RUN and (equal := self._equal.get(" ".join(words))) is not None:
            return equal, 1.0
        runs = _runs(text)
        found = (self._holders[run] for run in runs if run in self._holders)
        common = Counter(number for numbers in found if len(numbers) <= _COMMON for number in numbers)
        best: tuple[int, float] | None = None
        for number, count in common.items():
            share = count / max(1, min(len(runs), self._sizes[number]))
            is_found = count >= _LEAST_RUNS and share >= _LEAST_SHARE
            if is_found and (best is None or (share, -number) > (best[1], -best[0])):
                best = number, share
        return best


def words_of(text: str) -> list[str]:
    """Returns the words of a text in lower case."""
    return _WORD.findall(text.lower())[:_MOST_WORDS]


def _runs(text: str) -> set[int]:
    """Runs of words of each sentence and option, which may come in any order; a shorter one is a run as a whole."""
    runs = set()
    for part in _END.split(text[: 20 * _MOST_WORDS]):
        words = words_of(part)
        runs |= {hash(tuple(words[i : i + _RUN])) for i in range(max(1, len(words) - _RUN + 1)) if words}
    return runs
