import pyarrow as pa

from schemas.tables.qa import QA
from stages.filter_qa import run
from workers.storage.store import Store


def test_pairs_that_were_dropped_are_left_out_and_the_others_keep_their_order(tmp_path):
    store = Store(tmp_path)
    pairs = pa.Table.from_pylist([{"qa_id": name} for name in "dacb"], QA)
    store.write_tables("units/a.parquet", [pairs], QA)
    [kept] = run({"write_qa_unit": "units/a.parquet", "dropped": ["a", "b", "x"]}, None, store)
    assert kept["qa_id"].to_pylist() == ["d", "c"]
    assert kept.schema.equals(QA)
