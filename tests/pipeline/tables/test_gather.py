"""Tables gathered from units: rows that stand in the metadata of a unit."""

import json

import pyarrow as pa
import pytest

from pipeline.tables.audited import DamagedUnit
from pipeline.tables.gather import FROM_UNITS, _read_units
from schemas.tables import DROPPED, DROPPED_KEY, QA
from workers.storage.store import Store


def test_what_was_left_out_is_gathered_from_the_metadata_of_units(tmp_path):
    store, row = Store(tmp_path), {"video_id": "v", "what": "pair", "reason": "solver", "count": 2}
    for name, metadata in {"a": {DROPPED_KEY: json.dumps([row])}, "b": {}, "c": {DROPPED_KEY: "[[[["}}.items():
        table = QA.empty_table().replace_schema_metadata(metadata)
        store.write_tables(f"units/{name}.parquet", [table], QA)
    schema, _, _, rows = FROM_UNITS["questions"]["dropped"]
    assert schema == DROPPED
    read = pa.concat_tables(_read_units(store, ["units/a.parquet", "units/b.parquet"], schema, rows))
    assert read.to_pylist() == [row]
    with pytest.raises(DamagedUnit, match=r"units/c\.parquet: its metadata is damaged"):
        list(_read_units(store, ["units/c.parquet"], schema, rows))
