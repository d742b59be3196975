"""Frames of the demo world: each action shows in a single frame."""

import numpy as np
import pytest

from pipeline.demo.render import Moment, draw, moment_at
from pipeline.demo.scenery import HEIGHT, WIDTH, panorama
from pipeline.demo.script import write_script
from pipeline.demo.world import DEEDS, SCENES, WORDS, Act, Thing

THING = Thing("red", "star")


def pixels(moment: Moment) -> np.ndarray:
    return np.asarray(draw(moment)).astype(int)


@pytest.mark.parametrize("action", DEEDS)
@pytest.mark.parametrize("elapsed_s", [0.1, 0.5, 1.3, 2.6])
def test_a_deed_never_looks_like_standing_still(action, elapsed_s):
    still = pixels(Moment("a tiled kitchen", 0.5, ((THING, 0.5),)))
    moment = Moment("a tiled kitchen", 0.5, act=Act(action, THING), elapsed_s=elapsed_s, progress=0.02)
    changed = np.abs(pixels(moment) - still).max(axis=2) > 40
    assert changed.sum() > 150
    columns = np.flatnonzero(changed.any(axis=0))
    assert columns.min() > WIDTH * 0.2 and columns.max() < WIDTH * 0.8


def test_a_mover_leaves_its_trail_behind():
    still = pixels(Moment("a tiled kitchen", 0.5, ((THING, 0.5),)))
    for x0, x1 in ((0.4, 0.6), (0.6, 0.4)):
        moment = Moment("a tiled kitchen", 0.5, act=Act("slide_right", THING), x0=x0, x1=x1, progress=0.5)
        changed = np.abs(pixels(moment) - still).max(axis=2) > 40
        behind, ahead = changed[:, : WIDTH // 2 - 30].sum(), changed[:, WIDTH // 2 + 30 :].sum()
        assert (behind > 50 and ahead == 0) if x1 > x0 else (ahead > 50 and behind == 0)


@pytest.mark.parametrize("progress", [0.0, 0.5, 0.99])
@pytest.mark.parametrize(("action", "x0", "x1"), [("enter_left", -0.02, 0.22), ("leave_right", 0.78, 1.02)])
def test_a_thing_can_be_seen_from_the_first_to_the_last_frame_of_its_move(action, x0, x1, progress):
    empty = pixels(Moment("a snowy mountain", 0.5))
    moment = Moment("a snowy mountain", 0.5, act=Act(action, THING), x0=x0, x1=x1, progress=progress)
    red = pixels(moment)[..., 0] - pixels(moment)[..., 1] > 80
    assert red.sum() > 100 and (empty[..., 0] - empty[..., 1] > 80).sum() == 0


def test_every_word_has_a_card_of_its_own():
    cards = {draw(Moment("a rainy street", 0.5, act=Act("card", word=word))).tobytes() for word in WORDS}
    assert len(cards) == len(WORDS)


def test_scenes_differ_and_stay_the_same():
    means = np.array([np.asarray(panorama(scene)).reshape(-1, 3).mean(axis=0) for scene in SCENES])
    apart = np.abs(means[:, None] - means[None]).max(axis=2) + np.eye(len(SCENES)) * 255
    assert apart.min() > 4
    before = panorama(SCENES[0]).tobytes()
    panorama.cache_clear()
    assert panorama(SCENES[0]).tobytes() == before


def test_the_moment_follows_the_script():
    script = write_script(120.0, 1)
    for event in script.events:
        moment = moment_at(script, (event.start_s + event.end_s) / 2)
        assert moment.act == event.act and moment.progress == pytest.approx(0.5)
        assert event.act.thing not in [thing for thing, _ in moment.standing]
        assert moment_at(script, event.end_s).act is None
    assert draw(moment_at(script, 0)).size == (WIDTH, HEIGHT)
