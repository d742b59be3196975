"""What a plan reads of a corpus that an earlier version built."""

import pyarrow as pa

from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.plan import put_recorded_manifest
from pipeline.tables.workspace import Workspace
from workers.storage.store import Store


def test_a_manifest_from_before_origins_of_annotations_is_read(tmp_path):
    store, later = Store(tmp_path), ["conversation_origins", "annotation_licence"]
    rows = pa.Table.from_pylist([{"id": "a", "uri": "a.mp4", "video_id": "v", "licence": "MIT"}], MANIFEST_ROWS)
    old = rows.drop_columns(later)
    store.write_tables("manifest.parquet", [old], old.schema)
    with Workspace() as work:
        put_recorded_manifest(work, store)
        assert work.rows("select id, licence, annotation_licence, conversation_origins from manifest") == [
            ("a", "MIT", None, None)
        ]
