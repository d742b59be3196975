"""Whole sets of pairs: complete, audited, balanced, the same wherever and whenever they are written."""

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._qa_worlds import real
from schemas.tables.qa import TASKS
from stages.qa.audit.words import answer_in_question
from stages.qa.config import WritingConfig
from stages.qa.plan import ORDERS
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, RINGS, SCENES, annotated, rows

ROOT = Path(__file__).resolve().parents[3]


def check(pairs, duration):
    """What holds of every set of pairs."""
    assert len({p["qa_id"] for p in pairs}) == len(pairs)
    for p in pairs:
        assert p["task"] in TASKS and p["provenance"].startswith(f"template:{p['task']}/")
        assert all(0 <= span["start_s"] < span["end_s"] <= duration for span in p["evidence"]) and p["evidence"]
        human, gpt = json.loads(p["conversations"])
        assert (human["from"], gpt["from"]) == ("human", "gpt")
        assert human["value"].startswith("<image>\n") and p["question"] in human["value"]
        assert p["solver_agrees"] and p["evidence_necessary"] and p["evidence_sufficient"]
        assert human["value"].count("<image>") == 1 and "<image>" not in p["question"]
        if p["options"]:
            assert p["options"][p["answer_index"]] == p["answer"]
            assert len(set(p["options"])) == len(p["options"])
            assert gpt["value"] == f"({'ABCDEFGH'[p['answer_index']]}) {p['answer']}"
            assert all(
                f"\n({letter}) {o}" in human["value"] for letter, o in zip("ABCDEFGH", p["options"], strict=False)
            )
        else:
            assert p["answer_index"] is None
            assert gpt["value"] == p["answer"]
    texts = [p for p in pairs if not p["answer"].isdigit() and p["form"] not in ORDERS]
    assert not any(answer_in_question(p["question"], p["answer"]) for p in texts)


@pytest.mark.parametrize("name", ["bbb", "agent327"])
def test_real_annotation_gives_pairs_that_hold(videos, name):
    events, duration = annotated(videos, name)
    for seed in range(5):
        pairs = write_pairs(events, duration, WritingConfig(seed=seed), name)
        check(pairs, duration)
        assert sum(p["answer"].isdigit() for p in pairs) <= 0.2 * len(pairs)
        chosen = [p["answer_index"] for p in pairs if p["options"]]
        assert len(chosen) < 12 or max(map(chosen.count, chosen)) <= 0.4 * len(chosen)
        if name == "agent327":  # it is known by what is said alone
            assert pairs and all("with_transcript" in p["flags"] for p in pairs)
    if name == "bbb":
        assert len({p["task"] for p in pairs}) >= 3  # it has three scenes, and nothing in it is told twice
        assert len(pairs) >= 30


@pytest.mark.parametrize("name", ["ActivityNet", "YouCook2"])
def test_real_captions_give_grammatical_pairs_that_hold(name):
    worlds = list(real(name))
    if not worlds:
        pytest.skip("the real annotation files are not here")
    for world in worlds[:60]:
        check(write_pairs(world.rows, world.duration_s, WritingConfig(), world.video_id), world.duration_s)


def test_a_pair_tells_what_it_is_made_of():
    """The rows of each file, wrong options and transcript included; models and their prompts."""
    caption = {"file": "a.json", "format": "coin", "licence": "CC BY-SA 4.0", "prompt": None}
    told = [{**row, "source": "events_file", "origin": {**caption, "row": n}} for n, row in enumerate(rows(*EIGHT), 1)]
    model = {"file": None, "row": None, "format": "caption", "licence": None, "prompt": "caption:12+merge_captions:34"}
    seen = {**rows((84, 90, "a girl paints the fence"))[0], "event_id": "m", "source": "m-7b", "origin": model}
    pairs = write_pairs([*told, seen], 100.0, WritingConfig(seed=3), "v")
    numbers = {row["text"]: n for n, row in enumerate(told, 1)}
    with_model = 0
    for pair in pairs:
        assert (pair["realizer"], pair["seed"]) == ("templates", 3)
        texts = " ".join((pair["question"], pair["answer"], *pair["options"])).lower()
        [of_file] = [a for a in pair["annotations"] if a["source"] == "events_file"]
        assert {**caption, "source": "events_file", "rows": of_file["rows"]} == of_file
        assert {n for text, n in numbers.items() if text in texts} <= set(of_file["rows"])
        is_of_model = "paints the fence" in texts
        with_model += is_of_model
        if is_of_model:
            assert pair["models"] == ["m-7b"] and pair["prompts"] == ["caption:12", "merge_captions:34"]
    assert 0 < with_model < len(pairs)
    assert any(pair["models"] == [] == pair["prompts"] for pair in pairs)


