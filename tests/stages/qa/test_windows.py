"""Rows of a clip list as samples of their own."""

import json
import re
from collections import Counter

import pytest

from stages.qa.config import WritingConfig
from stages.qa.windows import write_window_pairs
from tests.stages.qa.worlds import rows

CLIPS = [
    (0, 6, "A dog digs a hole", "clip"),
    (6, 13, "Two men load a truck", "clip"),
    (20, 31, "A woman paints a wall", "clip"),
    (31, 40, "A child eats an apple", "clip"),
    (60, 66, "A dog digs a hole", "clip"),
]
WINDOWS = [(start, end) for start, end, *_ in CLIPS]


def written(*events, windows=WINDOWS, counts=None, seed=0):
    config = WritingConfig(clips="windows", seed=seed)
    return write_window_pairs(rows(*events), 600.0, windows, config, "v", counts=counts)


def span(row):
    return row["start_s"], row["end_s"]


def test_each_window_is_described_by_its_own_caption():
    told = {span(p["sample_window"]): p["answer"] for p in written(*CLIPS) if p["form"] == "summary"}
    assert told == {(start, end): f"{text}." for start, end, text, _ in CLIPS}


def test_keyframes_and_evidence_lie_in_the_window():
    pairs = written(*CLIPS)
    assert {p["video_id"] for p in pairs} == {"v"}
    assert len({p["qa_id"] for p in pairs}) == len(pairs)
    for pair in pairs:
        own = span(pair["sample_window"])
        assert span(pair["window"]) == own
        assert all(own[0] <= start < end <= own[1] for start, end in map(span, pair["evidence"]))


def test_other_windows_of_the_video_are_the_wrong_options():
    asked = [p for seed in range(40) for p in written(*CLIPS, seed=seed) if p["form"] == "in_window"]
    offered = Counter(option for p in asked for option in p["options"])
    assert offered.keys() - {"None of these"} == {text for _, _, text, _ in CLIPS}
    for pair in asked:
        [own] = [text for start, end, text, _ in CLIPS if (start, end) == span(pair["sample_window"])]
        is_none = "none_of_these" in pair["flags"]
        assert pair["answer"] == ("None of these" if is_none else own)
    # The dog digs in two of five windows: there the other one is no wrong option.
    assert all(p["options"].count("A dog digs a hole") <= 1 for p in asked)


def test_times_in_the_words_count_from_the_start_of_the_window():
    inside = [(102, 105, "A man opens a door"), (106, 110, "A cat jumps on a chair"), (111, 118, "A girl sings a song")]
    house = (100, 120, "Things happen in a house", "clip")
    pairs = [p for seed in range(10) for p in written(house, *inside, windows=[(100, 120)], seed=seed)]
    asked = [p for p in pairs if p["form"] == "when" and "opens a door" in p["question"]]
    assert {p["answer"] for p in asked} - {"None of these"} == {"At about 4 s"}
    assert all([span(e) for e in p["evidence"]] == [(102, 105)] for p in asked)
    assert not [p for p in pairs if re.search(r"\b1\d\d", p["question"])]


def test_speech_carries_the_transcript_of_its_window_alone():
    said = [(t, t + 4, f"{text} before we go on with it.", "speech") for t, text in enumerate_lines()]
    pairs = written((20, 60, "", "clip"), *said, windows=[(20, 60)])
    prompts = [json.loads(p["conversations"])[0]["value"] for p in pairs]
    assert prompts
    assert all("[0.0 to 4.0 s] We wash the carrots" in text and "the onions" not in text for text in prompts)


def enumerate_lines():
    texts = [
        "We peel the onions",
        "We wash the carrots",
        "Now heat some oil",
        "I cut the bread",
        "My sister brings salt",
    ]
    return zip((10, 20, 26, 32, 38), texts, strict=True)


def test_what_lies_in_no_window_is_counted():
    counts = Counter()
    written(*CLIPS, (0, 600, "A film about many things", "caption"), (200, 210, "A car stops"), counts=counts)
    assert counts["outside_window"] == 2


@pytest.mark.parametrize("windows", [[(500.0, 500.0)], [(590.0, 900.0)]])
def test_windows_without_events_have_no_pairs(windows):
    assert written(*CLIPS, windows=windows) == []
