"""What the plans of each task are made of."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from stages.qa.plan import MAIN
from stages.qa.realize.templates import realize
from stages.qa.solver import check
from stages.qa.steps import precedes
from stages.qa.tasks.temporal_grounding import rows, what_at, when
from tests.stages.qa.worlds import EIGHT, RINGS, ROW, SCENES, plans, timeline

SHIFTED = [(30 + 10 * i, 39 + 10 * i, text) for i, text in enumerate(("a cat eats", "a cow runs", "a hen sits"))]
WORDS = ["dog", "cat", "cow", "hen", "boat", "train", "plane", "truck", "girl", "boy", "monk", "clown", "nurse"]


def test_both_neighbours_are_always_among_the_options():
    line = timeline(*EIGHT)
    found = plans(line, "neighbour")
    assert found
    for plan in found:
        [asked] = plan.asked
        options = {e.text for e in (plan.answer, *plan.wrong)}
        around = {e.text for e in (line.step(asked, 1), line.step(asked, -1)) if e}
        assert around <= options
        assert asked.text not in options


def test_what_only_goes_on_counts_as_a_step_and_is_not_offered():
    line = timeline((0, 9, "a dog barks"), (10, 19, "continues falling"), (20, 29, "a man waves"), *SHIFTED)
    found = plans(line, "neighbour", seeds=40)
    assert found
    steps = [p.number for p in found if {p.asked[0].text, p.answer.text} == {"A dog barks", "A man waves"}]
    assert 1 not in steps, "the two are two steps apart"
    assert not [e for p in found for e in (p.answer, *p.wrong, *p.asked) if e.text == "Continues falling"]


def test_of_few_events_the_next_one_is_asked_for_without_options_where_they_touch():
    touching = [
        (0, 20, "a dog barks"),
        (20, 40, "he drinks water"),
        (41, 60, "a man waves"),
        (70, 90, "a train leaves"),
    ]
    found = plans(timeline(*touching[:2], *touching[3:]), "neighbour")
    assert {(p.asked[0].text, p.side, p.answer.text) for p in found if not p.wrong} == {
        ("A dog barks", "after", "He drinks water"),
    }, "it is not asked for what he does, nor what comes after 30 s, nor before whom he names"
    found = [p for p in plans(timeline(*touching), "neighbour") if not p.wrong]
    assert {p.answer.text for p in found} == {"He drinks water"}
    rng = random.Random(0)
    assert not any("these" in realize(p, rng).question for p in found)


def test_the_next_thing_is_right_as_often_as_a_further_one():
    numbers = Counter(plan.number == 1 for plan in plans(timeline(*EIGHT), "neighbour", seeds=60))
    assert 0.3 < numbers[True] / numbers.total() < 0.7


def test_an_event_is_over_when_the_next_one_begins():
    long = [(3 * start, 3 * start + 28, text) for start, _, text in EIGHT]
    late = [(start, end + (7 if start == 90 else 3), text) for start, end, text in long]
    found = [[e.span for e in p.evidence] for p in plans(timeline(*late, duration=300.0), "neighbour")]
    assert any((60.0, 91.0) in spans and (90.0, 125.0) in spans for spans in found), "within `touch_s`"
    assert not any((90.0, 125.0) in spans and (120.0, 151.0) in spans for spans in found)


@pytest.mark.parametrize("form", ["neighbour", "what_at"])
def test_the_earliest_option_is_right_no_more_often_than_others(form):
    ranks = Counter()
    for plan in plans(timeline(*EIGHT, *SCENES), form, seeds=80):
        ranks[sorted(e.start_s for e in (plan.answer, *plan.wrong)).index(plan.answer.start_s)] += 1
    assert ranks.total() > 50
    assert ranks[0] / ranks.total() <= 0.3


def test_what_stands_beside_an_opening_is_right_as_often_as_what_comes_later():
    steps = Counter(p.number for p in plans(timeline(*EIGHT[:4]), "neighbour", seeds=80) if p.asked[0].start_s == 0)
    assert set(steps) == {1, 2, 3}
    assert max(steps.values()) / steps.total() < 0.45


def test_each_event_of_a_row_is_the_right_option_of_a_time_as_often_as_the_others():
    """Also one that `when` cannot ask for, so that neither "he" nor an opening nor an ending says which is right."""
    events = [*EIGHT[:3], (30, 36, "he waves")]
    right, asked = Counter(), set()
    for seed in range(200):
        line = timeline(*events, seed=seed)
        by_time = {plan.answer.text for plan in what_at(line)}
        asked |= {plan.asked[0].text for plan in when(line)}
        assert not by_time & {plan.asked[0].text for plan in when(line)}
        right.update(by_time)
    assert len(right) == 4 and "He waves" in right and "He waves" not in asked
    assert max(right.values()) / right.total() < 0.3


@pytest.mark.parametrize(
    ("count", "sizes"), [(2, []), (3, [3]), (4, [4]), (5, [4]), (6, [3, 3]), (7, [3, 4]), (8, [4, 4])]
)
def test_events_are_divided_into_rows_of_three_or_four(count, sizes):
    assert [len(row) for row in rows(range(count), 4, random.Random(0))] == sizes


def test_any_order_may_be_right_the_listed_one_too():
    found = [plan for plan in plans(timeline(*EIGHT), "order", seeds=60) if len(plan.listed) == 3]
    places = Counter(tuple(plan.answer.index(e) for e in plan.listed) for plan in found)
    assert len(places) == 6
    assert places[0, 1, 2] > 0


def test_each_number_is_right_once_and_once_is_not_always_right():
    found = plans(timeline(*EIGHT, *RINGS), "count", seeds=1)
    assert sorted(plan.answer for plan in found) == [1, 3]
    assert all({plan.answer, *plan.wrong} == {1, 3} for plan in found)


@pytest.mark.parametrize(
    ("length", "gap", "is_asked"), [(9, 0, 0), (9, 1, 0), (9, 2, 0), (60, 5, 0), (20, -15, 0), (9, 12, 1), (60, 12, 1)]
)
def test_a_number_that_depends_on_what_counts_as_one_is_not_asked_for(length, gap, is_asked):
    """Three windows, of which the first two are one event where little time is between them."""
    windows = (0, length), (length + gap, 2 * length + gap), (160, 170)
    other = (140, 144, "a dog digs a hole"), (148, 154, "a train leaves the station")
    songs = timeline(*((*w, "a man sings a song") for w in windows), *other, duration=200.0)
    for form in ("count", "count_beside", "occurrence", "missing_occurrence"):
        asked = {plan.asked[0].text for plan in plans(songs, form)}
        assert ("A man sings a song" in asked) == is_asked, form


def test_what_two_annotators_tell_of_is_counted():
    double = [(0, 10, "a man sings a song"), (0.5, 10, "the man sings a song")]
    told = timeline(*double, (60, 70, "a man sings a song"), (80, 90, "a dog barks"))
    assert {plan.answer for plan in plans(told, "count")} == {1, 2}


def test_what_is_counted_once_has_one_window():
    bells, song = (
        [(40, 41, "a bell rings"), (60, 61, "a bell rings")],
        [(0, 10, "a man sings"), (10, 20, "a man sings")],
    )
    assert not plans(timeline(*song, *bells), "count")
    assert {plan.answer for plan in plans(timeline((0, 20, "a man sings"), *bells), "count")} == {1, 2}


def test_a_step_that_is_told_in_several_ways_is_not_counted():
    rolls = [(16 * i, 16 * i + 5, "roll out the dough into a thin circle") for i in range(4)]
    assert plans(timeline(*rolls, (80, 90, "add salt")), "count")
    other = (60, 65, "roll out the dough with a rolling pin")
    for form in ("count", "count_beside", "occurrence"):
        assert not plans(timeline(*rolls, other, (80, 90, "add salt")), form)


def test_what_may_only_go_on_after_a_pause_is_not_counted():
    """The question says that repeats which directly follow one another are one."""

    def wipes(gap, *others):
        return timeline(
            (0, 10, "wipe the screen"), (10 + gap, 20 + gap, "wipe the screen"), *others, (80, 90, "add salt")
        )

    assert not plans(wipes(6), "count") and not plans(wipes(6), "occurrence")
    assert plans(wipes(12), "occurrence")
    assert plans(wipes(6, (11, 15, "remove the film")), "occurrence")


def test_a_long_caption_before_many_short_ones_makes_a_time_unsure():
    seeds = (90, 96, "the person throws the seeds away")
    crowd = [(20 + i, 21 + i, f"a bird number {i} sings") for i in range(60)]
    for long, count in ((((10, 97, "a person removes the seeds and throws them away"),), 0), ((), 1)):
        asked = {plan.asked[0].text for plan in plans(timeline(*long, *crowd, seeds), "when", seeds=40)}
        assert ("The person throws the seeds away" in asked) == count


def test_a_step_that_another_verb_tells_as_well_is_not_counted():
    hands = [(20 * i, 20 * i + 5, "clean hands") for i in range(3)]
    assert plans(timeline(*hands, (80, 90, "add salt")), "occurrence")
    assert not plans(timeline(*hands, (70, 75, "wash hands"), (80, 90, "add salt")), "occurrence")


def test_no_time_is_asked_of_what_another_caption_gives_other_times():
    cut = (40, 45, "the beans are stacked and cut")
    for other, count in (((10, 45, "a man cuts the beans"), 0), ((39, 45, "a man cuts the beans"), 1),
                         ((10, 45, "a man sings to the beans"), 1)):  # fmt: skip
        asked = {plan.asked[0].text for plan in plans(timeline(cut, other, (60, 70, "a dog barks")), "when")}
        assert ("The beans are stacked and cut" in asked) == count


def test_no_time_is_asked_of_a_line_that_is_all_its_transcript():
    said = [(10.0 * n, 10.0 * n + 6, f"Now we talk about the number {n}.", "speech") for n in range(1, 4)]
    assert plans(timeline(*said), "said_when")
    assert not plans(timeline(*said[:2]), "said_when")


def test_no_time_is_asked_of_another_one():
    line = timeline(*EIGHT[:7], (70, 76, "another man reads a newspaper"))
    assert {plan.answer[0] for plan in plans(line, "when")} == {0, 10, 20, 30, 40, 50, 60}


def test_what_also_sums_up_others_is_no_option():
    """ "Prepare batter" goes on at each step of it, and again later."""
    line = timeline((0, 46, "someone makes a garden"), *EIGHT, (90, 96, "someone makes a garden"))
    found = [p for p in plans(line, "neighbour") if max(p.answer.start_s, p.asked[0].start_s) < 46]
    assert found and not [p for p in found if any(e.start_s == 90 for e in p.wrong)]


def test_the_time_of_an_event_with_pauses_is_not_asked_for():
    line = timeline((0, 10, "a man sings a song"), (12, 20, "a man sings a song"), (60, 70, "a dog barks"))
    assert {plan.asked[0].text for plan in plans(line, "when")} == {"A dog barks"}


def test_nothing_that_overlaps_is_put_in_order():
    line = timeline((0, 60, "people ride bicycles"), (30, 80, "a man falls"), (50, 90, "a woman waves"))
    assert line.steps == []
    assert not plans(line, "neighbour") and not plans(line, "order")
    slack = timeline((0, 10, "people ride bicycles"), (9, 20, "a man falls"), (21, 30, "a woman waves"))
    assert len(slack.steps) == 3
    assert all(precedes(a, b) for a, b in zip(slack.steps, slack.steps[1:], strict=False))


def test_what_sums_up_others_parts_none_of_them_and_is_neither_step_nor_option():
    whole = (0, 100, "a man shows tricks in a yard")
    alone, beside = timeline(*ROW), timeline(whole, *ROW)
    assert [e.text for e in beside.outlines] == ["A man shows tricks in a yard"]
    assert [e.text for e in beside.steps] == [e.text for e in alone.steps]
    for form in ("neighbour", "between", "order", "part"):
        found = plans(beside, form)
        assert found
        assert not any(e in beside.outlines for plan in found for e in plan.told)
        assert all(check(plan, beside.events).holds for plan in found)


def test_an_event_that_shares_its_time_with_another_is_put_in_order_with_those_apart():
    line = timeline(
        (0, 10, "a woman waves"), (3, 12, "a dog barks"), (30, 40, "a man falls"), (60, 70, "two birds sing")
    )
    found = plans(line, "order")
    assert {len(plan.evidence) for plan in found} == {3}
    assert {e.text for plan in found for e in plan.evidence} >= {"A woman waves", "A dog barks"}
    assert all(check(plan, line.events).holds for plan in found)


def test_two_events_sum_up_a_video_that_they_fill():
    assert plans(timeline((0, 50, "a woman waves"), (52, 95, "a man falls")), "summary")
    assert not plans(timeline((0, 20, "a woman waves"), (52, 70, "a man falls")), "summary")
    assert not plans(timeline((0, 60, "a woman waves"), (40, 100, "a man falls")), "summary"), "at once"


def test_what_goes_on_beside_the_others_makes_a_summary_of_the_main_events():
    row = [(0, 50, "a hand comes into view"), (50, 100, "an oar comes into view")]
    assert {plan.side for plan in plans(timeline(*row), "summary")} == {""}
    assert {plan.side for plan in plans(timeline(*row, (0, 100, "the boat enters the scene")), "summary")} == {MAIN}


def test_a_video_of_which_a_long_stretch_is_untold_is_not_described():
    clips = [(2, 20, "a woman waves"), (22, 40, "a man falls")]
    assert plans(timeline(*clips, (70, 90, "a dog barks")), "summary")
    assert not plans(timeline(*clips, (90, 98, "a dog barks")), "summary")


@pytest.mark.parametrize("form", ["part", "timed_part"])
def test_a_part_is_described_only_where_almost_all_of_it_is_told(form):
    """Holes of 5 s at most, a fifth of the part in all."""
    assert plans(timeline((0, 20, "a woman waves"), (24, 40, "a man falls")), form)
    assert not plans(timeline((0, 20, "a woman waves"), (26, 46, "a man falls")), form)
    assert not plans(timeline((0, 8, "a woman waves"), (12, 18, "a man falls")), form)
    held = [(0, 9, "a woman waves"), (12, 22, "a man falls"), (25, 35, "a dog barks"), (40, 50, "two birds sing")]
    assert {len(plan.told) // 2 for plan in plans(timeline(*held), form)} == {2, 3}, "11 s of 50 s are untold"
    [plan] = plans(timeline((0, 20, "a woman waves"), (24, 40, "a man falls")), form, seeds=1)
    assert "main" in realize(plan, random.Random(0)).question


def test_a_summary_that_leaves_something_out_is_of_the_main_events():
    told = [
        (16 * i, 16 * i + 12, f"a {what} moves") for i, what in enumerate(["dog", "cat", "cow", "fox", "hen", "pig"])
    ]
    [whole] = plans(timeline(*told, duration=95.0), "summary", seeds=1)
    [some] = plans(timeline(*told, caption_events=4), "summary", seeds=1)
    [late] = plans(timeline(*told[1:]), "summary", seeds=1)
    assert (whole.side, len(whole.evidence)) == ("", 6)
    assert (late.side, len(late.evidence)) == (MAIN, 5), "16 s before them are untold"
    assert (some.side, len(some.evidence)) == (MAIN, 4)
    questions = {realize(some, random.Random(seed)).question for seed in range(20)}
    assert len(questions) == 4 and all("main" in question for question in questions)


def test_of_many_events_a_description_tells_as_many_as_it_may():
    crowd = [(10 + 2 * i, 12 + 2 * i, f"a {name} passes by") for i, name in enumerate(WORDS[:10])]
    line = timeline((0, 10, "a woman waves"), *crowd, (30, 99, "a man falls"), caption_events=8)
    [plan] = plans(line, "summary", seeds=1)
    assert len(plan.answer) == 8


def test_a_description_takes_the_clearest_of_captions_of_one_event():
    line = timeline(
        (5, 30, "a person pours it"), (5, 30, "person pours water"), (30, 60, "a dog barks"), (60, 99, "a man falls")
    )
    [plan] = plans(line, "summary", seeds=1)
    assert [e.text for e in plan.answer] == ["A person pours water", "A dog barks", "A man falls"]


def test_another_one_is_no_description_of_a_video():
    for text, count in (("a man is throwing shoes", 1), ("another man is throwing shoes", 0)):
        assert len(plans(timeline((0, 100, text, "clip")), "summary", seeds=1)) == count


def test_long_events_are_asked_for_by_their_order_and_not_by_their_time():
    line = timeline((0, 20, "a woman waves"), (20, 80, "a man falls"), (80, 90, "a dog barks"))
    assert not any(plan.asked[0].text == "A man falls" for plan in plans(line, "when"))
    assert any("A man falls" in {e.text for e in plan.listed} for plan in plans(line, "order"))


def test_pronouns_and_repeated_events_are_not_asked_for():
    line = timeline(*EIGHT, (80, 84, "he waves"), (85, 88, "the dog digs another hole"))
    named = {plan.asked[0].text for plan in plans(line, "when")}
    assert "He waves" not in named
    assert "The dog digs a hole" not in named


def test_wrong_times_never_touch_the_right_one():
    for plan in plans(timeline(*EIGHT), "when"):
        assert all(end <= plan.answer[0] or start >= plan.answer[1] for start, end in plan.wrong)


def test_no_time_is_offered_at_which_something_like_the_asked_event_is_told():
    """A frame of one of them may be taken for the other, by its neighbour in time at the latest."""
    similar = (30, 36, "the rodents look up while a fruit flies")
    line = timeline(*EIGHT[:2], (20, 26, "the three rodents look at the sky"), similar, *EIGHT[4:])
    found = [plan for plan in plans(line, "when") if plan.wrong]
    for one, other in ((20, 30), (30, 20)):
        assert any(plan.answer[0] == one for plan in found)
        assert not [plan for plan in found if plan.answer[0] == one and any(s[0] == other for s in plan.wrong)]
    assert any(s[0] in (20, 30) for plan in found for s in plan.wrong), "beside other events it is"


def test_an_option_beside_the_neighbours_is_not_like_the_right_one():
    line = timeline(*EIGHT[:2], (20, 26, "a tall man paints a wall"), *EIGHT[3:], (90, 96, "a man paints a fence"))
    found = [p for p in plans(line, "neighbour") if p.answer.start_s == 20]
    assert found and not [p for p in found if any(e.start_s == 90 for e in p.wrong)]


def test_questions_about_times_survive_errors_of_the_annotation():
    """All of an event that is asked about "what happens at" is so far from its ends; wrong times are so far away."""
    row = [(7 * i, 7 * i + 6.5, f"a {name} passes by") for i, name in enumerate(WORDS)]
    short = (92, 96, "a bell rings")
    for error_s in (0.0, 2.0, 3.0):
        line = timeline(*row, short, time_error_s=error_s)
        windows = plans(line, "what_at", seeds=3)
        assert bool(windows) is (error_s < 3), "of an event of 6.5 s, half a second is left"
        for plan in windows:
            assert plan.answer.start_s <= plan.window[0] - error_s and plan.window[1] + error_s <= plan.answer.end_s
            assert error_s == 0 or "bell" not in plan.answer.text
        for plan in plans(line, "when", seeds=3):
            near = (plan.answer[0] - error_s, plan.answer[1] + error_s)
            assert all(end <= near[0] or start >= near[1] for start, end in plan.wrong)


def test_what_may_be_true_of_several_events_is_not_asked_for():
    told = [(80, 88, "the girl jumps in the street"), (90, 98, "the girl jumps and laughs loudly")]
    line = timeline(*EIGHT, *told, duration=120.0)
    general, other = (e for e in line.visual if e.text.startswith("The girl jumps"))
    assert not line.is_unique(general) and line.is_unique(other)
    for form in ("when", "order", "first_or_last", "neighbour", "between"):
        asked = {e for plan in plans(line, form) for e in (*plan.asked, *plan.listed)}
        assert asked and general not in asked
        assert (other in asked) == (form in ("when", "neighbour", "between")), "its part is told at another time"
    for plan in [*plans(line, "what_at"), *plans(line, "between")]:
        assert general not in plan.wrong, "it may be true at any time"
    for plan in plans(line, "neighbour"):
        assert general not in plan.wrong or plan.answer is not other


def test_short_parts_are_not_described():
    """Of a part of 7 s whose times may be wrong by 2 s, too much may be of what comes before it."""
    line = timeline((10, 13, "a girl jumps over a rope"), (13, 17, "a boy climbs a ladder"), (60, 69, "a bell rings"))
    assert not plans(line, "part")
    exact = timeline((10, 13, "a girl jumps over a rope"), (13, 17, "a boy climbs a ladder"), time_error_s=0)
    assert plans(exact, "part") and plans(exact, "timed_part")


def test_what_is_seen_while_a_line_is_spoken_is_sure():
    """The line of 20 s begins with its event: with times that may be wrong by 2 s, it may be spoken before that."""
    said = [(t, t + 2, f"Now we come to the part number {t}.", "speech") for t in (13, 20, 33, 43, 53, 63, 73)]
    line = timeline(*EIGHT, *said, num_options=3)
    found = plans(line, "while_said")
    assert found
    assert {plan.asked[0].start_s for plan in found} == {13, 33, 43, 53, 63, 73}


def adjoining(spans) -> int | None:
    """The span that lies nearest to two others."""
    gaps = [sum(sorted(max(a[0], b[0]) - min(a[1], b[1]) for b in spans if b is not a)[:2]) for a in spans]
    return gaps.index(min(gaps)) if gaps.count(min(gaps)) == 1 else None


def test_the_right_time_lies_no_closer_to_the_others_and_takes_each_place():
    many = [(9.5 * i + i % 3, 9.5 * i + 5 + i % 4, f"a {name} passes by") for i, name in enumerate(WORDS)]
    line, hits, places = timeline(*many, duration=200.0), Counter(), Counter()
    for plan in plans(line, "when", seeds=100):
        if plan.wrong:
            spans = sorted([plan.answer, *plan.wrong])
            hits[adjoining(spans) == spans.index(plan.answer)] += 1
            places[spans.index(plan.answer)] += 1
    assert places.total() > 200
    assert hits[True] / hits.total() <= 0.3
    assert max(places.values()) / places.total() <= 0.32


def test_a_first_or_last_time_is_asked_for_without_options():
    rings = [(20 * i, 20 * i + 5, "a bell rings") for i in range(1, 4)]
    others = [(20 * i + 8, 20 * i + 13, f"a {name} passes by") for i, name in enumerate(WORDS[:6])]
    found = plans(timeline(*rings, *others, duration=150.0), "occurrence", seeds=60)
    assert {plan.number for plan in found} == {1, 2, 3} and {plan.side for plan in found} == {"", "last"}
    assert not any(plan.wrong for plan in found)


def test_first_and_last_are_asked_of_events_that_follow_one_another():
    found = plans(timeline(*EIGHT), "first_or_last")
    assert {len(plan.listed) for plan in found} == {3}
    assert all(b.start_s - a.start_s == 10 for plan in found for a, b in pairwise(plan.listed))
    assert {plan.listed[0].start_s for plan in found} == {10, 20, 30, 40}, "neither of the ends"


def test_no_plans_of_nothing():
    for form in ("when", "neighbour", "order", "count", "summary", "scene_of", "part"):
        assert plans(timeline(), form) == []


def test_no_option_tells_what_is_done_to_something_that_another_event_names():
    line = timeline(*EIGHT[:3], (30, 36, "soak them in water"), *EIGHT[4:])
    told = [
        e.text for form in ("neighbour", "between", "order", "first_or_last") for p in plans(line, form) for e in p.told
    ]
    assert "The dog digs a hole" in told and "Soak them in water" not in told


def test_the_option_nearest_in_time_is_seldom_the_one_between_two_events():
    starts = [0, 20, 26, 60, 66, 71, 110, 118]  # some lie close together, as steps of a recipe do
    line = timeline(*((start, start + 5, text) for start, (_, _, text) in zip(starts, EIGHT, strict=True)))
    found = plans(line, "between", seeds=200)

    def away_s(event, plan):
        return min(abs(event.start_s - other.start_s) for other in plan.asked)

    nearest = [away_s(p.answer, p) < min(away_s(e, p) for e in p.wrong) for p in found]
    assert len(nearest) > 100
    assert 0.1 < sum(nearest) / len(nearest) < 0.3