def test_conversations_pass_as_they_are():
    text = '[{"from":"human","value":"<image>\\nWhat is it?"},  {"from":"gpt","value":"A cat."}]'
    event = {"event_id": "c", "start_s": None, "end_s": None, "kind": "conversation", "text": text, "video_id": "v"}
    [pair] = write_pairs([event], 10.0, WritingConfig(), "v")
    assert (pair["task"], pair["provenance"]) == ("conversation", "conversation")
    assert (pair["question"], pair["answer"], pair["queries"]) == ("What is it?", "A cat.", ["What is it?"])
    assert pair["conversations"] == text


def test_options_of_a_conversation_give_no_answer_away():
    def kept(question):
        turns = [{"from": "human", "value": question}, {"from": "gpt", "value": "(B) A cat"}]
        row = {"event_id": "c", "start_s": None, "end_s": None, "kind": "conversation", "text": json.dumps(turns)}
        return len(write_pairs([{**row, "video_id": "v"}], 10.0, WritingConfig(), "v"))

    assert kept("<image>\nWhat is it?\n(A) A dog\n(B) A cat") == 1
    assert kept("<image>\nWhat is it? A. A dog B. A cat") == 1
    assert kept("<image>\nWhat is the (B) a cat?\n(A) A dog\n(B) A cat") == 0


def test_a_description_has_the_sentences_of_a_caption_together_and_no_caption_of_captions():
    told = [(0, 50, "a man makes tea"), *((10 * i, 10 * i + 9, text) for i, (_, _, text) in enumerate(EIGHT[:5]))]
    for p in write_pairs(rows(*told), 100.0, WritingConfig(), "v"):
        assert p["form"] != "summary" or "makes tea" not in p["answer"]
    [pair] = [
        p
        for p in write_pairs(rows((0, 100, "A dog runs. A cat sits. A bird sings.")), 100.0, WritingConfig(), "v")
        if p["form"] == "summary"
    ]
    assert pair["answer"] == "A dog runs. A cat sits. A bird sings."


def test_nothing_known_is_no_pair():
    assert write_pairs([], 100.0, WritingConfig(), "v") == []
    assert write_pairs(rows((200, 210, "too late")), 100.0, WritingConfig(), "v") == []


def test_tasks_and_their_number_are_as_configured():
    only = WritingConfig(tasks=("temporal_grounding",))
    assert {p["task"] for p in write_pairs(rows(*EIGHT), 100.0, only, "v")} == {"temporal_grounding"}
    world = rows(*EIGHT, *SCENES, *RINGS)
    assert len(write_pairs(world, 100.0, WritingConfig(max_pairs=7), "v")) == 7
    no_counting = write_pairs(world, 100.0, WritingConfig(max_counting_share=0.0), "v")
    assert "event_counting" not in {p["task"] for p in no_counting}
    assert "event_counting" in {p["task"] for p in write_pairs(world, 100.0, WritingConfig(), "v")}


def test_yield_follows_the_number_of_events():
    few = write_pairs(rows(*EIGHT[:4]), 100.0, WritingConfig(), "v")
    many = write_pairs(rows(*EIGHT, *SCENES), 100.0, WritingConfig(), "v")
    assert len(few) <= 12
    assert 30 <= len(many) <= 39


def test_no_pair_repeats_another_in_substance():
    pairs = write_pairs(rows(*EIGHT, *SCENES, *RINGS), 100.0, WritingConfig(max_pairs=400), "v")
    two = [
        frozenset(p["event_ids"])
        for p in pairs
        if p["task"] not in ("captioning", "event_counting") and len(p["event_ids"]) <= 2
    ]
    assert len(two) == len(set(two))
    assert len({p["question"] for p in pairs}) == len(pairs)


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_none_of_these_is_right_in_its_share_and_offered_as_often_as_says_nothing(share):
    offered, right, choices = 0, 0, 0
    for video in range(60):
        for p in write_pairs(rows(*EIGHT, *SCENES), 100.0, WritingConfig(none_share=share), f"v{video}"):
            choices += len(p["options"]) > 0
            offered += "None of these" in p["options"]
            right += p["answer"] == "None of these"
            assert ("none_of_these" in p["flags"]) == (p["answer"] == "None of these")
    assert offered / choices == pytest.approx(4 * share, rel=0.1)
    assert right / offered == pytest.approx(0.25, abs=0.05)


