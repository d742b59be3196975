import pyarrow as pa
import pytest

from pipeline.decoded import DECODED, count_decoded
from pipeline.workspace import Workspace
from schemas.tables import FRAME
from workers.storage import Store

FOUND = (("b.parquet", None), ("a.parquet", None), ("empty.parquet", None), ("gone", "bad"))
INGEST = pa.schema([("decode_unit", pa.string()), ("reject", pa.string())])


def write_frames(store, path, frames, wanted):
    rows = [{"sample_index": i, "wanted": wanted} for i in range(frames)]
    store.write_tables(path, [pa.Table.from_pylist(rows, FRAME)], FRAME)


def counts(work):
    return [tuple(row.values()) for t in work.sql("select * from decoded order by 1", DECODED) for row in t.to_pylist()]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    write_frames(store, "a.parquet", 3, wanted=5)
    write_frames(store, "b.parquet", 4, wanted=4)
    write_frames(store, "empty.parquet", 0, wanted=4)
    return store


def test_counts_what_came_of_each_segment(store):
    rows = [{"decode_unit": u, "reject": r} for u, r in FOUND]
    with Workspace() as work:
        work.put("ingest", [pa.Table.from_pylist(rows, INGEST)], INGEST)
        count_decoded(work, store)
        assert counts(work) == [("a.parquet", 3, 5), ("b.parquet", 4, 4), ("empty.parquet", 0, None)]


def test_what_the_table_knows_is_not_read_again(store):
    known = pa.Table.from_pylist([{"decode_unit": "a.parquet", "num_frames": 3, "num_wanted": 5}], DECODED)
    store.write_tables("tables/segments.parquet", [known], DECODED)
    store.delete("a.parquet")
    rows = [{"decode_unit": unit} for unit in ("a.parquet", "b.parquet")]
    with Workspace() as work:
        work.put("ingest", [pa.Table.from_pylist(rows, INGEST)], INGEST)
        count_decoded(work, store)
        assert counts(work) == [("a.parquet", 3, 5), ("b.parquet", 4, 4)]
