"""All sources of a video as events on its timeline."""

import json

import pytest

from schemas.config import ConfigError, parse
from schemas.rejects import Reject
from schemas.tables.text import ANNOTATION
from stages.annotate import READS, AnnotateConfig, annotate, stage
from workers.fetch.access import Access
from workers.storage.store import Store

CONVERSATION = '[{"from": "human",  "value": "<image>\\nWhat?"}, {"from": "gpt", "value": "A dog."}]'
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n"


def unit(**values):
    row = {
        **dict.fromkeys(READS.names),
        "video_id": "v",
        "sha256": "0" * 64,
        "duration_s": 60.0,
        "annotation_stamp": "",
    }
    return {**row, **values}


def known(tmp_path, config=None, **values):
    """The one row that the stage writes."""
    if isinstance(values.get("events"), list):
        values["events"] = json.dumps(values["events"])
    [table] = annotate(unit(**values), config or AnnotateConfig(), Store(tmp_path))
    assert table.schema.equals(ANNOTATION)
    [row] = table.to_pylist()
    assert row["video_id"] == "v"
    return row


def run(tmp_path, config=None, **values):
    return known(tmp_path, config, **values)["events"]


def file(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def event(start, end, text="the dog barks", kind="event"):
    return {"start_s": start, "end_s": end, "kind": kind, "text": text}


def test_a_bad_row_of_a_clip_list_and_a_bad_cue_cost_themselves(tmp_path):
    clips = [event(start, end, kind="clip") for start, end in ((1, 4), ("soon", 9), (9, 5), (5, 9))]
    srt = "1\n00:00:01,000 --> 00:00:02,000\nSit!\n\n2\n00:00:0x,000 --> 00:00:04,000\nlost\n"
    row = known(tmp_path, events=clips, subtitles=[file(tmp_path, "s.en.srt", srt)])
    assert sorted((e["start_s"], e["kind"]) for e in row["events"]) == [(1, "clip"), (1, "speech"), (5, "clip")]
    assert row["annotation_flags"] == ["rows_left_out"]
    assert {each["reason"]: each["count"] for each in row["rows_left_out"]} == {"no_time": 2, "ends_before_start": 1}
    assert row["rows_left_out"][0]["example"].startswith("row 2: start_s = a text")
    assert known(tmp_path, events=clips[:1])["rows_left_out"] == []


def test_every_source_in_the_order_of_time_conversations_last(tmp_path):
    rows = run(
        tmp_path,
        events=[event(30.0, 31.0)],
        events_file=file(tmp_path, "e.jsonl", json.dumps({"start": 5, "end": 6, "kind": "scene", "text": "a yard"})),
        subtitles=[file(tmp_path, "s.en.vtt", VTT.format(text="Sit!"))],
        conversations=CONVERSATION,
    )
    assert [(r["source"], r["kind"], r["start_s"]) for r in rows] == [
        ("subtitles", "speech", 1.0),
        ("events_file", "scene", 5.0),
        ("manifest", "event", 30.0),
        ("conversations", "conversation", None),
    ]
    assert rows[-1]["text"] == CONVERSATION
    assert len({r["event_id"] for r in rows}) == 4


def test_each_event_tells_where_it_comes_from(tmp_path):
    own = {"file": "train.json", "row": 7, "format": "coin", "licence": "CC BY-NC 4.0"}
    lines = [{**event(5, 6, "a yard"), "origin": own}, event(7, 8, "a field")]
    rows = run(
        tmp_path,
        events=[event(30.0, 31.0)],
        events_file=file(tmp_path, "e.jsonl", "\n".join(map(json.dumps, lines))),
        subtitles=[file(tmp_path, "s.en.vtt", VTT.format(text="Sit!"))],
        conversations=f"[{CONVERSATION}]",
        conversation_origins=json.dumps([{"file": "/data/q.json", "row": 2, "format": "questions"}]),
        annotation_licence="CC BY-SA 4.0",
    )
    found = {r["source"] + str(i): tuple(r["origin"].values()) for i, r in enumerate(rows)}
    assert found == {
        "subtitles0": ("s.en.vtt", None, "subtitles", "CC BY-SA 4.0", None),
        "events_file1": ("train.json", 7, "coin", "CC BY-NC 4.0", None),
        "events_file2": ("e.jsonl", 2, "events", "CC BY-SA 4.0", None),
        "manifest3": (None, 1, "events", "CC BY-SA 4.0", None),
        "conversations4": ("q.json", 2, "questions", "CC BY-SA 4.0", None),
    }


@pytest.mark.parametrize("text", ["[]", "{", '[{"row": 0}]'])
def test_origins_that_are_none_of_the_conversations_are_bad(tmp_path, text):
    with pytest.raises(Reject, match="bad_annotation: .*origin|bad_annotation: .*JSON"):
        run(tmp_path, conversations=CONVERSATION, conversation_origins=text)


def test_times_are_cut_to_the_video(tmp_path):
    spans = [(60.0, 61.0), (59.0, 70.0), (10.0, 10.0), (59.5, 59.5), (80.0, 90.0)]
    rows = run(tmp_path, events=[event(s, e, f"number {s}") for s, e in spans])
    assert [(r["start_s"], r["end_s"]) for r in rows] == [(10.0, 11.0), (59.0, 60.0), (59.5, 60.0)]


def test_what_lies_wholly_outside_the_video_is_left_out_and_counted(tmp_path):
    spans = [(-5.0, -1.0), (-5.0, 0.0), (-1.0, -1.0), (60.0, 61.0), (1e300, 1e300), (-5.0, 1.0), (0.0, 0.0)]
    row = known(tmp_path, events=[event(s, e, f"from {s} to {e}") for s, e in spans], conversations=CONVERSATION)
    assert [(r["start_s"], r["end_s"]) for r in row["events"]] == [(0.0, 1.0), (0.0, 1.0), (None, None)]
    assert (row["events_outside_video"], row["annotation_flags"]) == (5, ["events_outside_video"])
    later = file(tmp_path, "e.jsonl", json.dumps(event(300, 310)))
    row = known(tmp_path, events_file=later)
    assert (row["events"], row["events_outside_video"]) == ([], 1)


def test_milliseconds_are_converted_and_flagged(tmp_path):
    lines = [json.dumps(event(start, start + 1000, f"at {start}")) for start in (500, 10_000, 30_000)]
    row = known(tmp_path, events_file=file(tmp_path, "e.jsonl", "\n".join(lines)))
    assert [(e["start_s"], e["end_s"]) for e in row["events"]] == [(0.5, 1.5), (10.0, 11.0), (30.0, 31.0)]
    assert (row["events_outside_video"], row["annotation_flags"]) == (0, ["events_in_milliseconds"])


def test_points_in_time_and_events_to_the_end_of_the_video(tmp_path):
    told = [event(1, 1, "a point"), {**event(2, 2.5, "b"), "is_point": True}, event(3, 4, "c"), event(5, "end", "d")]
    row = known(tmp_path, events=told, conversations=CONVERSATION, duration_s=9.0)
    assert [(e["end_s"], e["is_point"]) for e in row["events"]] == [
        (2.0, True),
        (2.5, True),
        (4.0, False),
        (9.0, False),
        (None, None),
    ]
    subtitles = VTT.format(text="before").replace("00:01", "-00:01").replace("00:02", "-00:00")
    row = known(tmp_path, subtitles=[file(tmp_path, "s.vtt", subtitles)])
    assert (row["events"], row["events_outside_video"]) == ([], 1)


def test_how_a_file_was_read_is_told_by_flags(tmp_path):
    russian = VTT.format(text="Здравствуйте, как дела? Я не знаю, что мне делать.").encode("cp1251")
    row = known(tmp_path, subtitles=[file(tmp_path, "film.ru.srt", russian.replace(b"WEBVTT\n", b""))])
    assert row["events"][0]["text"].startswith("Здравствуйте")
    assert row["annotation_flags"] == ["encoding_detected"]
    nearly = json.dumps(event(1, 2, "größer und schöner"), ensure_ascii=False).encode().replace(b"und", b"\xff")
    row = known(tmp_path, events_file=file(tmp_path, "e.jsonl", nearly))
    assert (row["events"][0]["text"], row["annotation_flags"]) == ("größer \ufffd schöner", ["invalid_utf8"])
    row = known(tmp_path, AnnotateConfig(encoding="koi8-r"), subtitles=[str(tmp_path / "film.ru.srt")])
    assert row["annotation_flags"] == ["encoding_detected"] and "Здравствуйте" not in row["events"][0]["text"]
    with pytest.raises(Reject, match="bad_annotation: film.ru.srt: cannot be read as utf-8"):
        run(tmp_path, AnnotateConfig(encoding="utf-8"), subtitles=[str(tmp_path / "film.ru.srt")])


@pytest.mark.parametrize("name", ["no such codec", "hex", "zlib"])
def test_an_encoding_must_be_one_of_text(name):
    with pytest.raises(ConfigError, match="encoding = .*text encoding"):
        parse(AnnotateConfig, {"encoding": name})


def test_chapters_are_scenes_and_other_tracks_no_speech(tmp_path):
    chapters = file(tmp_path, "film.vtt", "WEBVTT\nKind: chapters\n" + VTT.format(text="the river and")[6:])
    named = file(tmp_path, "film.chapters.srt", VTT.format(text="the bridge")[8:].replace("00:0", "00:00:0"))
    speech = file(tmp_path, "film.de.vtt", VTT.format(text="Hallo"))
    sprites = file(tmp_path, "film.thumbs.vtt", VTT.format(text="s.jpg#xywh=0,0,160,90"))
    row = known(tmp_path, subtitles=[chapters, named, speech, sprites])
    assert [(r["kind"], r["text"]) for r in row["events"]] == [
        ("chapter", "the bridge"),
        ("chapter", "the river and"),
        ("speech", "Hallo"),
    ]
    assert row["annotation_flags"] == ["subtitles_not_text"]


def test_a_cue_without_words_is_no_event(tmp_path):
    assert run(tmp_path, subtitles=[file(tmp_path, "s.vtt", VTT.format(text="--"))]) == []


def test_more_events_than_the_limit_are_refused(tmp_path):
    events = [event(s, s + 1) for s in range(5)]
    assert len(run(tmp_path, AnnotateConfig(max_events=5), events=events)) == 5
    with pytest.raises(Reject, match="5 events, above annotate.max_events = 4"):
        run(tmp_path, AnnotateConfig(max_events=4), events=events)


def test_nothing_known_is_no_event_and_no_error(tmp_path):
    assert run(tmp_path) == []
    assert run(tmp_path, events=[], subtitles=[]) == []


def test_one_event_told_by_two_sources_is_one(tmp_path):
    rows = run(tmp_path, events=[event(1.0, 2.0)], events_file=file(tmp_path, "e.jsonl", json.dumps(event(1, 2))))
    assert [r["source"] for r in rows] == ["manifest"]


@pytest.mark.parametrize(
    ("names", "wanted", "used"),
    [
        (["f.de.vtt", "f.en.vtt", "f.fr.vtt"], ("en",), {"f.en"}),
        (["f.de.vtt", "f.en-GB.vtt"], ("en",), {"f.en-GB"}),
        (["f.de.vtt", "f.fr.vtt"], ("it", "fr"), {"f.fr"}),
        (["f.de.vtt", "f.vtt"], ("en",), {"f"}),
        (["f.de.vtt", "f.fr.vtt"], ("en",), {"f.de"}),
        (["f.en.vtt", "f.en.srt"], ("en",), {"f.en"}),
        (["f.en.vtt", "f.descriptions.vtt"], ("en",), {"f.en", "f.descriptions"}),
    ],
)
def test_one_language_of_several(tmp_path, names, wanted, used):
    paths = [file(tmp_path, name, VTT.format(text=f"text of {name.rsplit('.', 1)[0]}")) for name in names]
    rows = run(tmp_path, AnnotateConfig(subtitle_languages=wanted), subtitles=paths)
    assert {row["text"].removeprefix("text of ") for row in rows} == used


def test_what_is_described_or_has_no_letters_is_to_be_seen(tmp_path):
    described = file(tmp_path, "a.descriptions.vtt", VTT.format(text="A dog runs."))
    clock = file(tmp_path, "b.vtt", VTT.format(text="0:09:59"))
    assert [r["kind"] for r in run(tmp_path, subtitles=[described, clock])] == ["caption", "caption"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"events_file": "{tmp}/none.jsonl"}, "none.jsonl: no such file"),
        ({"events_file": "{tmp}/bad.jsonl"}, "bad.jsonl: line 2: bad JSON"),
        ({"events_file": "{tmp}/deep.jsonl"}, "deep.jsonl: line 1: bad JSON"),
        ({"events_file": "{tmp}/digits.jsonl"}, "digits.jsonl: line 1: start_s = a number of more than 20 digits"),
        ({"subtitles": ["{tmp}/bad.jsonl"]}, "bad.jsonl: no cue in its 3 lines"),
        ({"subtitles": ["{tmp}/binary.vtt"]}, "binary.vtt: holds binary data"),
        ({"events_file": "{tmp}/large.jsonl"}, "has 5001 bytes, above 5000"),
        ({"conversations": "[]]"}, "conversations of the manifest: bad JSON at column 3: Extra data"),
        ({"events": [event(2.0, 1.0)]}, "events of the manifest: event 1: end_s = 1 lies before"),
        ({"events": "[" * 5000 + "]" * 5000}, "events of the manifest: bad JSON: nested "),  # Python 3.13 parses it
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_rejected_with_file_and_line(tmp_path, values, message):
    file(tmp_path, "bad.jsonl", json.dumps(event(1, 2)) + "\n{\n")
    file(tmp_path, "large.jsonl", " " * 5001)
    file(tmp_path, "deep.jsonl", "[" * 975 + "]" * 975)
    file(tmp_path, "digits.jsonl", json.dumps(event(10**399, 10**400)))
    file(tmp_path, "binary.vtt", b"\0\1")

    told = json.loads(json.dumps(values).replace("{tmp}", str(tmp_path)))
    with pytest.raises(Reject, match=f"bad_annotation.*{message}") as caught:
        run(tmp_path, AnnotateConfig(max_file_bytes=5000), **told)
    assert str(tmp_path) not in caught.value.detail and len(caught.value.detail) <= 500


