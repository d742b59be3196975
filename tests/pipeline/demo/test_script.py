"""The scripts of the demo world: what the manifest may rely on."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.demo.script import write_script
from pipeline.demo.texts import sentence
from pipeline.demo.world import SLOTS

SCRIPTS = st.builds(write_script, st.integers(30, 600).map(float), st.integers(0, 2**32 - 1))


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_events_follow_one_another_inside_their_scene(script):
    assert script.scenes[0].start_s == 0 and script.scenes[-1].end_s == script.seconds
    assert all(a.end_s == b.start_s for a, b in zip(script.scenes[:-1], script.scenes[1:], strict=True))
    assert all(a.end_s < b.start_s for a, b in zip(script.events[:-1], script.events[1:], strict=True))
    for event in script.events:
        assert 3 <= event.end_s - event.start_s <= 10
        assert any(scene.start_s <= event.start_s and event.end_s <= scene.end_s for scene in script.scenes)


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_no_thing_is_in_two_places_and_no_place_holds_two(script):
    spans = [(s.thing, s.start_s, s.end_s, s.x) for s in script.standings]
    spans += [(e.act.thing, e.start_s, e.end_s, x) for e in script.events if e.act.thing for x in {e.x0, e.x1}]
    for i, (thing, start, end, x) in enumerate(spans):
        for other, other_start, other_end, other_x in spans[:i]:
            if start < other_end and other_start < end:
                same_event = (start, end) == (other_start, other_end) and thing == other
                assert same_event or (thing != other and not (x == other_x and x in SLOTS))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
@example(524885)  # its first script has no room for either refrain twice
def test_only_refrains_happen_again_and_they_can_be_counted(seed):
    texts = [sentence(event.act) for event in write_script(400.0, seed).events]
    repeated = {text for text in texts if texts.count(text) > 1}
    assert 1 <= len(repeated) <= 2
    assert len(texts) >= 20


def test_the_seed_decides():
    assert write_script(340.0, 3) == write_script(340.0, 3)
    assert write_script(340.0, 3) != write_script(340.0, 4)


def test_a_script_too_short_for_a_scene_is_refused():
    with pytest.raises(ValueError, match="seconds = 10"):
        write_script(10, 0)
