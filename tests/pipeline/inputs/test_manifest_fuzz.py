"""Whatever a manifest holds, its reader gives rows or raises ManifestError."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.manifest_rows import ManifestError
from schemas.tables.media import MANIFEST
from tests import fuzz
from tests.manifests import read_manifest

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["a.mp4", "s3://b/a b", "http://[", "file:///a", "\0", "\ud800", "[1]", "https://u:p@h/a?b#c"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.dictionaries(st.sampled_from([*MANIFEST.names, "path", "video"]) | st.text(max_size=3), VALUES, max_size=5)
LINES = st.lists(ROWS.map(lambda row: json.dumps(row).encode()), max_size=4).map(b"\n".join)
PIECES = '{¦}¦[¦]¦"uri"¦:¦,¦"a.mp4"¦uri,events¦uri,uri¦a.mp4,"[1]"¦"¦""¦;¦1e999¦NaN¦[[[[[['


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv"])
@fuzz.examples
def test_a_manifest_is_read_or_refused(tmp_path, suffix, examples):
    path = tmp_path / f"m.{suffix}"
    content = LINES | fuzz.soup(*PIECES.split("¦"))
    if suffix == "json":
        content |= st.lists(ROWS, max_size=3).map(lambda rows: json.dumps(rows).encode())

    @settings(max_examples=examples)
    @given(content)
    def check(data):
        path.write_bytes(data)
        try:
            assert read_manifest(path).schema.equals(MANIFEST_ROWS)
        except ManifestError as error:
            assert str(error)

    check()


def parquet(rows: list[dict]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def parquet_or_nothing(rows: list[dict]) -> bytes:
    try:
        return parquet(rows)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, AttributeError):
        return b""  # values of several types in one column


@st.composite
def damaged(draw) -> bytes:
    """A good manifest with some bytes changed: most of it is the footer, which Arrow trusts more than it should."""
    event = {"start_s": 1.0, "end_s": 2.0, "text": "a dog"}
    data = bytearray(parquet([{"uri": "a.mp4", "subtitles": ["a.vtt"], "events": [event]}, {"uri": "b.mp4"}]))
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@fuzz.examples
def test_a_manifest_in_parquet_is_read_or_refused(tmp_path, examples):
    path = tmp_path / "m.parquet"

    @settings(max_examples=examples)
    @given(damaged() | st.lists(ROWS, max_size=3).map(parquet_or_nothing))
    def check(data):
        path.write_bytes(data)
        try:
            assert read_manifest(path).schema.equals(MANIFEST_ROWS)
        except ManifestError as error:
            assert "m.parquet" in str(error)

    check()
