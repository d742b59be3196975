"""Annotation files of every form: found, read, and never an error but a declared one."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.annotations.formats import records
from stages.annotations.formats.entry import Entry, Row, seconds
from stages.annotations.formats.read import FORMATS, FormatReader
from stages.annotations.text import AnnotationError
from tests.stages.annotations.formats.examples import CASES, lines


def read(data: bytes, name: str = "a.json", format_name: str = "") -> tuple[str, list[Entry]]:
    """The format and the entries, which do not tell here where they stand."""
    reader = FormatReader(name, format_name)
    entries = list(reader.entries(io.BytesIO(data)))
    assert reader.format is not None
    assert all(entry.record > 0 or entry.dropped.keys() & {"other_form", "bad_line"} for entry in entries)
    return reader.format.name, [entry._replace(record=0) for entry in entries]


@pytest.mark.parametrize(
    "text",
    [
        '{"v_A": {"timestamps": [[1, 2]], "sentences": ["x"]}, "v_B": {"timestamps": [[1, 2]], "sentences": ["x"]}}',
        '{"video": "A", "start": 1, "end": 2, "text": "x"}\n{"video": "B", "start": 1, "end": 2, "text": "x"}\n',
        "video_id,start,end,text\nA,1,2,x\nB,1,2,x\n",
    ],
)
def test_entries_tell_the_number_of_their_record(text):
    entries = list(
        FormatReader("a.csv" if text.startswith("video_id") else "a.json").entries(io.BytesIO(text.encode()))
    )
    assert [entry.record for entry in entries] == [1, 2]


@pytest.mark.parametrize("form", CASES)
def test_a_file_in_each_form(form):
    case = CASES[form]
    assert read(case.data, case.name, case.format)[1] == case.entries
    if case.is_prediction:
        with pytest.raises(AnnotationError, match=f"predictions of a model.*--annotation-format {case.format}"):
            read(case.data, case.name)
    else:
        assert read(case.data, case.name) == (case.format, case.entries)


def test_every_format_has_a_file():
    assert {case.format for case in CASES.values()} == set(FORMATS)


ONE_VIDEO = (
    "whisper",
    "youtube_json3",
    "chapters",
    "finevideo",
    "vript",
    "soccernet",
)  # a file per video is never that large
LARGE = [
    name
    for name, case in CASES.items()
    if not isinstance(case.content, str) and case.format not in ONE_VIDEO and name != "MovieNet"
]


@pytest.mark.parametrize("form", LARGE)
def test_large_json_is_read_piece_by_piece(form, monkeypatch):
    case = CASES[form]
    monkeypatch.setattr(records, "_WHOLE_BYTES", 0)
    assert read(case.data, case.name, case.format) == (case.format, case.entries)


def test_a_key_that_occurs_twice_is_counted():
    one, two = ({"v_A": {"timestamps": [[start, 9]], "sentences": ["x"]}} for start in (1, 2))
    data = json.dumps(one)[:-1] + "," + json.dumps(two)[1:]
    entries = read(data.encode())[1]
    assert entries == [Entry("v_A", [Row(2.0, 9.0, "x", ref="0")]), Entry("", dropped={"other_form": 1})]


@pytest.mark.parametrize("limit", [records._WHOLE_BYTES, 0])
def test_a_key_that_a_record_has_twice_is_counted_in_lines_and_large_files(limit, monkeypatch):
    monkeypatch.setattr(records, "_WHOLE_BYTES", limit)
    record = '{"video": "A", "start": 1, "end": 2, "text": "no", "text": "runs"}'
    entries = [Entry("A", [Row(1.0, 2.0, "runs", "clip")])] * 2 + [Entry("", dropped={"other_form": 2})]
    assert read(f"{record}\n{record}\n".encode(), "a.jsonl")[1] == entries
    assert read(f"[{record}, {record}]".encode())[1] == entries


def test_a_text_that_begins_like_a_binary_file_is_read():
    for name in ("bzh12", "BZH12"):
        entries = read(f"{name} 0.0 6.9##a man runs\n".encode(), "a.txt")[1]
        assert entries == [Entry(name, [Row(0.0, 6.9, "a man runs")])]
    with pytest.raises(AnnotationError, match="is a web page"):
        read(b" \n<HTML><body>secret", "a.json")


@pytest.mark.parametrize("extra", [3, True, None, ["a"], {"b": 1}])
def test_turns_may_have_more_fields(extra):
    turns = [{"from": "human", "value": "Who?", "weight": extra}, {"from": "gpt", "value": "He."}]
    assert read(json.dumps([{"video": "a.mp4", "conversations": turns}]).encode())[1] == [
        Entry("a.mp4", conversations=[turns])
    ]


def test_chapters_may_be_none():
    assert read(b'{"A": {"chapters": {}}, "B": {"chapters": {"0": "Intro"}}}')[1][0] == Entry("A")


def test_a_video_that_is_null_costs_itself_alone():
    video = {"timestamps": [[1, 9]], "sentences": ["x"]}
    entries = read(json.dumps({"v_A": video, "v_B": None, "v_C": video}).encode())[1]
    assert [entry.video for entry in entries] == ["v_A", "v_C", ""]
    assert entries[-1].dropped == {"other_form": 1}


@pytest.mark.parametrize("delimiter", [";", "|"])
def test_columns_may_be_parted_otherwise(delimiter):
    table = "video,start,end,text\na.mp4,1,2.5,he runs\n".replace(",", delimiter)
    assert read(table.encode(), "a.csv")[1] == [Entry("a.mp4", [Row(1.0, 2.5, "he runs", "clip")])]


def test_numbers_of_frames_are_no_captions_of_the_whole_video():
    row = {"video": "a.mp4", "start_frame": 30, "end_frame": 60, "text": "he runs"}
    assert read(lines(row).encode())[1] == [Entry("a.mp4", dropped={"no_time": 1})]
    assert read(lines({**row, "fps": 30}).encode())[1] == [Entry("a.mp4", [Row(1.0, 2.0, "he runs", "clip")])]


def test_large_lines_and_tables_are_streamed(monkeypatch):
    monkeypatch.setattr(records, "_WHOLE_BYTES", 0)
    for form in ("InternVid", "QVHighlights", "Panda-70M", "NExT-QA"):
        case = CASES[form]
        entries = read(case.data * (2 if case.name.endswith(".jsonl") else 1), case.name)[1]
        assert entries[: len(case.entries)] == case.entries
    with pytest.raises(AnnotationError, match="is no UTF-8"):
        read(CASES["InternVid"].data + b"\xff" * 10 + b"\n", "a.jsonl")


def test_parquet():
    rows = [{"video_id": "A", "start": 1.0, "end": 2.0, "caption": "runs"}]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    assert read(file.getvalue(), "a.parquet") == ("clip_list", [Entry("A", [Row(1.0, 2.0, "runs", "clip")])])
    with pytest.raises(AnnotationError, match="Parquet"):
        read(file.getvalue()[:-20], "a.parquet")


@pytest.mark.parametrize(("unit", "told_by"), [(1000, "words"), (1000, "utterances"), (1, "words")])
def test_times_of_assembly_are_milliseconds_where_the_duration_shows_it(unit, told_by):
    words = [
        {"text": text, "start": at * unit, "end": (at + 0.5) * unit}
        for text, at in (("Hi", 1), ("there.", 2), ("Bye.", 8))
    ]
    value = {"id": "5551722", "audio_duration": 9, "text": "Hi there. Bye.", "words": words, "utterances": None}
    expected = [Row(1.0, 8.5, "Hi there. Bye.", "speech")]
    if told_by == "utterances":
        lines = ("Hi there.", words[:2]), ("Bye.", words[2:])
        value["utterances"] = [
            {"speaker": "A", "text": text, "start": own[0]["start"], "end": own[-1]["end"], "words": own}
            for text, own in lines
        ]
        expected = [Row(1.0, 2.5, "Hi there.", "speech"), Row(8.0, 8.5, "Bye.", "speech")]
    assert read(json.dumps(value).encode()) == ("whisper", [Entry("", expected, 9.0)])


def test_rows_of_points_are_events():
    told, entries = read(
        b"video,time,caption\na.mp4,12.5,He falls.\na.mp4,0:20,He stands up.\nb.mp4,,He sits.\n", "a.csv"
    )
    falls, stands = Row(12.5, 12.5, "He falls.", is_point=True), Row(20.0, 20.0, "He stands up.", is_point=True)
    assert told == "timelines"
    assert entries == [Entry("a.mp4", [falls]), Entry("a.mp4", [stands]), Entry("", dropped={"other_form": 1})]


@pytest.mark.parametrize(
    ("text", "is_table"),
    [
        ("He runs | he falls\nShe waits | she sits\n", False),
        ("video|time|caption\na.mp4|12.5|He falls.\n", True),
        ("start;end;text\n1;2;He falls.\n", True),
        ("name|time|caption\na.mp4|12.5|He falls.\nb.mp4|12.5|He falls.\n", True),
    ],
)
def test_two_lines_of_text_are_no_table(text, is_table):
    [(_, value), *_] = records.read_records(io.BytesIO(text.encode()), "a.txt")
    assert isinstance(value, dict) == is_table


def test_what_is_of_another_form_is_counted():
    data = lines({"video": "A", "start": 1, "end": 2, "text": "runs"}, {"name": "x"}, {"video": "B", "duration": 3})
    assert read(data.encode(), "a.jsonl")[1][-1] == Entry("", dropped={"other_form": 2})


LINES = [f'{{"video": "{name}", "start": 1, "end": 2, "text": "runs"}}\n' for name in "ABCDEF"]


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(
    ("at", "bad"), [(0, '"B", "start": 1}\n'), (3, "{{{\n"), (6, LINES[0][:20]), (2, "[" * 9000 + "\n")]
)
def test_a_bad_line_is_left_out_and_counted(at, bad, is_large, monkeypatch):
    """The first line of a download that was continued, one that is none, and the last line of one that broke off."""
    if is_large:
        monkeypatch.setattr(records, "_WHOLE_BYTES", 10)
    told, entries = read("".join([*LINES[:at], bad, *LINES[at:]]).encode(), "a.jsonl")
    assert told == "clip_list"
    assert [entry.video for entry in entries] == [*"ABCDEF", ""]
    assert entries[-1] == Entry("", dropped={"bad_line": 1})


@pytest.mark.parametrize(
    ("data", "name", "format_name", "message"),
    [
        ("", "a.json", "", "is empty"),
        ("{}", "a.json", "", "has no known form: convert it to .* --annotation-format: activitynet, chapters"),
        ('{"a": 1', "a.json", "", "bad JSON at column"),
        ('{"a": 1}\n{"secret', "a.jsonl", "", "line 2: bad JSON at column"),
        ('{"a": 1}\n{"secret\n' * 9, "a.jsonl", "", "line 2: bad JSON at column"),
        ('{"a": 1}\n' + '{"secret\n{"secret\n' * 9, "a.jsonl", "", "bad JSON at line 2"),
        ("[" * 100_000, "a.json", "", "bad JSON: nested too deeply"),
        ("[" * 100 + "]" * 100, "a.json", "", "bad JSON: nested more than 64 deep"),
        ("9" * 5000, "a.json", "", "a number of more than 4,300 digits"),
        ("datasets:\n  - json_path: x\n", "a.yaml", "", "lists annotation files"),
        ('{"a": {"root": "x", "annotation": "secret"}}', "a.json", "", "lists annotation files"),
        ("[]", "a.json", "didemo", "is not of the format didemo"),
        ("[]", "a.json", "no such", "no format 'no such'; use one of activitynet"),
        ("{1}{2}a\n", "a.sub", "", "MicroDVD without a frame rate"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><transcript/>", "a.xml", "youtube_xml", "is not of the format"),
        ("<transcript><!ENTITY a 'b'></transcript>", "a.xml", "", "declares XML entities"),
        ("<transcript><text></transcript>", "a.xml", "", "bad XML at line 1, column"),
        ("\0\1\2" * 100, "a.bin", "", "binary"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:secret\n", "a.json", "", "git lfs pull"),
        ("<!DOCTYPE html><html>secret</html>", "a.json", "", "is a web page"),
        ("PK\x03\x04secret", "a.xlsx", "", "zip archive or an Excel file"),
        ("BZh91secret", "a.json.bz2", "", "is compressed"),
    ],
)
def test_a_bad_file_is_one_clear_error(data, name, format_name, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        read(data.encode(), name, format_name)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1:02:03.5", 3723.5), ("62:03", 3723.0), ("00:00:16,300", 16.3), ("17", 17.0), (" 1.5 ", 1.5), ("-2e1", -20.0),
        ("PT00H01M17S", 77.0), ("PT1.5S", 1.5), ("PT", None), ("P1D", None), ("1:2:3:4", None), ("None", None),
        ("nan", None), ("1e400", None), (10**400, None), (float("inf"), None), (float("nan"), None), (True, None),
        ([1], None), ("9" * 50, None),
    ],
)  # fmt: skip
def test_seconds(text, value):
    assert seconds(text) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def broken(value, draw):
    """The value with one of its parts replaced by any other."""
    if draw(st.integers(0, 3)) == 0 or not isinstance(value, dict | list) or not value:
        return draw(JSON)
    if isinstance(value, dict):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: broken(value[key], draw)}
    at = draw(st.integers(0, len(value) - 1))
    return [*value[:at], broken(value[at], draw), *value[at + 1 :]]


@given(st.data(), st.sampled_from(sorted(CASES)))
@settings(max_examples=300, deadline=None)
def test_broken_files_raise_nothing_but_annotation_errors(data, form):
    case, text = CASES[form], CASES[form].data.decode()
    if not isinstance(case.content, str):
        text = json.dumps(broken(case.content, data.draw))
    elif data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.text(max_size=9)) + text[at + data.draw(st.integers(0, 9)) :]
    for format_name in ("", case.format):
        try:
            entries = read(text.encode("utf-8", "surrogatepass"), case.name, format_name)[1]
        except AnnotationError:
            continue
        for entry in entries:
            assert all(row.start_s is None or abs(row.start_s) < 1e16 for row in entry.rows)
            json.dumps(entry, allow_nan=False).encode()


def test_a_long_segment_of_whisper_is_cut_at_a_pause():
    lines = [
        "so today we make a very simple bread and for that we take some flour and a pinch of salt from the shelf"
    ] * 3
    words, now = [], 0.0
    for line in lines:
        for word in line.split():
            words.append({"word": f" {word}", "start": now, "end": now + 0.25})
            now += 0.3
        now += 0.6
    segment = {"start": 0.0, "end": now, "text": " ".join(lines), "words": words}
    [entry] = read(json.dumps({"segments": [segment]}).encode(), "a.json")[1]
    assert [found.text for found in entry.rows] in ([lines[0], " ".join(lines[1:])], [" ".join(lines[1:]), lines[0]])
    assert entry.rows[0].start_s == 0.0
    # Without times of the words there is no pause to be seen.
    [entry] = read(json.dumps({"segments": [{**segment, "words": []}]}).encode(), "a.json")[1]
    assert [found.text for found in entry.rows] == [" ".join(lines)]
