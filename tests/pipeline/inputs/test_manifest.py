"""Manifests as people write them: four formats, wrong rows that are named, paths that follow the file."""

import csv
import hashlib
import json
from datetime import date
from urllib.parse import parse_qs, urlsplit

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs.addresses import manifest_folder, resolve
from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.manifest_rows import ManifestError
from schemas.tables.media import MANIFEST
from stages.download import DownloadConfig
from tests.manifests import read_manifest
from tests.object_store import s3_corpus

EVENT = {"start_s": 1, "end_s": 2.5, "kind": "event", "text": "the dog barks"}


def written(tmp_path, *rows, name="m.jsonl"):
    path = tmp_path / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_paths_count_from_the_manifests_folder_and_addresses_stay(tmp_path):
    path = written(
        tmp_path,
        {"uri": "a/film.mp4", "subtitles": ["a/film.en.vtt"], "events_file": "../e.jsonl"},
        {"path": "/data/b.mp4"},
        {"video": "https://example.org/c.mp4", "id": "c"},
        {"uri": "file:///data/d%20e.mp4"},
    )
    rows = read_manifest(path).to_pylist()
    assert [r["uri"] for r in rows] == ["a/film.mp4", "/data/b.mp4", "https://example.org/c.mp4", "/data/d e.mp4"]
    assert (rows[0]["subtitles"], rows[0]["events_file"]) == (["a/film.en.vtt"], "../e.jsonl")
    assert located(path, rows[0]["uri"]) == f"{tmp_path}/a/film.mp4"
    assert located(path, rows[0]["events_file"]) == f"{tmp_path.parent}/e.jsonl"
    assert located(path, rows[1]["uri"]) == "/data/b.mp4"
    assert located(path, rows[2]["uri"]) == "https://example.org/c.mp4"


def located(manifest, path):
    return resolve(path, manifest_folder(manifest))


def test_an_absolute_path_names_a_video_by_what_tells_nothing_of_the_machine(tmp_path):
    rows = read_manifest(written(tmp_path, {"uri": f"{tmp_path}/v/a.mp4"}, {"uri": "/data/b.mp4"})).to_pylist()
    assert [row["id"] for row in rows] == ["v/a.mp4", "b.mp4"]
    assert rows[1]["video_id"] == hashlib.sha256(b"/data/b.mp4").hexdigest()[:16]


def test_stamps_tell_of_a_changed_file(tmp_path):
    row = {"uri": "a.mp4", "subtitles": ["a.vtt"], "events_file": "a.events.jsonl"}
    stamps = []
    for content in ("", "x"):
        (tmp_path / "a.vtt").write_text(content)
        stamps.append(read_manifest(written(tmp_path, row)).to_pylist()[0])
    assert [row["source_stamp"] for row in stamps] == ["a.mp4 absent", "a.mp4 absent"]
    assert [row["annotation_stamp"].split(":")[0] for row in stamps] == ["0", "1"]
    assert all(row["annotation_stamp"].endswith(" absent") for row in stamps)


def test_video_id_is_the_hash_of_the_id_which_is_the_uri_as_written(tmp_path):
    table = read_manifest(written(tmp_path, {"uri": "a.mp4"}, {"uri": "b.mp4", "id": "film b"}))
    assert table.schema.equals(MANIFEST_ROWS)
    assert table["id"].to_pylist() == ["a.mp4", "film b"]
    assert table["video_id"].to_pylist() == [hashlib.sha256(i.encode()).hexdigest()[:16] for i in ("a.mp4", "film b")]


def test_an_address_as_id_keeps_no_credentials_and_no_signature(tmp_path):
    table = read_manifest(written(tmp_path, {"uri": "https://me:secret@host.org/v.mp4?signature=abc#t"}))
    assert table["id"].to_pylist() == ["https://host.org/v.mp4"]
    assert "secret" in table["uri"][0].as_py()


