"""Where in a video texts are typically placed, learnt from their words in other videos."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stages.qa.audit.features import SIZE, Choice, quoted, word_columns

if TYPE_CHECKING:
    from scipy import sparse


def typical_places(choices: Sequence[Choice], folds: np.ndarray, most: int, seed: int) -> list[dict[str, float]]:
    """Returns the typical place in a video of each text of a pair, by its words, in the videos of other folds.

    Args:
        choices: the pairs.
        folds: int64 [N], of each pair; the pairs of one video are in the same.
        most: texts that a model is fitted on.
        seed: of the order in which they are fitted.

    Returns:
        Places about 0, the middle of a video; the first second is at -0.5.
    """
    from sklearn.linear_model import SGDRegressor

    told = {(c.video_id, o.strip('"'), t) for c in choices for o, t in zip(c.options, c.option_times, strict=False)}
    if not told:
        return [{}] * len(choices)
    known = sorted(told)[:: -(-len(told) // most)]
    fold_of_video = dict(zip((c.video_id for c in choices), folds, strict=True))
    own = np.array([fold_of_video[video_id] for video_id, *_ in known])
    rows, places = _words_of([text for _, text, _ in known]), np.array([place for *_, place in known]) - 0.5
    in_pairs = [sorted({*(option.strip('"') for option in c.options), *quoted(c.question)}) for c in choices]
    number = {text: i for i, text in enumerate(dict.fromkeys(text for texts in in_pairs for text in texts))}
    asked = _words_of(list(number))
    learnt: dict[int, np.ndarray] = {}
    for fold in np.unique(folds):
        others = np.flatnonzero(own != fold)
        if len(others):
            model = SGDRegressor(alpha=1e-3, fit_intercept=False, max_iter=10, tol=None, average=True)
            model.set_params(random_state=seed)
            learnt[fold] = asked @ model.fit(rows[others], places[others]).coef_
    return [
        {text: float(learnt[fold][number[text]]) for text in texts} if fold in learnt else {}
        for texts, fold in zip(in_pairs, folds, strict=True)
    ]


def _words_of(texts: Sequence[str]) -> "sparse.csr_matrix":
    from scipy import sparse

    columns = [word_columns(text) for text in texts]
    ends = np.concatenate([[0], np.cumsum([len(c) for c in columns])])
    indices = np.fromiter((c for row in columns for c in row), np.int32, ends[-1])
    return sparse.csr_matrix((np.ones(len(indices), np.float32), indices, ends), (len(texts), SIZE))