def test_a_file_that_is_no_annotation_is_not_quoted(tmp_path):
    file(tmp_path, "passwd", "root:x:0:0:secret:/root:/bin/sh\n" * 3)
    for values in ({"subtitles": [str(tmp_path / "passwd")]}, {"events_file": str(tmp_path / "passwd")}):
        with pytest.raises(Reject, match="passwd: ") as caught:
            run(tmp_path, **values)
        assert not {"root", "secret", "bin"} & set(caught.value.detail.replace(":", " ").split())


def test_messages_of_many_files_are_cut(tmp_path):
    paths = [file(tmp_path, f"{n}{'a' * 200}.vtt", "no cue") for n in range(3)]
    with pytest.raises(Reject) as caught:
        run(tmp_path, AnnotateConfig(on_bad="skip"), subtitles=paths)
    assert caught.value.detail.startswith("0" + "a" * 59 + "...") and len(caught.value.detail) <= 500


def test_skip_uses_what_else_there_is_and_still_rejects_when_that_is_nothing(tmp_path):
    bad, good = file(tmp_path, "bad.vtt", "no cue"), file(tmp_path, "good.vtt", VTT.format(text="Hello there"))
    skip = AnnotateConfig(on_bad="skip")
    assert [r["text"] for r in run(tmp_path, skip, subtitles=[bad, good])] == ["Hello there"]
    assert len(run(tmp_path, skip, subtitles=[bad], events=[event(1.0, 2.0)])) == 1
    with pytest.raises(Reject, match="bad.vtt"):
        run(tmp_path, skip, subtitles=[bad])


