"""Events as people write them."""

import json
import math

import pytest

from stages.annotations.event_lines import parse_event, parse_event_lines, parse_events
from stages.annotations.text import AnnotationError

GOOD = {"start_s": 1, "end_s": 2.5, "text": "the dog barks"}


def test_aliases_defaults_and_other_fields():
    assert parse_event({"start": 1, "end": 2.5, "caption": " the\n dog <b>barks</b>", "score": 3}) == {
        "start_s": 1.0,
        "end_s": 2.5,
        "kind": "event",
        "text": "the dog barks",
    }
    assert parse_event({**GOOD, "start_s": -3, "kind": "scene"})["start_s"] == -3.0


def test_null_under_another_name_hides_no_value():
    assert (
        parse_event({"start": None, **GOOD}) == parse_event({**GOOD, "caption": None, "end": None}) == parse_event(GOOD)
    )


def test_an_event_may_be_a_point_or_last_to_the_end():
    assert parse_event({**GOOD, "is_point": True})["is_point"] is True
    assert parse_event({**GOOD, "end_s": "end"})["end_s"] == math.inf


def test_entities_are_characters():
    assert parse_event({**GOOD, "text": "Tom &amp; Ann&nbsp;say &quot;hi&quot;"})["text"] == 'Tom & Ann say "hi"'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_s": None}, "start_s = None"),
        ({"start_s": "1"}, "start_s = '1'"),
        ({"end_s": float("nan")}, "end_s = nan"),
        ({"end_s": float("inf")}, "end_s = inf"),
        ({"end_s": True}, "end_s = True"),
        ({"end_s": 10**400}, "end_s = a number of more than 20 digits: must be a number of seconds"),
        ({"end_s": "secret"}, "end_s = a text: must be a number of seconds"),
        ({"end_s": ["secret"]}, "end_s = a list: must be a number of seconds"),
        ({"text": {"secret": 1}}, "text = an object"),
        ({"is_point": 1}, "is_point = 1: must be true or false"),
        ({"origin": "a.json"}, "origin = 'a.json': must be an object with some of file, row, format, licence"),
        ({"origin": {"row": "1"}}, "origin.row = '1': must be a number from 1 on"),
        ({"origin": {"row": 0}}, "origin.row = 0"),
        ({"origin": {"licence": ["secret"]}}, "origin.licence = a list: must be text"),
        ({"start_s": "end"}, "start_s = a text"),
        ({"end_s": 0.5}, "end_s = 0.5 lies before"),
        ({"kind": "song"}, "kind = 'song': use one of event, scene"),
        ({"text": " \n"}, "text = "),
        ({"text": 5}, "text = 5"),
        ({"caption": "twice"}, "given twice"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_field_is_named(change, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        parse_event({**GOOD, **change})
    assert "secret" not in str(caught.value)


def test_an_event_may_tell_where_it_comes_from_but_not_where_that_lies():
    def origin(**fields) -> dict:
        return parse_event({**GOOD, "origin": fields})["origin"]

    assert origin(file="a/b.json", row=3, format="coin", licence=None, x=1) == {
        "file": "a/b.json",
        "row": 3,
        "format": "coin",
    }
    for place in ("/home/me/b.json", "C:\\me\\b.json", "file:///me/b.json", "../../b.json", "~/b.json"):
        assert origin(file=place) == {"file": "b.json"}
    assert origin(licence="x\x1b[31m" + "y" * 1000)["licence"] == "x[31m" + "y" * 295
    [event], _ = parse_events(json.dumps([{**GOOD, "origin": {"file": "a.json", "row": 9}}]))
    assert event["origin"] == {"file": "a.json", "row": 9}


def test_lines_and_the_number_of_the_bad_one():
    text = json.dumps(GOOD)
    assert parse_event_lines(f"\ufeff{text}\r\n\n{text}\n".encode()) == (
        [{**parse_event(GOOD), "origin": {"row": row}} for row in (1, 3)],
        "",
    )
    for bad, message in (
        ('{"start_s": 1', "bad JSON at column 14"),
        ("secret", "bad JSON at column 1: Expecting value$"),
        ("[1]", "an event is an object"),
        ('"secret"', "an event is an object"),
        ('{"start_s": 1}', "end_s = None"),
        ("[" * 100_000, "bad JSON: nested too deeply"),
        ("[" * 975 + "]" * 975, "bad JSON: nested more than 64 deep|bad JSON: nested too deeply"),
        ('{"x": ' + "1" * 5000 + "}", "bad JSON: a number of more than 4,300 digits"),
        (json.dumps({**GOOD, "start_s": 10**400}), "start_s = a number of more than 20 digits"),
        (json.dumps({**GOOD, "text": "&#" + "1" * 5000 + ";"}), "a character reference"),
    ):
        with pytest.raises(AnnotationError, match=f"^line 3: ({message})") as caught:
            parse_event_lines(f"{text}\n\n{bad}\n".encode())
        assert "secret" not in str(caught.value) and len(str(caught.value)) < 200


def test_events_of_a_manifest():
    events, left_out = parse_events(json.dumps([GOOD, {**GOOD, "start_s": 2}]))
    assert (events[1]["start_s"], left_out) == (2.0, [])
    with pytest.raises(AnnotationError, match="^event 2: start_s = '0:12'"):
        parse_events(json.dumps([GOOD, {**GOOD, "start_s": "0:12"}]))
    with pytest.raises(AnnotationError, match="must be a list of events"):
        parse_events("{}")


def test_a_bad_row_of_a_clip_list_costs_itself():
    clip = {**GOOD, "kind": "clip"}
    bad = [{"start_s": "soon"}, {"end_s": None}, {"start_s": 9, "end_s": 8}, {"text": 7}, {"end": 3}]
    bad += [{"text": "&#" + "1" * 5000 + ";"}]
    events, left_out = parse_events(json.dumps([clip, *({**clip, **change} for change in bad), clip]))
    assert [event["origin"]["row"] for event in events] == [1, 8]
    assert [(each.reason, each.number) for each in left_out] == [
        ("no_time", 2), ("ends_before_start", 1), ("no_text", 2), ("other_form", 1),
    ]  # fmt: skip
    assert left_out[0].example.startswith("row 2: start_s = a text: must be a number of seconds")
    with pytest.raises(AnnotationError, match="^row 1: end_s = 8 lies before start_s = 9"):
        parse_events(json.dumps([{**clip, "start_s": 9, "end_s": 8}]))
    with pytest.raises(AnnotationError, match="^event 2: end_s = 8 lies before"):
        parse_events(json.dumps([clip, {**GOOD, "start_s": 9, "end_s": 8}]))


def test_a_file_of_several_videos_is_refused():
    lines = "\n".join(json.dumps({**GOOD, "video": name}) for name in ("a.mp4", "b.mp4"))
    with pytest.raises(AnnotationError, match="line 2: the file tells of several videos"):
        parse_event_lines(lines.encode())


def test_the_real_file(videos):
    events, flag = parse_event_lines((videos / "long/bbb_360p_moov_end.events.jsonl").read_bytes())
    assert len(events) == 74 and flag == ""
    assert {e["kind"] for e in events} == {"event", "scene"}
