"""Descriptions: in the order of time, of nothing but what was annotated."""

from stages.qa import captioning
from stages.qa.config import WritingConfig
from stages.qa.video import make_video
from tests.stages.qa.worlds import EIGHT, annotated, video


def test_a_whole_video_is_told_in_order():
    [draft] = captioning.whole_video(video(*EIGHT[:3]))
    assert draft.answer == "First, the dog digs a hole. Then a boy climbs a ladder. Finally, the cook peels potatoes."
    assert draft.evidence == ((0.0, 100.0),)


def test_of_many_moments_the_longest_of_each_part_is_told():
    events = [(i, i + (0.9 if i % 10 == 3 else 0.5), f"thing {i} spins") for i in range(100)]
    [draft] = captioning.whole_video(video(*events, caption_events=10))
    assert draft.event_ids == tuple(f"e{i}" for i in range(3, 100, 10))


def test_parts_cut_no_event_and_tell_all_that_lies_inside():
    seen = video(*EIGHT, (25, 45, "a long song plays"))
    for template in (captioning.part, captioning.timed_list):
        drafts = list(template(seen))
        assert drafts
        for draft in drafts:
            [(start, end)] = draft.evidence
            inside = [m for m in seen.moments if m.start_s < end and start < m.end_s]
            assert draft.event_ids == tuple(m.event_id for m in inside)
            assert all(start <= m.start_s and m.end_s <= end for m in inside)


def test_parts_hardly_overlap():
    spans = [draft.evidence[0] for draft in captioning.part(video(*EIGHT))]
    for i, (s, e) in enumerate(spans):
        assert all(min(e, b) - max(s, a) <= 0.3 * min(e - s, b - a) for a, b in spans[:i])


def test_a_scene_is_told_where_it_begins():
    scenes = [(0, 30, "a sunny yard", "scene"), (30, 80, "a dark cellar", "scene")]
    drafts = [d for d in captioning.part(video(*EIGHT, *scenes)) if d.evidence[0][0] <= 20 and d.evidence[0][1] >= 36]
    assert all("we see a dark cellar" in draft.answer.replace("We", "we") for draft in drafts)


def test_times_are_listed():
    drafts = captioning.timed_list(video(*EIGHT[:3], max_event_share=1.0, duration=60.0))
    assert [draft.answer for draft in drafts] == [
        "0 s to 6 s: The dog digs a hole.\n10 s to 16 s: A boy climbs a ladder.\n20 s to 26 s: The cook peels potatoes."
    ]


def test_numbers_alone_are_nothing_to_tell():
    clock = [(i, i + 1, f"0:00:{i:02}", "caption") for i in range(50)]
    assert list(captioning.whole_video(video(*clock))) == list(captioning.part(video(*clock))) == []


def test_talk_is_retold_with_its_silences(videos):
    rows, duration = annotated(videos, "agent327")
    seen = make_video("v", duration, rows, WritingConfig())
    [draft] = captioning.dialogue(seen)
    lines = draft.answer.split("\n")
    assert lines[0] == '"This is 327, I\'m going in" "Good luck, Agent"'
    assert lines[4].startswith('After 71 seconds without a word: "Chief, do you copy?')
    assert draft.flags == ("from_speech",)
    parts = list(captioning.conversation(seen))
    assert len(parts) == 5
    assert all(f'"{m.text}"' in d.answer for d in parts for m in seen.speech if m.event_id in d.event_ids)
