"""Retry marks the rejects of its own corpus and writes nowhere else, whatever the table says."""

import json

import pyarrow as pa
import pytest

from pipeline.retry import reason_is, retry
from schemas.tables import REJECT
from workers.storage import PathError, Store

THEIRS = {"attempts": 1, "reason": "not_found"}


@pytest.mark.parametrize(
    "path", ["{}/theirs.reject.json", "units/../../theirs.reject.json", "units/out/theirs.reject.json", "corpus.json"]
)
def test_no_other_file_is_written(tmp_path, path):
    store = Store(tmp_path / "corpus")
    store.write_json("corpus.json", THEIRS)
    (tmp_path / "theirs.reject.json").write_text(json.dumps(THEIRS))
    (tmp_path / "corpus" / "units").mkdir()
    (tmp_path / "corpus" / "units" / "out").symlink_to(tmp_path)
    row = {"reason": "not_found", "path": path.format(tmp_path)}
    store.write_tables("tables/rejects.parquet", [pa.Table.from_pylist([row], REJECT)], REJECT)
    with pytest.raises(PathError):
        retry(store.root, reason_is("not_found"))
    assert json.loads((tmp_path / "theirs.reject.json").read_text()) == THEIRS
    assert store.read_json("corpus.json") == THEIRS