def test_a_unit_depends_on_the_stamp_and_not_on_where_files_lie():
    declared = stage(AnnotateConfig())
    path = declared.unit_path(unit(subtitles=["/a/x.vtt"], annotation_stamp="1:2"))
    assert declared.unit_path(unit(subtitles=["/b/x.vtt"], annotation_stamp="1:2")) == path
    assert declared.unit_path(unit(subtitles=["/a/x.vtt"], annotation_stamp="1:3")) != path
    assert stage(AnnotateConfig(sentence_gap_s=2.0)).unit_path(unit(annotation_stamp="1:2")) != path


def test_the_real_files(tmp_path, videos):
    paths = [str(videos / f"long/agent327_360p.{language}.vtt") for language in ("de", "en")]
    rows = run(tmp_path, subtitles=paths, duration_s=231.0)
    assert rows[-1]["text"] == "We have to make room for Agent 327!"
    assert (rows[-1]["start_s"], rows[-1]["end_s"]) == (179.84, 185.319)
    assert len(rows) == 14
    rows = run(tmp_path, events_file=str(videos / "long/bbb_360p_moov_end.events.jsonl"), duration_s=596.458)
    assert len(rows) == 74


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("a\0b.vtt", "control characters"),
        (" /a.vtt", "begin or end with a blank"),
        ("fi\tle:///etc/passwd", "control characters"),
        ("s3://id:key@b/a.vtt", "takes no credentials"),
        ("s3://b/a.vtt?endpoint_override=127.0.0.1:9&token=key", "takes no options"),
        ("x" * 5000, "file name too long"),
    ],
)
@pytest.mark.parametrize("column", ["subtitles", "events_file"])
def test_an_address_that_may_not_be_opened_costs_its_own_video(tmp_path, column, address, message):
    with pytest.raises(Reject, match=f"bad_annotation.*{message}") as rejected:
        run(tmp_path, **{column: [address] if column == "subtitles" else address})
    assert "key" not in rejected.value.detail
    assert len(rejected.value.detail) < 300


def test_annotations_stay_below_the_root_of_local_files(tmp_path):
    (tmp_path / "root").mkdir()
    file(tmp_path, "out.vtt", VTT.format(text="Sit!"))
    (tmp_path / "root" / "link.vtt").symlink_to("../out.vtt")
    access = Access(root=str(tmp_path / "root"))
    for path in ("link.vtt", "../out.vtt"):
        with pytest.raises(Reject, match="bad_annotation.*outside download.root"):
            list(annotate(unit(subtitles=[f"{tmp_path}/root/{path}"]), AnnotateConfig(), Store(tmp_path), access))