def test_what_is_left_out_is_counted():
    counts = Counter()
    write_pairs(
        rows(*EIGHT, (90, 95, "[Music]"), (300, 310, "a dog barks")), 100.0, WritingConfig(), "v", counts=counts
    )
    assert counts["no_event"] == 1
    assert counts["outside_video"] == 1
    assert counts["repeats"] > 0


def test_speech_is_asked_with_its_transcript_or_not_at_all():
    said = [(10 * i + 1, 10 * i + 4, f"Now comes line number {word}", "speech") for i, word in enumerate(
        ["apple", "river", "castle", "violin", "pepper", "rocket", "winter", "anchor"])]  # fmt: skip
    pairs = write_pairs(rows(*EIGHT, *said), 100.0, WritingConfig(), "v")
    spoken = [p for p in pairs if "with_transcript" in p["flags"]]
    assert spoken
    for p in spoken:
        human = json.loads(p["conversations"])[0]["value"]
        assert human.startswith("<image>\nTranscript:\n[")
        assert all(o.strip('"') in human.split("Transcript:")[1] for o in p["options"] if o.startswith('"'))
    silent = write_pairs(rows(*EIGHT, *said), 100.0, WritingConfig(speech="visual_only"), "v")
    assert not any("Now comes line" in p["conversations"] for p in silent)


def test_videos_with_speech_alone_have_pairs_as_their_length_allows():
    words = ["apple", "river", "castle", "violin", "pepper", "rocket", "winter", "anchor", "garden", "mirror"]
    said = [(9 * i + 1, 9 * i + 6, f"We talk about the {word} today.", "speech") for i, word in enumerate(words)]
    pairs = write_pairs(rows(*said), 100.0, WritingConfig(), "v")
    assert len(pairs) == 4  # two per minute
    check(pairs, 100.0)
    assert {p["form"] for p in pairs} <= {"said_when", "said_next", "said_order"}
    for p in pairs:
        prompt = json.loads(p["conversations"])[0]["value"].split(p["question"])[0]
        assert all(f"[{s['start_s']:.1f} to {s['end_s']:.1f} s]" in prompt for s in p["evidence"])
    assert len(write_pairs(rows(*said), 100.0, WritingConfig(speech_pairs_per_minute=6.0), "v")) == 10
    assert write_pairs(rows(*said), 100.0, WritingConfig(speech="visual_only"), "v") == []
    above = [(start, end, f"Karaoke of the {text[18:]}", kind) for start, end, text, kind in said[::2]]
    assert write_pairs(rows(*said, *above), 100.0, WritingConfig(), "v") == [], "two tracks over each other"
    numbers = [(start, end, f"{i} {text.lower()}", kind) for i, (start, end, text, kind) in enumerate(said)]
    assert write_pairs(rows(*numbers), 100.0, WritingConfig(), "v") == []
    captions = [(start, end, text.lower().rstrip("."), kind) for start, end, text, kind in said]
    assert write_pairs(rows(*captions), 100.0, WritingConfig(), "v") == []


def test_chapters_are_asked_with_the_transcript_or_not_at_all():
    told = [(start, end, f"Part {text}", "chapter") for start, end, text, _ in SCENES]
    counts = Counter()
    assert write_pairs(rows(*told), 100.0, WritingConfig(), "v", counts=counts) == []
    assert counts["needs_speech"] > 0
    said = [(5 * i, 5 * i + 4, f"and so on {i}", "speech") for i in range(20)]
    pairs = write_pairs(rows(*told, *said), 100.0, WritingConfig(), "v")
    assert pairs
    assert all("with_transcript" in p["flags"] and "scene" not in p["question"] for p in pairs)


def test_pairs_say_where_their_answer_lies_as_their_question_does():
    told = {
        "after": r"\bafter\b",
        "before": r"\bbefore\b|\bprecedes\b|\bbackwards\b",
        "between": r"\bbetween\b|\bbefore\b",
    }
    scenes = [
        (20 * i, 20 * i + 20, f"a {word} room", "scene") for i, word in enumerate(["red", "blue", "tall", "dark"])
    ]
    configs = [WritingConfig(pairs_per_event=9, seed=seed) for seed in range(4)]
    pairs = [p for config in configs for p in write_pairs(rows(*EIGHT, *scenes), 100.0, config, "v")]
    related = {p["form"]: p["relation"] for p in pairs if p["relation"]}
    assert related.keys() == {"neighbour", "between", "next_scene"}
    for p in pairs:
        if p["relation"]:
            question = re.sub(r'"[^"]*"', "", p["question"])
            assert re.search(told[p["relation"].removeprefix("soon_")], question.lower())
            named = 2 if p["relation"] == "between" else 1
            assert all(f'"{query}"' in p["question"] for query in p["queries"][:named])
            assert not any(f'"{query}"' in p["question"] for query in p["queries"][named:])


