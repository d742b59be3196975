"""Events as people write them."""

import json

import pytest

from stages.annotations.event_lines import EventError, parse_event, parse_event_lines

GOOD = {"start_s": 1, "end_s": 2.5, "text": "the dog barks"}


def test_aliases_defaults_and_other_fields():
    assert parse_event({"start": 1, "end": 2.5, "caption": " the\n dog <b>barks</b>", "score": 3}) == {
        "start_s": 1.0,
        "end_s": 2.5,
        "kind": "event",
        "text": "the dog barks",
    }
    assert parse_event({**GOOD, "start_s": -3, "kind": "scene"})["start_s"] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_s": None}, "start_s = None"),
        ({"start_s": "1"}, "start_s = '1'"),
        ({"end_s": float("nan")}, "end_s = nan"),
        ({"end_s": float("inf")}, "end_s = inf"),
        ({"end_s": True}, "end_s = True"),
        ({"end_s": 0.5}, "end_s = 0.5 lies before"),
        ({"kind": "song"}, "kind = 'song': use one of event, scene"),
        ({"text": " \n"}, "text = "),
        ({"text": 5}, "text = 5"),
        ({"caption": "twice"}, "given twice"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(EventError, match=message):
        parse_event({**GOOD, **change})


def test_lines_and_the_number_of_the_bad_one():
    text = json.dumps(GOOD)
    assert len(parse_event_lines(f"\ufeff{text}\r\n\n{text}\n".encode())) == 2
    for bad in ('{"start_s": 1', "[1]", '"word"', '{"start_s": 1}', "[" * 100_000):
        with pytest.raises(EventError, match="^line 3: "):
            parse_event_lines(f"{text}\n\n{bad}\n".encode())


def test_a_file_of_several_videos_is_refused():
    lines = "\n".join(json.dumps({**GOOD, "video": name}) for name in ("a.mp4", "b.mp4"))
    with pytest.raises(EventError, match="line 2: the file tells of several videos"):
        parse_event_lines(lines.encode())


def test_the_real_file(videos):
    events = parse_event_lines((videos / "long/bbb_360p_moov_end.events.jsonl").read_bytes())
    assert len(events) == 74
    assert {e["kind"] for e in events} == {"event", "scene"}
