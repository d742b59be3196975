"""Events that say the same in other words."""

import numpy as np

from stages.qa.config import WritingConfig
from stages.qa.make_events import make_events
from stages.qa.paraphrases import paraphrases
from stages.qa.timeline import Timeline
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, rows

SHOES, AGAIN = "a man puts on his boots", "someone gets into footwear"


def unit(*rows):
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_each_text_that_says_another_again_names_the_first():
    vectors = unit([1, 0], [0, 1], [1, 0.1], [0.1, 1])
    assert paraphrases(list("abcd"), vectors, 0.9) == {"c": "a", "d": "b"}
    assert paraphrases(list("abcd"), vectors, 0.9999) == {}
    assert paraphrases([], np.empty((0, 2), np.float32), 0.9) == {}


def test_small_steps_do_not_join_what_differs():
    angles = np.linspace(0, np.pi / 2, 10)
    found = paraphrases([str(n) for n in range(10)], unit(*zip(np.cos(angles), np.sin(angles), strict=True)), 0.9)
    assert {*found.values()} == {"0", "3", "6"}
    assert "9" not in found


def test_many_texts_are_compared_in_blocks(monkeypatch):
    vectors = unit(*np.random.default_rng(0).standard_normal((50, 3)))
    texts = [str(n) for n in range(50)]
    whole = paraphrases(texts, vectors, 0.9)
    monkeypatch.setattr("stages.qa.paraphrases._BLOCK", 7)
    assert paraphrases(texts, vectors, 0.9) == whole != {}


def test_texts_of_other_colours_differ():
    assert paraphrases(["the red circle bounces", "the blue circle bounces"], unit([1, 0], [1, 0]), 0.8) == {}


def test_a_paraphrase_is_no_event_of_its_own():
    told = rows(*EIGHT, (80, 86, SHOES), (90, 96, AGAIN))
    config = WritingConfig()
    shoes, again = SHOES.capitalize(), AGAIN.capitalize()

    def asked(meanings):
        made, _, _ = make_events(told, 100.0, config, meanings)
        line = Timeline("v", 100.0, tuple(made), config)
        return {e.text for e in line.events if line.is_askable(e)}

    def beside(meanings):
        pairs = write_pairs(told, 100.0, config, "v", meanings=meanings)
        return [p for p in pairs if p["form"] != "order" and {shoes, again} <= {*p["options"]}]

    assert {shoes, again} <= asked(None)
    assert beside(None)
    assert not {shoes, again} & asked({again: shoes})
    assert beside({again: shoes}) == []
