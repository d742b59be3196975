"""The blind score finds what is planted, judges honest pairs as chance, and leaves out no more than it must."""

import random

import numpy as np
import pytest

from benchmarks._over_chance import over_chance
from stages.qa.audit.blind import BlindConfig, fold_of, judge, rule_guesses, surest
from stages.qa.audit.features import Choice
from tests.stages.qa.audit.choices import PLANTS, honest

CONFIG = BlindConfig(min_pairs=100)


def planted(name: str, share: float = 1.0) -> list[Choice]:
    rng = random.Random(1)
    return [PLANTS[name](choice, rng) if rng.random() < share else choice for choice in honest()]


def gain(choices, judged) -> float:
    """Points over chance of the model on what is kept."""
    kept = [not reason for reason in judged.dropped]
    chance = np.array([1 / len(choice.options) for choice in choices])
    return 100 * float((judged.guessed[kept] - chance[kept]).mean())


def test_honest_pairs_are_kept():
    choices = honest()
    judged = judge(choices, CONFIG)
    assert sum(map(bool, judged.dropped)) <= 0.05 * len(choices)
    assert float(judged.score.mean()) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("name", [name for name in PLANTS if name not in ("nearest in time", "adjoining times")])
def test_planted_shortcuts_are_guessed(name):
    choices = planted(name)
    judged = judge(choices, CONFIG.model_copy(update={"margin": 100.0}))
    assert judged.guessed.mean() >= 0.95
    assert float(judged.score.mean()) > 0.6


@pytest.mark.parametrize("name", PLANTS)
def test_pairs_are_left_out_until_the_form_is_within_the_margin(name):
    choices = planted(name, share=0.3) if name not in ("number", "listed order", "adjoining times") else planted(name)
    judged = judge(choices, CONFIG)
    assert any(judged.dropped)
    kept = [choice for choice, reason in zip(choices, judged.dropped, strict=True) if not reason]
    if len(kept) < CONFIG.min_pairs:
        return
    assert gain(choices, judged) <= CONFIG.margin
    for guesses in rule_guesses(kept).values():
        points, _, count = over_chance(kept, guesses, rounds=1)
        assert count < CONFIG.min_pairs or points <= CONFIG.margin + 1e-9


@pytest.mark.parametrize("seed", [2, 11])
def test_what_goes_for_one_rule_raises_no_other(seed):
    rng, choices = random.Random(seed), honest(videos=100, seed=seed)
    names = [rng.choice(["nearest in time", "typical place", "", ""]) for _ in choices]
    choices = [PLANTS[name](choice, rng) if name else choice for name, choice in zip(names, choices, strict=True)]
    judged = judge(choices, BlindConfig())
    kept = [choice for choice, reason in zip(choices, judged.dropped, strict=True) if not reason]
    for guesses in rule_guesses(kept).values():
        points, _, count = over_chance(kept, guesses, rounds=1)
        assert count < BlindConfig().min_pairs or points <= BlindConfig().margin + 1e-9


def test_the_most_probable_right_guesses_go_first():
    score = np.array([0.9, 0.2, 0.8, 0.7, 0.6], np.float32)
    gains = np.array([0.75, -0.25, 0.75, -0.25, 0.75])
    assert surest(score, gains, margin=0.0).tolist() == [0, 2, 4]
    assert surest(score, gains, margin=30.0).tolist() == [0]
    assert surest(score, gains, margin=100.0).tolist() == []


def test_the_same_pairs_give_the_same_scores_and_another_video_does_not_know_its_own():
    choices = planted("word")
    first, second = judge(choices, CONFIG), judge(list(choices), CONFIG)
    assert first.dropped == second.dropped
    assert first.score.tobytes() == second.score.tobytes()
    # One video alone has a telling word: models of other videos cannot know it.
    alone = [c for c in honest() if c.video_id != "v0"] + [c for c in planted("frequent answer") if c.video_id == "v0"]
    judged = judge(alone, CONFIG.model_copy(update={"margin": 100.0}))
    assert judged.guessed[-8:].mean() < 0.8
    assert len({fold_of(f"v{i}", CONFIG) for i in range(60)}) == CONFIG.folds


def test_small_forms_are_not_judged():
    judged = judge(planted("word")[:50], CONFIG)
    assert np.isnan(judged.score).all() and not any(judged.dropped)
