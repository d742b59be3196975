"""Events whose words the source has wrong: they stay steps and are told nowhere."""

from collections import Counter

import pytest

from stages.qa.config import WritingConfig
from stages.qa.faults import FAULTS, fault_of, fault_of_line
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, ROW, plans, rows, timeline

WRONG = {
    "misspelled": "a man stirs the buubles",
    "run_together": "add oil onions carrots and celery to the pot",
    "broken_sentence": "the monk is gets on the subway",
    "foreign_line": "Euh, là-bas, au chêne.",
    "run_on_line": "With your help it can be great example.com/stories",
    "keywords": "three clowns juggle. close-up of crowd feet",
}
_OF_LINES = ("foreign_line", "run_on_line")


def test_each_fault_is_found():
    found = {fault: fault_of(text.split(". ")[-1], is_alone=". " not in text) for fault, text in WRONG.items()}
    found |= {fault: fault_of_line(WRONG[fault]) for fault in _OF_LINES}
    assert found == {fault: fault for fault in FAULTS}


@pytest.mark.parametrize(
    ("text", "is_alone", "are_keywords"),
    [
        ("City traffic lights", True, True),
        ("Tourist couple enjoying tropical water gopro selfie", True, True),
        ("Cat climbing on tree", True, False),
        ("Cat climbing on tree", False, True),
        ("Peak hour", False, True),
        ("Boil water", True, False),
        ("Man holds camera", False, False),
    ],
)
def test_captions_of_keywords_are_told_from_fragments(text, is_alone, are_keywords):
    assert fault_of(text, is_caption=True, is_alone=is_alone) == ("keywords" if are_keywords else "")


def test_a_moment_told_in_very_many_words_is_left_untold():
    long = " and ".join(["a man talks to the camera", *["he shows it"] * 9])
    assert fault_of(long) == "run_together"
    assert fault_of(long, is_caption=True) == fault_of(long[:60]) == ""


def test_titles_need_not_be_sentences():
    assert fault_of("Oil onions and celery", is_title=True) == ""
    assert fault_of("Inattentional blindness", is_title=True) == ""


@pytest.mark.parametrize("fault", FAULTS)
def test_no_pair_tells_an_event_with_a_fault_and_it_is_counted(fault):
    kind = "speech" if fault in _OF_LINES else "event"
    events = rows(*EIGHT[:3], (30, 36, WRONG[fault], kind), *EIGHT[4:])
    counts: Counter[str] = Counter()
    pairs = [p for seed in range(8) for p in write_pairs(events, 90.0, WritingConfig(seed=seed), "v", counts=counts)]
    text = WRONG[fault].split(". ")[-1].lower()
    assert len(pairs) > 50
    assert not [p for p in pairs if text in " ".join((p["question"], p["answer"], *p["options"])).lower()]
    assert counts[fault] == 8


def test_an_event_with_a_fault_stays_a_step():
    line = timeline(*EIGHT[:3], (30, 36, WRONG["misspelled"]), *EIGHT[4:])
    before = next(e for e in line.visual if e.start_s == 20)
    assert line.step(before, 1).fault == "misspelled"
    assert not [p for p in plans(line, "neighbour") if {p.asked[0].start_s, p.answer.start_s} == {20.0, 40.0}]
    row = timeline(*ROW[:3], (30, 39, WRONG["misspelled"]), *ROW[4:])
    parts = plans(row, "part")
    assert parts and not [p for p in parts if p.window[0] < 36 and p.window[1] > 30]
    assert not plans(line, "summary"), "an event would be missing"


def test_words_of_another_language_have_no_fault():
    french = [(i * 10, i * 10 + 6, text) for i, text in enumerate(["le chat dort dans la cuisine", "un garçon court"])]
    line = timeline(*french, languages=())
    assert [e.fault for e in line.events] == ["", ""]
