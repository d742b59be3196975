"""Readers of the four manifest formats: what pandas and spreadsheets write, and the limits of a row."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.inputs.manifest import BATCH_CHARACTERS, iterate_manifest
from pipeline.inputs.manifest_rows import CELL_BYTES, LINE_BYTES, ManifestError
from stages.download import DownloadConfig
from tests.manifests import read_manifest
from tests.pipeline.command_line import ROOT


def written(tmp_path: Path, name: str, data: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def parquet(table: pa.Table, **options) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def test_a_cell_of_200_000_characters_is_read(cases):
    rows = read_manifest(cases / "manifests/c2_hugecell.csv").to_pylist()
    assert len(rows[0]["conversations"]) > 199_000


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_as_spreadsheets_write_it(tmp_path, end):
    lines = ["\ufeffid,uri,licence", 'a,x.mp4,"two\nlines, ""quoted"""', "", "b,y.mp4,", ",,"]
    table = read_manifest(written(tmp_path, "m.csv", end.join(lines)))
    assert table["uri"].to_pylist() == ["x.mp4", "y.mp4"]
    assert table["licence"].to_pylist() == ['two\nlines, "quoted"', None]


@pytest.mark.parametrize("name", ["manifests/c3_pandas_index.csv", "manifests/p20_index.parquet"])
def test_the_index_of_pandas_is_no_column(cases, name):
    assert read_manifest(cases / name).num_rows > 1


