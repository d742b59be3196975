"""Events whose words the source has wrong: they stay steps and are told nowhere."""

from collections import Counter

import pytest

from stages.qa.config import WritingConfig
from stages.qa.faults import FAULTS, fault_of
from stages.qa.plan import MAIN
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, plans, rows, timeline

WRONG = {"misspelled": "a man stirs the buubles"}


def test_each_fault_is_found():
    assert {fault: fault_of(text) for fault, text in WRONG.items()} == {fault: fault for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_pair_tells_an_event_with_a_fault_and_it_is_counted(fault):
    events = rows(*EIGHT[:3], (30, 36, WRONG[fault]), *EIGHT[4:])
    counts: Counter[str] = Counter()
    pairs = [p for seed in range(8) for p in write_pairs(events, 90.0, WritingConfig(seed=seed), "v", counts=counts)]
    text = WRONG[fault].lower()
    assert len(pairs) > 50
    assert not [p for p in pairs if text in " ".join((p["question"], p["answer"], *p["options"])).lower()]
    assert counts[fault] == 8


def test_an_event_with_a_fault_stays_a_step():
    line = timeline(*EIGHT[:3], (30, 36, WRONG["misspelled"]), *EIGHT[4:])
    before = next(e for e in line.visual if e.start_s == 20)
    assert line.step(before, 1).fault == "misspelled"
    assert not [p for p in plans(line, "neighbour") if {p.asked[0].start_s, p.answer.start_s} == {20.0, 40.0}]
    assert not [p for p in plans(line, "part") if p.window[0] < 36 and p.window[1] > 30]
    assert {p.side for p in plans(line, "summary")} == {MAIN}, "a summary that leaves an event out says so"


def test_words_of_another_language_have_no_fault():
    french = [(i * 10, i * 10 + 6, text) for i, text in enumerate(["le chat dort dans la cuisine", "un garçon court"])]
    line = timeline(*french, languages=())
    assert [e.fault for e in line.events] == ["", ""]
