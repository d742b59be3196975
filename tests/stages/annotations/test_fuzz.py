"""Whatever others wrote, a reader gives what it declares or raises what it declares."""

import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.annotations.conversations import question_and_answer
from stages.annotations.sources import read_conversations, read_event_file, read_events, read_subtitles
from stages.annotations.text import AnnotationError, clean_text
from stages.qa.config import WritingConfig
from stages.qa.writing import write_pairs
from tests import fuzz

pytestmark = pytest.mark.slow

# Lines of cues are joined by a space after they are cleaned, so what spans two of them has one.
_TOKEN = re.compile(r"<image>|<\|\w*\|>|</?[a-z]+>|[\x00-\x1f]")
PIECES = (
    "WEBVTT¦Kind: metadata¦Kind: chapters¦Language: \xe9¦NOTE¦STYLE¦1¦-1¦00:00:01.000 --> 00:00:02.000¦"
    "00:00:01,5 --> 999:99:99,9¦-00:01.000 --> 00:02.000 align:start¦-->¦\u0661:00:00 --> 2:00:00¦"
    "<00:00:01.500>¦<c.colorE5>¦</c>¦<¦>¦[¦]¦(¦{¦}¦{\\p1}¦{\\an8}¦\\N¦\\h¦&¦&lt;¦&#60;¦&#xD800;¦"
    '&#99999999999;¦- ¦>> ¦...¦{"a": 1}¦a.jpg#xywh=1,2,3,4¦[Script Info]¦[Events]¦'
    "Dialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,¦Dialogue:¦Comment:¦,¦Style: a¦"
    '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>¦<p begin="1s" end="2s">¦'
    '<p begin="1e9h" dur="9.9f">¦<br/>¦<span>¦</span></p>¦</div></body></tt>¦<?xml version="1.0"?>¦'
    '<!ENTITY a "b">¦hello¦so we'
)
SUBTITLES = fuzz.soup(*PIECES.split("¦"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["human", "gpt", "system", "event", "end", "\ud800", "<image>", "&#12345678;", "a dog runs"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=3)
            | st.sampled_from(["start_s", "start", "end_s", "end", "kind", "text", "caption", "from", "value"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
KINDS = ["event", "scene", "chapter", "caption", "speech"]
EVENT = st.fixed_dictionaries(
    {"start_s": st.floats() | JSON, "end_s": st.floats() | st.just("end") | JSON, "text": st.text() | JSON},
    optional={
        "kind": st.sampled_from(["event", "scene", "chapter", "caption", "speech"]) | JSON,
        "is_point": JSON,
        "video": JSON,
    },
)
TURN = st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "system"]) | JSON, "value": st.text() | JSON})


def told(read, *arguments):
    """What a reader gives; None where it refuses, in a message that a reject may hold."""
    try:
        known = read(*arguments)
    except AnnotationError as error:
        assert 0 < len(str(error)) < 400 and str(error).isprintable()
        return None
    for event in known.events:
        json.dumps(event, ensure_ascii=False).encode()
        if event["kind"] != "conversation":
            assert math.isfinite(event["start_s"]) and event["start_s"] <= event["end_s"] and event["text"]
            assert not _TOKEN.search(event["text"])
    return known


@fuzz.examples
def test_subtitles(examples):
    @settings(max_examples=examples)
    @given(SUBTITLES, st.sampled_from(["a.vtt", "a.ru.srt", "a.chapters.vtt", "..vtt", ""]))
    def check(data, name):
        told(read_subtitles, data, name, "detect", 1.0, 240)

    check()


@fuzz.examples
def test_event_files(examples):
    line = EVENT.map(lambda event: json.dumps(event).encode())
    whole = st.lists(line | fuzz.soup("{", "}", '"start_s"', ":", ",", "1e999", "NaN", "[" * 2000), max_size=4)

    @settings(max_examples=examples)
    @given(whole.map(b"\n".join))
    def check(data):
        told(read_event_file, data, "detect")

    check()


@fuzz.examples
def test_inline_events(examples):
    @settings(max_examples=examples)
    @given(st.lists(EVENT | JSON, max_size=4) | JSON)
    def check(value):
        told(read_events, json.dumps(value).encode())

    check()


@fuzz.examples
def test_conversations(examples):
    @settings(max_examples=examples)
    @given(st.lists(TURN, max_size=5) | st.lists(st.lists(TURN, max_size=4), max_size=3) | JSON)
    def check(value):
        known = told(read_conversations, json.dumps(value).encode())
        for event in known.events if known else ():
            assert len(question_and_answer(event["text"])) == 2

    check()


@fuzz.examples
def test_questions_of_any_events(examples):
    words = st.sampled_from(
        [
            "\U0001f600",
            "a",
            "the",
            "dog",
            "dogs",
            "runs",
            "barks",
            "red",
            "-",
            "'s",
            "?",
            "#C C",
            "12",
            "0:09",
            "\u72ac\u304c",
            "and",
            "while",
            "(",
            "is",
            "then",
            "he",
            "left",
            "put",
            "ing",
        ]
    )
    text = (st.lists(words, min_size=1, max_size=7).map(" ".join) | st.text(max_size=30)).map(
        lambda text: clean_text(text.replace("&", ""))
    )
    span = st.tuples(st.floats(0, 60), st.floats(0, 60)).map(sorted)
    event = st.tuples(span, st.sampled_from(KINDS), text.filter(bool))

    @settings(max_examples=examples)
    @given(st.lists(event, max_size=12), st.floats(0.04, 70))
    def check(events, duration_s):
        rows = [
            {"video_id": "v", "event_id": f"{n}", "start_s": start, "end_s": min(max(end, start + 0.5), duration_s)}
            | {"kind": kind, "text": text, "source": "manifest", "is_point": end == start}
            for n, ((start, end), kind, text) in enumerate(events)
            if start < duration_s
        ]
        for pair in write_pairs(rows, duration_s, WritingConfig(), "v"):
            assert pair["question"] and pair["answer"]

    check()