def test_none_of_these_is_never_offered_for_what_happens_somewhere_between_two_events():
    pairs = [
        p for seed in range(9) for p in write_pairs(rows(*EIGHT), 100.0, WritingConfig(none_share=0.2, seed=seed), "v")
    ]
    of_form = {form: [p for p in pairs if p["form"] == form] for form in ("between", "order")}
    assert any("None of these" in p["options"] for p in of_form["order"])
    assert of_form["between"]
    assert not any("None of these" in p["options"] for p in of_form["between"])


def test_what_comes_next_is_told_among_the_options_wherever_a_pause_may_hide_an_event():
    touching = [(10 * i, 10 * i + 10, text) for i, (_, _, text) in enumerate(EIGHT)]
    config = WritingConfig(pairs_per_event=9, none_share=0.2)
    for told, may_lack in ((EIGHT, False), (touching, True)):
        pairs = [p for video in "abcdef" for p in write_pairs(rows(*told), 100.0, config, video)]
        steps = [p for p in pairs if p["form"] == "neighbour" and p["options"]]
        among = [re.search(r"\b(?:[Oo]f|[Aa]mong|only) these\b", p["question"]) is not None for p in steps]
        assert among == ["None of these" not in p["options"] for p in steps]
        assert any(p["hops"] > 2 for p in steps) and all(among) != may_lack


def test_right_options_are_in_all_places_alike():
    pairs = write_pairs(rows(*EIGHT, *SCENES), 100.0, WritingConfig(max_pairs=200), "v")
    places = Counter(p["answer_index"] for p in pairs if len(p["options"]) == 4)
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) - min(places.values()) <= 1


def test_another_seed_or_video_is_another_choice():
    def questions(seed, video):
        return [p["question"] for p in write_pairs(rows(*EIGHT), 100.0, WritingConfig(seed=seed), video)]

    assert questions(0, "v") == questions(0, "v")
    assert questions(0, "v") != questions(1, "v") != questions(0, "w")


def test_the_order_of_the_events_makes_no_difference():
    events = rows(*EIGHT)
    assert write_pairs(events[::-1], 100.0, WritingConfig(), "v") == write_pairs(events, 100.0, WritingConfig(), "v")


def test_the_same_in_every_process():
    code = """
import hashlib, json
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from tests.stages.qa.worlds import EIGHT, rows
scenes = [(0, 40, "a sunny yard", "scene"), (40, 80, "a dark cellar", "scene"), (80, 99, "a wide road", "scene")]
pairs = write_pairs(rows(*EIGHT, *scenes, (85, 90, "Who is there at the door?", "speech")), 100.0, WritingConfig(), "v")
print(hashlib.sha256(json.dumps(pairs).encode()).hexdigest())
"""
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(seen) == 1
    assert len(seen.pop().strip()) == len(hashlib.sha256().hexdigest())


TEXTS = st.sampled_from(
    [text for _, _, text in EIGHT] + ["a sunny yard", "Opens Chrome.", "No!", "0:01", "the dog digs", "x"]
)
EVENTS = st.tuples(
    st.floats(0, 99), st.floats(0.01, 40), TEXTS, st.sampled_from(["event", "scene", "chapter", "caption", "speech"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=25), st.integers(0, 5), st.integers(2, 6))
def test_any_events_give_pairs_that_hold(events, seed, num_options):
    events = [(start, min(100.0, start + length), text, kind) for start, length, text, kind in events]
    config = WritingConfig(seed=seed, num_options=num_options, max_pairs=20)
    pairs = write_pairs(rows(*events), 100.0, config, "v")
    check(pairs, 100.0)
    assert all(len(p["options"]) <= max(num_options, 1) + 1 for p in pairs)


def test_nothing_is_left_out_silently():
    counts = Counter()
    said = [
        (5 * i, 5 * i + 4, f"and so we take the {word} out of it", "speech") for i, word in enumerate(("lid", "cup"))
    ]
    turns = json.dumps([{"from": "human", "value": "<image>\nWhat is this?"}, {"from": "gpt", "value": "It is a cup."}])
    chat = {"event_id": "c", "start_s": None, "end_s": None, "kind": "conversation", "text": turns, "video_id": "v"}
    pairs = write_pairs([*rows(*said), chat, {**chat, "event_id": "d"}], 100.0, WritingConfig(), "v", counts=counts)
    assert [(p["form"], p["language"]) for p in pairs] == [("conversation", "en")]
    assert +counts == {"no_sentences": 2, "repeats": 1}
