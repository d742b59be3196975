"""The text-only model: a conditional logit over sparse rows (`features`), a row per option.

It is fitted by scikit-learn's SGD on the differences between right and wrong options.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse


class Pairs:
    """Holds pairs that models are fitted on and asked about.

    Args:
        matrix: the rows of all options, one pair after the other.
        begins: int64 [N + 1], where each of N pairs begins; each has two options or more.
        answers: int64 [N], the right option of each.
        seed: of the order in which pairs are fitted.
    """

    def __init__(self, matrix: "sparse.csr_matrix", begins: np.ndarray, answers: np.ndarray, seed: int) -> None:
        self._matrix, self._begins, self._answers, self._seed = matrix, begins, answers, seed

    @cached_property
    def _differences(self) -> tuple["sparse.csr_matrix", np.ndarray, np.ndarray]:
        """Right options less wrong ones, half of them the other way round; the pair of each, and its sign."""
        right = self._begins[:-1] + self._answers
        is_wrong = np.ones(self._matrix.shape[0], bool)
        is_wrong[right] = False
        pairs = np.repeat(np.arange(len(right)), np.diff(self._begins))[is_wrong]
        rows = self._matrix[right[pairs]] - self._matrix[is_wrong]
        signs = np.where(np.random.default_rng(self._seed).random(len(pairs)) < 0.5, 1, -1)
        rows.data *= np.repeat(signs, np.diff(rows.indptr))
        return rows, pairs, signs

    def fit(self, where: np.ndarray) -> np.ndarray:
        """Returns the weights, one per column, of a model of the pairs at some places."""
        from sklearn.linear_model import SGDClassifier  # costs a second to import, and small corpora need none

        differences, pairs, signs = self._differences
        rows = np.flatnonzero(np.isin(pairs, where))
        if len(set(signs[rows])) < 2:
            return np.zeros(self._matrix.shape[1])
        model = SGDClassifier(
            loss="log_loss",
            alpha=2 / len(rows),
            fit_intercept=False,
            max_iter=8,
            tol=None,
            average=True,
            random_state=self._seed,
        )
        return np.asarray(model.fit(differences[rows], signs[rows]).coef_[0])

    def predict(self, where: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns for each pair the softmax of the options' sums at the right option, and whether it alone is highest.

        The softmax is float32.
        """
        if not len(where):
            return np.zeros(0, np.float32), np.zeros(0, bool)
        counts = np.diff(self._begins)[where]
        starts = np.cumsum(counts) - counts
        rows = np.repeat(self._begins[where] - starts, counts) + np.arange(counts.sum())
        sums = self._matrix[rows] @ weights
        best = np.maximum.reduceat(sums, starts)
        chosen = sums[starts + self._answers[where]]
        score = np.exp(chosen - best) / np.add.reduceat(np.exp(sums - np.repeat(best, counts)), starts)
        ties = np.add.reduceat(sums == np.repeat(best, counts), starts, dtype=np.int64)
        return score.astype(np.float32), (chosen == best) & (ties == 1)


def cross_fit(pairs: Pairs, folds: np.ndarray, kept: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns for all pairs what `Pairs.predict` gives, by models of the kept pairs of other folds.

    Args:
        pairs: N of them.
        folds: int64 [N].
        kept: bool [N].
        most: pairs that a model is fitted on.
    """
    score, guessed = np.full(len(folds), np.nan, np.float32), np.zeros(len(folds), bool)
    for fold in np.unique(folds):
        others, inside = np.flatnonzero(kept & (folds != fold)), np.flatnonzero(folds == fold)
        if len(others):
            weights = pairs.fit(others[:: -(-len(others) // most)])
            score[inside], guessed[inside] = pairs.predict(inside, weights)
    return score, guessed
