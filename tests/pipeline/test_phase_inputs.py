"""What the queries of phases gather from the tables of earlier ones."""

import pyarrow as pa

from pipeline import phase_inputs
from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.recipe import Recipe
from pipeline.tables.workspace import Workspace
from workers.fetch.access import Access

TEXT = pa.string()
INGESTED = pa.schema(
    [("video_id", TEXT), ("sha256", TEXT), ("first_frame_s", pa.float64()), ("duration_s", pa.float64())]
    + [("reject", TEXT)]
)
FOUND = pa.schema([("video_id", TEXT), ("find_shots_unit", TEXT), ("reject", TEXT)])


def test_questions_know_the_shots_of_a_video_that_has_some():
    rows = {
        "manifest": (MANIFEST_ROWS, [{"id": name, "uri": f"{name}.mp4", "video_id": name} for name in "abc"]),
        "ingest": (INGESTED, [{"video_id": n, "sha256": n, "first_frame_s": 0, "duration_s": 9} for n in "abc"]),
        "find_shots": (
            FOUND,
            [{"video_id": "a", "find_shots_unit": "unit of a"}, {"video_id": "b", "reject": "crashed"}],
        ),
    }
    context = phase_inputs.Context(Recipe().stages(), None, Access(local_files=False))
    with Workspace() as work:
        for name, (schema, values) in rows.items():
            work.put(name, [pa.Table.from_pylist(values, schema)], schema)
        found = [row for table in phase_inputs.questions(context, work) for row in table.to_pylist()]
    assert {row["video_id"]: row["find_shots_unit"] for row in found} == {"a": "unit of a", "b": None, "c": None}
