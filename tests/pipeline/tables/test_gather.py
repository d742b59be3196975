"""Tables gathered from units: rows that are in the metadata of a unit."""

import json

import pyarrow as pa
import pytest

from pipeline.tables.audited import DamagedUnit
from pipeline.tables.gather import FROM_UNITS, QA_TABLE, _read_units, gather
from pipeline.tables.workspace import Workspace
from schemas.tables.qa import AUDIT, DROPPED, DROPPED_KEY, QA
from workers.storage.store import Store


def test_what_was_left_out_is_gathered_from_the_metadata_of_units(tmp_path):
    store, row = Store(tmp_path), {"video_id": "v", "what": "pair", "reason": "solver", "count": 2}
    for name, metadata in {"a": {DROPPED_KEY: json.dumps([row])}, "b": {}, "c": {DROPPED_KEY: "[[[["}}.items():
        table = QA.empty_table().replace_schema_metadata(metadata)
        store.write_tables(f"units/{name}.parquet", [table], QA)
    schema, _, _, rows = FROM_UNITS["questions"]["dropped"]
    assert schema == DROPPED
    read = pa.concat_tables(_read_units(store, ["units/a.parquet", "units/b.parquet"], schema, rows))
    assert read.to_pylist() == [{**row, "example": None}]
    with pytest.raises(DamagedUnit, match=r"units/c\.parquet: its metadata is damaged"):
        list(_read_units(store, ["units/c.parquet"], schema, rows))


def test_pairs_are_told_what_the_licences_of_video_and_annotations_ask_for(tmp_path):
    """The table is written anew where the manifest has another licence."""
    store = Store(tmp_path)
    free = {"source": "events_file", "file": "a.json", "format": "coin", "licence": "MIT", "prompt": None, "rows": [1]}
    bound = {**free, "licence": "CC BY-NC-SA 4.0"}
    pairs = [{"video_id": v, "qa_id": v, "annotations": made} for v, made in (("a", [free, bound]), ("b", [free]))]
    units = {}
    for pair in pairs:
        units[pair["video_id"]] = f"units/{pair['qa_id']}.parquet"
        store.write_tables(units[pair["video_id"]], [pa.Table.from_pylist([pair], QA)], QA)
    found = [{"video_id": v, "qa_id": v, "problems": [], "dropped": None} for v in "ab"]
    store.write_tables("units/audit.parquet", [pa.Table.from_pylist(found, AUDIT)], AUDIT)

    def table(licences: dict) -> list[dict]:
        with Workspace() as work:
            rows = {
                "videos": [{"video_id": v, "licence": licence} for v, licence in licences.items()],
                "questions": [{"video_id": v, "write_qa_unit": path, "reject": None} for v, path in units.items()],
                "audit_qa": [{"audit_qa_unit": "units/audit.parquet", "reject": None}],
            }
            for name, values in rows.items():
                schema = pa.schema([(column, pa.string()) for column in values[0]])
                work.put(name, [pa.Table.from_pylist(values, schema)], schema)
            gather("audit_qa", work, store, publish=True)
        published = store.read_table("tables/qa.parquet")
        assert published.schema.equals(QA_TABLE)
        return [(row["licence"], row["share_alike"]) for row in published.to_pylist()]

    assert table({"a": "CC BY-SA 4.0", "b": None}) == [
        ("CC BY-SA 4.0", ["CC BY-NC-SA 4.0", "CC BY-SA 4.0"]),
        (None, []),
    ]
    last = [("MIT", ["CC BY-NC-SA 4.0"]), ("GPL-3.0", ["GPL-3.0"])]
    assert table({"a": "MIT", "b": "GPL-3.0"}) == last
    whole = store.read_bytes("tables/qa.parquet")
    for damaged in (b"garbage", whole[: len(whole) // 2], whole[:40] + bytes(20) + whole[60:]):
        store.write_bytes("tables/qa.parquet", damaged)
        assert table({"a": "MIT", "b": "GPL-3.0"}) == last
    assert store.read_bytes("tables/qa.parquet") == whole
