"""Finds questions of benchmarks that a corpus asks in other words, by a sentence encoder."""

from collections.abc import Callable, Sequence

import numpy as np

from stages.qa.similarity import content_words

SAME_QUESTION = 0.9
"""Cosine of two questions that ask for the same. Those of a template about two events have up to 0.86."""
SAME_WITH_OPTIONS = 0.8
"""The same where the options are the same, too."""
_SAME_OPTIONS = 0.6  # words in common of all words of the options

Encode = Callable[[Sequence[str]], np.ndarray]


class ParaphraseIndex:
    """Finds known questions, each a text whose first line is the question and whose other lines are its options.

    Args:
        questions: the known ones.
        encode: gives embeddings of texts, float32 [N, D], L2-normalised.
    """

    def __init__(self, questions: Sequence[str], encode: Encode) -> None:
        self._encode, self._known_KD = encode, encode(questions)
        self._options = [_option_words(text) for text in questions]

    def find(self, texts: Sequence[str]) -> list[tuple[int, float] | None]:
        """Finds for each text the most similar known question that asks for the same: its number, and the cosine."""
        similar_NK = self._encode(texts) @ self._known_KD.T
        return [self._best(text, similar_K) for text, similar_K in zip(texts, similar_NK, strict=True)]

    def _best(self, text: str, similar_K: np.ndarray) -> tuple[int, float] | None:
        words = _option_words(text)
        near = np.flatnonzero(similar_K >= SAME_WITH_OPTIONS)
        for number in near[np.argsort(-similar_K[near], kind="stable")]:
            if similar_K[number] >= SAME_QUESTION or _same(words, self._options[number]):
                return int(number), float(similar_K[number])
        return None


def _option_words(text: str) -> frozenset[str]:
    _, _, options = text.partition("\n")
    return content_words(options) if options.strip() else frozenset()


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other) and len(one & other) >= _SAME_OPTIONS * len(one | other)