def test_the_four_formats_say_the_same(tmp_path):
    row = {
        "id": "x",
        "uri": "/v/x.mp4",
        "licence": "CC0",
        "split": "train",
        "subtitles": ["/v/a.vtt", "/v/b.vtt"],
        "events": [EVENT],
        "conversations": '[{"from": "human", "value": "hm?"}]',
    }
    written(tmp_path, row)
    written(tmp_path, json.dumps([row]), name="m.json")
    events = json.dumps([EVENT])
    full = {**dict.fromkeys(MANIFEST.names), **row, "events": events}
    pq.write_table(pa.Table.from_pylist([full], MANIFEST), tmp_path / "m.parquet")
    with (tmp_path / "m.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, row)
        writer.writeheader()
        writer.writerow({**row, "subtitles": "/v/a.vtt; /v/b.vtt", "events": events})
    read = [read_manifest(tmp_path / f"m.{suffix}") for suffix in ("jsonl", "json", "csv", "parquet")]
    assert all(table.equals(read[0]) for table in read)
    assert read[0]["events"].to_pylist() == [events]


def test_events_may_be_a_column_of_structs(tmp_path):
    rows = [{"uri": "a.mp4", "events": [{**EVENT, "day": date(2020, 1, 2)}]}, {"uri": "b.mp4", "events": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "m.parquet")
    first, second = read_manifest(tmp_path / "m.parquet")["events"].to_pylist()
    assert json.loads(first) == [{**EVENT, "day": "2020-01-02"}] and second is None


def test_events_are_not_parsed_by_the_driver(tmp_path):
    bad = [{"start_s": "x", "text": "\ud800", "more": [[[]]]}]
    [row] = read_manifest(written(tmp_path, json.dumps({"uri": "a", "events": bad}))).to_pylist()
    assert json.loads(row["events"]) == bad


@pytest.fixture(scope="module")
def bucket():
    """Writes rows as a manifest in an object store, and gives its address."""
    with s3_corpus() as root, pytest.MonkeyPatch.context() as patch:
        parts = urlsplit(root)
        patch.setenv("AWS_ENDPOINT_URL", "http://" + parse_qs(parts.query)["endpoint_override"][0])

        def write(*rows, folder="a"):
            body = "".join(json.dumps(row) + "\n" for row in rows)
            boto3.client("s3").put_object(Bucket=parts.netloc, Key=f"{folder}/m.jsonl", Body=body)
            return f"s3://{parts.netloc}/{folder}/m.jsonl"

        yield write


def test_a_manifest_from_elsewhere_names_what_lies_beside_it(bucket):
    path = bucket({"uri": "v.mp4", "subtitles": ["v.vtt"]}, {"uri": "https://h.org/v.mp4"})
    rows = read_manifest(path).to_pylist()
    assert [located(path, row["uri"]) for row in rows] == ["s3://corpora/a/v.mp4", "https://h.org/v.mp4"]
    assert located(path, rows[0]["subtitles"][0]) == "s3://corpora/a/v.vtt"


def test_a_manifest_lies_where_a_listing_says(bucket):
    path = bucket({"uri": "100% ä.mp4"}, folder="Länge 100% #1")
    assert read_manifest(path)["uri"].to_pylist() == ["100% ä.mp4"]


@pytest.mark.parametrize(
    "uri",
    [" v.mp4", "v.mp4 ", "v\n.mp4", "fi\tle:///etc/passwd", " file:///etc/passwd", "../../v.mp4"],
)
def test_an_address_that_could_mean_two_things_is_refused(bucket, uri):
    with pytest.raises(ManifestError, match="m.jsonl, line 1: uri"):
        read_manifest(bucket({"uri": uri}))


@pytest.mark.parametrize(
    "row",
    [
        {"uri": "/etc/passwd"},
        {"uri": "file:///etc/passwd"},
        {"uri": "FILE:///etc/passwd"},
        {"uri": "file://localhost/etc/passwd"},
        {"uri": "v.mp4", "subtitles": ["a.vtt", "/etc/passwd"]},
        {"uri": "v.mp4", "events_file": "file:///etc/passwd"},
    ],
)
def test_a_manifest_from_elsewhere_names_no_file_of_this_machine_unless_it_may(bucket, row):
    path = bucket(row)
    with pytest.raises(ManifestError, match=r"m.jsonl, line 1: .*'/etc/passwd'.*download.allow_local_files"):
        read_manifest(path)
    assert "/etc/passwd" in str(read_manifest(path, DownloadConfig(allow_local_files=True)).to_pylist()[0])


def test_conversations_may_be_json_or_text_of_it(tmp_path):
    turns = [{"from": "human", "value": "né?"}]
    rows = read_manifest(written(tmp_path, {"uri": "a", "conversations": turns}, {"uri": "b", "conversations": "[1]"}))
    assert json.loads(rows["conversations"][0].as_py()) == turns
    assert rows["conversations"][1].as_py() == "[1]"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"uri": "a", "subtitle": "x"}, "line 2: unknown column 'subtitle'.*subtitles.*path, video"),
        ({"id": "a"}, "line 2: `uri` is missing"),
        ({"uri": "a", "path": "b"}, "line 2: 'path'.*given twice"),
        ({"uri": 7}, "line 2: uri = 7: must be text"),
        ({"uri": "a", "id": 12}, "line 2: id = 12: must be text"),
        ({"uri": "a", "sha256": "beef"}, "line 2: sha256 = 'beef': not 64 hex"),
        ({"uri": "a", "split": "../up"}, "line 2: split = '../up'"),
        ({"uri": "a", "subtitles": "a.vtt"}, "line 2: subtitles = 'a.vtt': must be a list"),
        ({"uri": "a", "subtitles": ["https://u:p@h.org/a.vtt"]}, "subtitles = 'https://h.org/a.vtt': must be a path"),
        ({"uri": "a", "events": {"start_s": 1}}, "line 2: events = .*must be a list"),
        ('{"uri": "a", "x": ' + "1" * 5000 + "}", "line 2: bad JSON: a number of more than 4,300 digits"),
        ('{"uri": "a", "conversations": [{"from": "human", "value": "\\ud800"}]}', "line 2: conversations"),
        ('{"uri": "a", "subtitles": ["\\udfff"]}', "line 2: subtitles"),
        ({"uri": "a\0b"}, "line 2: uri"),
        ('{"uri": "a', "m.jsonl, line 2: bad JSON at column .*"),
        ("[1]", "line 2: a row must be an object"),
        ('{"uri": "\\ud800"}', "line 2: uri"),
        ("[" * 100_000, "m.jsonl, line 2: bad JSON"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_row_is_named_with_the_remedy(tmp_path, row, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(written(tmp_path, {"uri": "good.mp4"}, row))


SECRET = "https://me:pw@h.org/v.mp4?token=SECRET#SECRET"


@pytest.mark.parametrize(
    "row",
    [
        {"uri": f"{SECRET}\0"},
        {"uri": [SECRET]},
        {"uri": {"href": SECRET}},
        {SECRET: "a"},
        *({"uri": "a", name: f"{SECRET}\0"} for name in ("id", "licence", "source", "events_file", "conversations")),
        {"uri": "a", "sha256": SECRET},
        {"uri": "a", "split": SECRET},
        {"uri": "a", "events": SECRET},
        {"uri": "a", "events": {"uri": SECRET}},
        {"uri": "a", "subtitles": SECRET},
        {"uri": "a", "subtitles": [SECRET, 7]},
        {"uri": "a", "subtitles": [SECRET]},
        {"uri": "a", "events_file": SECRET},
        {"uri": "a", "id": SECRET},
        {"uri": SECRET.replace("h.org", "[h")},
        {"uri": SECRET.replace("h.org", "h\u2100")},
        {"uri": "a", "subtitles": [SECRET.replace("h.org", "[h")]},
    ],
    ids=str,
)
def test_no_error_holds_an_address_secrets(tmp_path, row):
    with pytest.raises(ManifestError, match="line 2") as raised:
        read_manifest(written(tmp_path, {"uri": "b", "id": SECRET}, row))
    assert "SECRET" not in str(raised.value)
    assert "pw" not in str(raised.value)


def test_an_id_that_comes_twice_names_both_rows(tmp_path):
    with pytest.raises(ManifestError, match="line 4: id = 'x': also in m.jsonl, line 1"):
        read_manifest(written(tmp_path, {"uri": "x"}, "", {"uri": "y"}, {"uri": "z", "id": "x"}))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.txt", b"a.mp4", "ends in one of"),
        ("m.csv", b"uri,split\na.mp4\n", "line 2: the row has . cells, but the header has . columns"),
        ("m.csv", b"uri\na.mp4,b.mp4\n", "line 2: the row has . cells, but the header has . columns"),
        ("m.parquet", b"not parquet", "m.parquet: cannot be read as Parquet"),
        ("m.jsonl", b'{"uri": "\xff"}', "not UTF-8"),
        ("m.json", b'{"uri": "a"}', "a list of rows"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=message):
        read_manifest(tmp_path / name)


def test_a_missing_manifest_says_how_to_make_one(tmp_path):
    with pytest.raises(ManifestError, match="longvid manifest DIR"):
        read_manifest(tmp_path / "none.jsonl")


def test_a_byte_order_mark_and_more_rows_than_a_batch(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text("\ufeff" + "".join(f'{{"uri": "{i}.mp4"}}\n' for i in range(9000)), encoding="utf-8")
    table = read_manifest(path)
    assert table.num_rows == 9000
    assert table["id"][8999].as_py() == "8999.mp4"


@given(
    st.dictionaries(
        st.sampled_from([*MANIFEST.names, "path", "x"]), st.none() | st.text() | st.integers() | st.lists(st.text())
    )
)
def test_any_row_is_read_or_refused(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("m") / "m.jsonl"
    path.write_text(json.dumps(row))
    try:
        assert read_manifest(path).num_rows == 1
    except ManifestError as error:
        assert "line 1" in str(error)


def test_a_manifest_may_be_a_link(tmp_path):
    real = written(tmp_path, {"uri": "a.mp4"}, name="real.jsonl")
    (tmp_path / "beside").mkdir()
    link = tmp_path / "beside" / "m.jsonl"
    link.symlink_to(real)
    (row,) = read_manifest(link).to_pylist()
    assert located(link, row["uri"]) == f"{tmp_path}/beside/a.mp4"
