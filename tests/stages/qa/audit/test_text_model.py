"""The text-only model learns what tells right options from wrong ones, and guesses only where one option is ahead."""

import numpy as np
import pytest
from scipy import sparse

from stages.qa.audit.text_model import Pairs, cross_fit

BEGINS = np.array([0, 3, 5, 9])
ANSWERS = np.array([1, 0, 3])


def pairs(rows: list[list[int]], begins: np.ndarray = BEGINS, answers: np.ndarray = ANSWERS) -> Pairs:
    return Pairs(sparse.csr_matrix(np.array(rows, np.float32)), begins, answers, seed=0)


def test_the_score_is_the_softmax_at_the_right_option():
    sums = [0.0, 1.0, 2.0, 0.5, 0.5, 1.0, 1.0, 0.0, 3.0]
    model = pairs([[10 * s] for s in sums])
    score, guessed = model.predict(np.array([2, 0, 1]), np.array([0.1]))
    for own, (begin, end, answer) in zip(score, [(5, 9, 3), (0, 3, 1), (3, 5, 0)], strict=True):
        parts = np.exp(sums[begin:end])
        assert own == pytest.approx(parts[answer] / parts.sum(), rel=1e-5)
    assert guessed.tolist() == [True, False, False], "of equal options none is guessed"
    assert [len(part) for part in model.predict(np.array([], int), np.array([0.1]))] == [0, 0]


def test_a_column_of_right_options_is_learnt_from_other_videos_only():
    rng = np.random.default_rng(1)
    answers, begins = rng.integers(0, 4, 200), np.arange(0, 801, 4)
    rows = rng.random((800, 6)) < 0.3
    rows[:, 5] = False
    rows[begins[:-1] + answers, 5] = True
    told = pairs(rows.tolist(), begins, answers)
    assert told.fit(np.arange(100)).argmax() == 5
    folds, kept = np.arange(200) % 2, np.ones(200, bool)
    assert cross_fit(told, folds, kept, most=1000)[1].all()
    score, guessed = cross_fit(told, folds, kept & (folds == 0), most=1000)
    assert np.isnan(score[folds == 0]).all() and not guessed[folds == 0].any(), "none of another part is kept"
    assert guessed[folds == 1].all()
