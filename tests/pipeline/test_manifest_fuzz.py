"""Whatever a manifest holds, its reader gives rows or raises ManifestError."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.manifest import MANIFEST_ROWS, ManifestError, read_manifest
from schemas.tables import MANIFEST
from tests import fuzz

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
