"""How many pairs of a kind a video has."""

from dataclasses import replace
from itertools import cycle, islice

import pytest

from stages.qa.plan import Plan
from stages.qa.quotas import Quotas
from tests.stages.qa.worlds import EIGHT, timeline

SAID = [(10 * i + 1, 10 * i + 4, f"Now comes line number {word}", "speech") for i, word in enumerate(
    ["apple", "river", "castle", "violin", "pepper", "rocket", "winter", "anchor"])]  # fmt: skip


def plan(line, task="event_identification", **changes):
    event = line.events[0]
    return replace(Plan(task, "when", event.span, (event,)), **changes)


def number_of(quotas, plans, *, strictly):
    """How many plans are taken until the first that may not be."""
    for taken, each in enumerate(islice(plans, 100)):
        if not quotas.allow(each, strictly=strictly):
            return taken
        quotas.add(each)
    raise AssertionError("all may be taken")


@pytest.mark.parametrize(
    ("said", "settings", "target"),
    [
        ([], {}, 24),
        ([], {"pairs_per_event": 0.5}, 4),
        ([], {"max_pairs": 10}, 10),
        (SAID, {}, 24 + 4),  # two per minute of 100 s
        (SAID, {"speech_pairs_per_minute": 60}, 24 + len(SAID)),
    ],
)
def test_a_video_has_pairs_as_its_events_and_its_speech_are_worth(said, settings, target):
    assert Quotas(timeline(*EIGHT, *said, **settings)).target == target


@pytest.mark.parametrize(
    ("task", "settings", "strictly", "most"),
    [
        ("event_identification", {}, True, 10),
        ("event_identification", {}, False, 14),
        ("event_counting", {}, False, 5),
        ("event_counting", {"max_counting_share": 0.5}, False, 12),
        ("event_counting", {"max_counting_share": 0.0}, False, 0),
    ],
)
def test_no_task_has_more_than_its_share(task, settings, strictly, most):
    line = timeline(*EIGHT, **settings)
    quotas = Quotas(line)
    assert number_of(quotas, cycle([plan(line, task)]), strictly=strictly) == most
    assert quotas.is_closed(task) == (not strictly)
    assert quotas.allow(plan(line, "captioning"), strictly=False)


def test_half_of_the_pairs_may_have_as_many_hops_as_long_as_there_are_others():
    line = timeline(*EIGHT)
    quotas = Quotas(line)
    tasks = cycle(["event_identification", "captioning", "event_order"])
    assert number_of(quotas, (plan(line, task) for task in tasks), strictly=True) == 12
    assert quotas.allow(plan(line), strictly=False)
    whole = replace(line.events[0], end_s=90.0)
    assert not quotas.allow(plan(line, hops=2), strictly=True), "its evidence is as short"
    assert not quotas.allow(plan(line, evidence=(whole,)), strictly=True), "it has as many hops"
    assert quotas.allow(plan(line, hops=2, evidence=(whole,)), strictly=True)


def test_speech_has_pairs_as_the_length_of_the_video_allows():
    line = timeline(*EIGHT, *SAID)
    said = tuple(line.speech[:1])
    quotas = Quotas(line)
    assert number_of(quotas, cycle([plan(line, asked=said, evidence=said)]), strictly=False) == 4
    assert quotas.allow(plan(line), strictly=False)


def test_pairs_that_ask_for_events_of_other_videos_have_their_share():
    absent = others = 0
    for seed in range(200):
        line = timeline(*EIGHT, absent_share=0.1, seed=seed)
        quotas = Quotas(replace(line, not_here=line.events))
        while not quotas.are_full:
            quotas.add(plan(line))
            others += 1
        absent += quotas.absent
    assert absent + others <= 200 * 24
    assert 0.09 < absent / (absent + others) < 0.11
