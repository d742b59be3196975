"""What writers look up in the events of a video."""

from stages.qa.event import overlap_s
from stages.qa.similarity import holds_of
from tests.stages.qa.worlds import EIGHT, RINGS, SCENES, timeline

SAID = [(12, 14, "The dog digs a hole.", "speech"), (22, 24, "...", "speech")]
LINE = timeline(*EIGHT, *SCENES, *RINGS, *SAID, (90, 95, "the old dog digs a deep hole in the garden"), (62, 66, "it"))


def _is_told_by(event, other):
    are_visual = event.kind == other.kind == "event"
    return event.group == other.group or (are_visual and holds_of(event.text, other.text))


def test_what_an_event_tells_of_is_what_a_search_through_all_events_finds():
    for event in LINE.events:
        assert LINE.tells_of(event) == {e for e in LINE.events if _is_told_by(event, e)}, event.text
    assert any(len({e.group for e in LINE.tells_of(event)}) > 1 for event in LINE.events)


def test_what_may_be_true_of_another_moment_is_vague_and_no_wrong_option():
    for event in LINE.events:
        apart = [e for e in LINE.events if e.group != event.group and overlap_s(event.span, e.span) == 0]
        is_vague = any(_is_told_by(event, e) for e in apart)
        assert LINE.is_vague(event) == is_vague
        assert not (is_vague and LINE.is_offered(event))
    assert LINE.is_vague(LINE.visual[0])
