"""Parsing in the sandbox: the same as outside of it, within limits, and nothing but events comes back."""

import json
from collections.abc import Iterator

import pytest

from stages.annotations import sandboxed
from stages.annotations.sandboxed import ParseLimits, parse
from stages.annotations.sources import read_subtitles
from stages.annotations.text import AnnotationError
from workers.sandbox.task import Message, read_all

LIMITS = ParseLimits(memory_mb=512, cpu_s=5.0)
OPTIONS = {"name": "film.ru.vtt", "encoding": "detect", "gap_s": 1.0, "max_chars": 240}
WEBVTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nЗдравствуйте, как дела?\n\n00:05.000 --> 00:06.000\nЯ не знаю.\n"


def answer(file: int, max_events: int, **options) -> Iterator[Message]:
    """What a process might send that has been taken over, or runs out of bounds."""
    request = json.loads(read_all(file))
    if "loop" in request:
        while True:
            pass
    if "fill" in request:
        b"x" * (4 << 30)
    for header in request["headers"]:
        yield header, request["payload"].encode()


TASKS = {"answer": answer}
HEADER = {"flags": [], "track": "speech", "language": "en", "left_out": []}
EVENT = {"start_s": 1.0, "end_s": 2.0, "kind": "speech", "text": "hello"}


@pytest.fixture
def ours(monkeypatch):
    monkeypatch.setattr(sandboxed, "TASKS", __name__)

    def ask(**request):
        return parse("answer", json.dumps(request).encode(), LIMITS, 10)

    return ask


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "utf-16"])
def test_a_file_gives_the_same_as_outside_the_sandbox(encoding):
    data = WEBVTT.encode(encoding)
    assert parse("subtitles", data, LIMITS, 10, **OPTIONS) == read_subtitles(data, **OPTIONS)
    assert len(parse("subtitles", data, LIMITS, 2, **OPTIONS).events) == 2


@pytest.mark.parametrize(
    ("task", "data", "message"),
    [
        ("events", b"[{}]", "^event 1: start_s = None"),
        ("events", b"{}", "^must be a list"),
        ("conversations", b"[" * 10_000, "^bad JSON: nested too deeply"),
        ("event_file", b"\0", "^holds binary data"),
        ("subtitles", WEBVTT.encode(), "^2 events, above annotate.max_events = 1"),
    ],
)
def test_what_is_wrong_is_told_as_outside(task, data, message):
    options = {"event_file": {"encoding": "detect"}, "subtitles": OPTIONS}.get(task, {})
    with pytest.raises(AnnotationError, match=message):
        parse(task, data, LIMITS, 1, **options)


@pytest.mark.parametrize(("what", "told"), [("loop", "more than 5 CPU seconds"), ("fill", "memory_mb")])
@pytest.mark.slow
def test_what_takes_too_much_is_given_up_and_the_setting_named(ours, what, told):
    with pytest.raises(AnnotationError, match=f"took too much: .*{told}.*annotate.limits"):
        ours(**{what: True})


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ([], "[]"),
        ([HEADER, HEADER], "[]"),
        ([{**HEADER, "flags": ["<b>"]}], "[]"),
        ([{**HEADER, "track": "../x"}], "[]"),
        ([{**HEADER, "language": "e" * 41}], "[]"),
        ([{**HEADER, "left_out": [["drop table", 1, ""]]}], "[]"),
        ([{**HEADER, "left_out": [["no_time", 0, ""]]}], "[]"),
        ([{}], "[]"),
        *(
            ([HEADER], payload)
            for payload in (
                "{",
                "[1]",
                json.dumps([{**EVENT, "kind": "song"}]),
                json.dumps([{**EVENT, "text": "\ud800"}]),
                json.dumps([{**EVENT, "start_s": float("inf")}]),
                json.dumps([{**EVENT, "start_s": "1"}]),
                json.dumps([{**EVENT, "start_s": None}]),
                json.dumps([{**EVENT, "start_s": 3}]),
                json.dumps([{**EVENT, "end_s": float("nan")}]),
                json.dumps([{**EVENT, "shard": "x"}]),
                json.dumps([{**EVENT, "origin": {"file": "x" * 301}}]),
                json.dumps([{**EVENT, "origin": {"path": "x"}}]),
            )
        ),
    ],
    ids=str,
)
def test_what_is_no_event_goes_no_further(ours, headers, payload):
    assert ours(headers=[HEADER], payload=json.dumps([EVENT])).events == [EVENT]
    last = {**EVENT, "end_s": float("inf"), "is_point": False}
    assert ours(headers=[HEADER], payload=json.dumps([last])).events == [last]
    with pytest.raises(AnnotationError, match="something else than events"):
        ours(headers=headers, payload=payload)
