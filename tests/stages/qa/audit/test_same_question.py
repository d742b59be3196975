"""Questions in other words are found by their embeddings, where these and the options agree."""

import numpy as np
import pytest

from stages.qa.audit.same_question import ParaphraseIndex

KNOWN = ["Where does the jellyfish go?\nTo the reef\nTo the swamp", "Who sings?\nThe man\nThe girl"]


def encode(cosine: float):
    """Embeddings of the known questions, and of any other text one with this cosine to the first."""
    vectors = {KNOWN[0]: (1.0, 0.0, 0.0), KNOWN[1]: (0.0, 1.0, 0.0)}
    other = (cosine, 0.0, np.sqrt(1 - cosine**2))
    return lambda texts: np.array([vectors.get(text, other) for text in texts], np.float32).reshape(-1, 3)


@pytest.mark.parametrize(
    ("cosine", "options", "is_found"),
    [
        (0.95, "\nTo the moon\nTo the sun", True),
        (0.95, "", True),
        (0.85, "\nTo a swamp\nTo the reef", True),
        (0.85, "\nTo the moon\nTo the sun", False),
        (0.85, "", False),
        (0.7, "\nTo the swamp\nTo the reef", False),
    ],
)
def test_a_question_is_found_by_its_meaning_and_options(cosine, options, is_found):
    [found] = ParaphraseIndex(KNOWN, encode(cosine)).find([f"In which direction does it swim?{options}"])
    assert (found is not None) == is_found
    if found:
        assert found[0] == 0 and found[1] == pytest.approx(cosine, abs=1e-3)


def test_no_questions_are_similar_to_nothing():
    assert ParaphraseIndex([], encode(0.9)).find(["Who?"]) == [None]
    assert ParaphraseIndex(KNOWN, encode(0.9)).find([]) == []
