"""The typical place of a text is learnt in other videos, by its words."""

import numpy as np

from stages.qa.audit.features import Choice
from stages.qa.audit.typical_places import typical_places


def choices(count: int = 12) -> list[Choice]:
    early, late = ("wash the cup", 0.1), ("serve the soup", 0.9)
    return [
        Choice(f"v{i}", "What happens?", (early[0], late[0]), 0, "what_at", (early[1], late[1])) for i in range(count)
    ]


def test_words_of_openings_lie_before_words_of_endings():
    made, folds = choices(), np.arange(12) % 3
    for places in typical_places(made, folds, most=1000, seed=0):
        assert places["wash the cup"] < 0 < places["serve the soup"]


def test_a_video_tells_nothing_of_itself():
    made = [*choices(4), Choice("own", 'What is after "cut it"?', ("peel it", "wash the cup"), 0, "x", (0.0, 1.0))]
    *_, own = typical_places(made, np.array([0, 0, 0, 0, 1]), most=1000, seed=0)
    assert own["wash the cup"] < 0, "as in the other videos"
    assert own["cut it"] == own["peel it"] == 0.0, "no other video has these words"


def test_without_other_videos_or_times_nothing_is_known():
    assert typical_places(choices(2), np.zeros(2, int), most=1000, seed=0) == [{}, {}]
    assert typical_places([Choice("v", "?", ("1", "2"), 0)], np.zeros(1, int), most=10, seed=0) == [{}]
