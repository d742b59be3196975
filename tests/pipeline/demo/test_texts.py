"""What is said of the demo world, and when it counts as true."""

import random

import pytest

from pipeline.demo import texts
from pipeline.demo.world import DEEDS, MOVES, Act, Thing

RED = Thing("red", "circle")
GREEN = Thing("green", "square")


@pytest.mark.parametrize("action", DEEDS + MOVES)
def test_every_text_of_an_act_names_its_thing(action):
    act = Act(action, RED)
    for text in [*texts.captions(act), *texts.questions(act)]:
        assert "red circle" in text and "{" not in text
    assert len(set(texts.questions(act))) == len(texts.QUESTIONS)


def test_every_text_of_a_card_holds_its_word():
    act = Act("card", word="HARBOR")
    assert all("HARBOR" in text for text in [*texts.captions(act), *texts.questions(act)])


def test_sentences_tell_acts_apart():
    acts = [Act(action, thing) for action in DEEDS + MOVES for thing in (RED, GREEN)] + [Act("card", word="MAPLE")]
    assert len({texts.sentence(act) for act in acts}) == len(acts)


def test_a_claim_holds_where_all_of_an_alternative_is_shown():
    rng = random.Random(0)
    bounce, blink = Act("bounce", RED), Act("blink", GREEN)
    shown = {texts.act_key(bounce), texts.thing_key(RED), texts.scene_key("a pine forest")}
    assert texts.claim_act(bounce, rng).holds(shown) and not texts.claim_act(blink, rng).holds(shown)
    assert texts.claim_pair(blink, bounce, rng).holds(shown)
    assert texts.claim_in_scene(bounce, "a pine forest", rng).holds(shown)
    assert not texts.claim_in_scene(bounce, "a rainy street", rng).holds(shown)
    assert texts.claim_thing(RED, rng).holds(shown) and not texts.claim_thing(GREEN, rng).holds(shown)
    assert texts.claim_scene("a pine forest", rng).holds(shown)
