"""What a build may replace, and corpora of other formats."""

import pyarrow as pa
import pytest

from pipeline.build import build
from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.manifest_rows import ManifestError
from pipeline.inputs.recipe import recorded_recipe
from pipeline.tables.corpus_file import OtherFormat, RemovalRefused, check_replaces, describe
from pipeline.tables.damage import DamagedFile
from pipeline.tables.workspace import Workspace
from schemas.tables import FORMAT_VERSION
from tests.pipeline.worlds import small_recipe
from workers.storage.store import Store


def rows(*names: str) -> pa.Table:
    return pa.Table.from_pylist([{"id": name, "uri": name, "video_id": name} for name in names], MANIFEST_ROWS)


def replace(store: Store, before: str, after: str, **options) -> None:
    store.write_tables("manifest.parquet", [rows(*before)], MANIFEST_ROWS)
    with Workspace() as work:
        work.put("manifest", [rows(*after)], MANIFEST_ROWS)
        check_replaces(store, work, **{"allow_removal": False, **options})


@pytest.mark.parametrize("after", ["abcd", "ab", "abxyz", "abcdefg"])
def test_a_manifest_may_drop_up_to_half(tmp_path, after):
    replace(Store(tmp_path), "abcd", after)


@pytest.mark.parametrize("after", ["a", "wxyz"])
def test_a_manifest_that_drops_most_asks(tmp_path, after):
    dropped = 4 - len({*"abcd"} & {*after})
    with pytest.raises(RemovalRefused, match=f"leaves out {dropped} of the 4 videos .*--allow-removal"):
        replace(Store(tmp_path), "abcd", after)
    replace(Store(tmp_path), "abcd", after, allow_removal=True)


@pytest.mark.parametrize(
    ("name", "text"), [("m.jsonl", ""), ("m.csv", "uri,id\n"), ("m.json", "[]"), ("m.jsonl", "\n\n")]
)
def test_an_empty_manifest_changes_nothing(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ManifestError, match=f"{name}: the manifest has no rows"):
        build(tmp_path / name, str(tmp_path / "corpus"), small_recipe(), allow_removal=True)
    assert not list((tmp_path / "corpus").rglob("*"))


def test_a_corpus_says_its_format(tmp_path):
    store = Store(tmp_path)
    describe(store, small_recipe())
    assert store.read_json("corpus.json")["format_version"] == FORMAT_VERSION == 2
    assert recorded_recipe(store) == small_recipe()


@pytest.mark.parametrize(
    ("found", "remedy"), [({}, "run `longvid build"), ({"format_version": 3}, "use the longvid that built it")]
)
def test_another_format_is_refused_in_one_line(tmp_path, found, remedy):
    store = Store(tmp_path)
    store.write_json("corpus.json", {"recipe": {"no": "such"}, **found})
    with pytest.raises(OtherFormat, match=f"has format_version {found.get('format_version', 1)}, .*reads 2: {remedy}"):
        recorded_recipe(store)


def test_a_build_goes_on_with_an_older_format_and_not_with_a_later_one(tmp_path):
    store = Store(tmp_path)
    store.write_json("corpus.json", {"recipe": {}})
    replace(store, "ab", "ab")
    store.write_json("corpus.json", {"recipe": {}, "format_version": 3})
    with pytest.raises(OtherFormat):
        replace(store, "ab", "ab", allow_removal=True)


def test_a_build_mends_a_damaged_one(tmp_path):
    store = Store(tmp_path)
    store.write_bytes("corpus.json", b"{")
    replace(store, "ab", "ab")


def test_a_recorded_manifest_of_someone_else_is_named(tmp_path):
    store = Store(tmp_path)
    store.write_tables("manifest.parquet", [pa.table({"x": [1]})], pa.schema([("x", pa.int64())]))
    with Workspace() as work, pytest.raises(DamagedFile, match="manifest.parquet: damaged"):
        work.put("manifest", [rows("a")], MANIFEST_ROWS)
        check_replaces(store, work, allow_removal=False)