def test_what_pandas_writes_is_read(tmp_path):
    frame = pandas.DataFrame({"id": ["a", "b", "c"], "uri": ["a.mp4", "b.mp4", "c.mp4"]})
    frame[frame.id != "b"].to_parquet(tmp_path / "filtered.parquet")
    frame.set_index("id").to_parquet(tmp_path / "by_id.parquet")
    frame.astype("category").to_parquet(tmp_path / "category.parquet")
    frame.to_csv(tmp_path / "first.csv")
    pandas.read_csv(tmp_path / "first.csv").to_csv(tmp_path / "m.csv", index=False)
    assert (tmp_path / "m.csv").read_text().startswith("Unnamed: 0,")
    for name in ("filtered.parquet", "by_id.parquet", "category.parquet", "first.csv", "m.csv"):
        ids = read_manifest(tmp_path / name)["id"].to_pylist()
        assert ids == (["a", "c"] if name == "filtered.parquet" else ["a", "b", "c"]), name


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.csv", "id,uri,uri\na,b,c\n", "m.csv: two columns have the name 'uri'"),
        ("m.csv", "uri,,\na,b,c\n", "two columns have the name ''"),
        ("m.csv", "uri,\na,b\n", "line 2: unknown column ''"),
        ("m.csv", "uri;id\na;b\n", "m.csv: its columns are separated by ';'; save it with commas"),
        ("m.csv", "sep=;\r\nuri;id\r\na;b\r\n", "m.csv: its columns are separated by ';'"),
        ("m.csv", "uri\tid\na\tb\n", r"m.csv: its columns are separated by '\\t'"),
        ("m.csv", 'uri\n"' + "x\n" * CELL_BYTES, "bad CSV: field larger than field limit .*quotation mark"),
        ("m.csv", b"uri\n\xff\xfe\n", "m.csv, line 2: not UTF-8 text at byte 0"),
        ("m.csv", "uri\na".encode("utf-16"), "m.csv, line 1: not UTF-8 text at byte 0"),
        ("m.jsonl", '{"uri": "' + "x" * LINE_BYTES, "m.jsonl, line 1: longer than 16,000,000 bytes"),
        ("m.jsonl", b'{"uri": "a"}\n{"uri": "\xe9"}', "m.jsonl, line 2: not UTF-8 text at byte 9"),
        ("m.jsonl", '{"uri": ' + "1" * 5000 + "}", "line 1: bad JSON: a number of more than 4,300 digits"),
        ("m.jsonl", '{"uri": ' + "[" * 975 + "]" * 975 + "}", "line 1: bad JSON: nested (too deeply|more than 64)"),
        ("m.jsonl", '{"uri": 1e999}', "line 1: uri = .*: must be text"),
        ("m.parquet", b"PAR1" + b"x" * 100, "m.parquet: cannot be read as Parquet"),
        ("m.parquet", b"", "m.parquet: cannot be read as Parquet"),
        (
            "m.parquet",
            parquet(pa.table([["a"], ["b"]], ["uri", "uri"])),
            "m.parquet: two columns have the name 'uri'",
        ),
        ("m.parquet", parquet(pa.table({"uri": ["a"], "a.b": [1]})), "row 1: unknown column 'a.b'"),
        ("m.parquet", parquet(pa.table({"uri": [b"a"]})), "row 1: uri = .*bytes.*: must be text"),
        ("m.parquet", parquet(pa.table({"uri": ["x" * (CELL_BYTES + 1)]})), "row 1: uri: a cell is larger than"),
        (
            "m.parquet",
            parquet(pa.table({"uri": ["a", "b"], "subtitles": [None, ["x" * 1000] * 1001]})),
            "row 2: subtitles: a cell is larger than 1,000,000 bytes",
        ),
        (
            "m.parquet",
            parquet(pa.table({"uri": ["a"], "subtitles": pa.array([[None] * 200_000], pa.list_(pa.string()))})),
            "row 1: subtitles: a cell is larger than",
        ),
        (
            "m.parquet",
            parquet(pa.table({"uri": pa.array([b"\xff"]).cast(pa.string(), safe=False)})),
            "m.parquet: cannot be read as Parquet",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_named(tmp_path, name, data, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(written(tmp_path, name, data))


def test_a_damaged_parquet_file_is_named(cases):
    with pytest.raises(ManifestError, match=r"p19_corrupt.parquet: cannot be read as Parquet: .*thrift"):
        read_manifest(cases / "manifests/p19_corrupt.parquet")


@pytest.mark.parametrize("folder_name", ["m.jsonl", "m.csv", "m.parquet"])
def test_a_folder_is_no_manifest(tmp_path, folder_name):
    (tmp_path / folder_name).mkdir()
    with pytest.raises((ManifestError, OSError), match=folder_name):
        read_manifest(tmp_path / folder_name)


def test_a_few_kilobytes_take_no_gigabytes(tmp_path):
    """A dictionary of one value of a megabyte, which 1,500 rows name: refused before a row has it."""
    bomb = pa.DictionaryArray.from_arrays(pa.array([0] * 1500, pa.int32()), pa.array(["x" * (1 << 20)]))
    table = pa.table({"uri": bomb, "id": [str(i) for i in range(1500)]})
    path = written(tmp_path, "m.parquet", parquet(table, compression="zstd"))
    assert path.stat().st_size < 10_000
    # The peaks of the process and of the sandbox that reads. Not `ru_maxrss`: Linux hands down the peak of the parent.
    code = """
import sys
from pathlib import Path
import psutil
from tests.manifests import read_manifest

try:
    read_manifest(sys.argv[1])
except ValueError as error:
    print(error)
me = psutil.Process()
for process in (me, *me.children(recursive=True)):
    print(Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2].split()[0])
"""
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    error, *kilobytes = done.stdout.splitlines()
    assert error.startswith("m.parquet, row 1: uri: a cell is larger than 1,000,000 bytes")
    assert len(kilobytes) == 3  # this process, and the sandbox's server and reader
    assert max(map(int, kilobytes)) < 250_000


def test_the_bomb_that_was_found_is_refused(cases):
    with pytest.raises(ManifestError, match="row 1: uri: a cell is larger than 1,000,000 bytes"):
        read_manifest(cases / "security/bomb.parquet")


def test_long_texts_come_in_small_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.inputs.manifest.BATCH_CHARACTERS", BATCH_CHARACTERS // 32)
    lines = (json.dumps({"uri": f"{i}.mp4", "licence": "x" * (900_000 // 32)}) + "\n" for i in range(30))
    tables = list(iterate_manifest(written(tmp_path, "m.jsonl", "".join(lines)), DownloadConfig()))
    assert sum(table.num_rows for table in tables) == 30
    assert max(table.num_rows for table in tables) < 25
