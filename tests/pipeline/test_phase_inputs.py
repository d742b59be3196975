"""What the queries of phases gather from the tables of earlier ones."""

import pyarrow as pa

from pipeline import phase_inputs
from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.recipe import Recipe
from pipeline.phase_schemas import QUESTIONS
from pipeline.tables.workspace import Workspace
from workers.fetch.access import Access

TEXT = pa.string()
INGESTED = pa.schema(
    [("video_id", TEXT), ("sha256", TEXT), ("first_frame_s", pa.float64()), ("duration_s", pa.float64())]
    + [("reject", TEXT)]
)
CONTEXT = phase_inputs.Context(Recipe().stages(), None, Access(local_files=False))
FOUND = pa.schema([("video_id", TEXT), ("find_shots_unit", TEXT), ("reject", TEXT)])


def test_annotations_know_the_shots_of_a_video_that_has_some():
    rows = {
        "manifest": (MANIFEST_ROWS, [{"id": name, "uri": f"{name}.mp4", "video_id": name} for name in "abc"]),
        "ingest": (INGESTED, [{"video_id": n, "sha256": n, "first_frame_s": 0, "duration_s": 9} for n in "abc"]),
        "find_shots": (
            FOUND,
            [{"video_id": "a", "find_shots_unit": "unit of a"}, {"video_id": "b", "reject": "crashed"}],
        ),
    }
    with Workspace() as work:
        for name, (schema, values) in rows.items():
            work.put(name, [pa.Table.from_pylist(values, schema)], schema)
        found = [row for table in phase_inputs.annotations(CONTEXT, work) for row in table.to_pylist()]
    assert {row["video_id"]: row["find_shots_unit"] for row in found} == {"a": "unit of a", "b": None, "c": None}


ANNOTATED = pa.schema([f for f in QUESTIONS if f.name != "other_annotate_units"] + [("split", TEXT), ("reject", TEXT)])


def others(splits: dict[str, str | None], **values: dict[str, str]) -> dict[str, list[str]]:
    """The annotations of other videos that each video is asked by."""
    columns = ("name", "sha256", "annotate_unit")
    told = [{"video_id": v, "split": s, "duration_s": 9.0, **dict.fromkeys(columns, v)} for v, s in splits.items()]
    for name, of in values.items():
        for row in told:
            row[name] = of.get(row["video_id"], row.get(name))
    with Workspace() as work:
        work.put("annotations", [pa.Table.from_pylist(told, ANNOTATED)], ANNOTATED)
        rows = [row for table in phase_inputs.questions(CONTEXT, work) for row in table.to_pylist()]
    return {row["video_id"]: [unit for unit in row["other_annotate_units"] if unit] for row in rows}


def test_a_video_is_asked_by_two_others_of_its_split():
    splits = {f"v{i}": ("train", "val", None)[i % 3] for i in range(60)}
    found = others(splits)
    assert found.keys() == splits.keys()
    assert sorted(map(len, found.values()))[:7] == [0, 0, 1, 1, 2, 2, 2], "those without a split are of train or val"
    for video, units in found.items():
        assert video not in units
        assert {splits[unit] for unit in units} <= {splits[video], None} or splits[video] is None
    assert others({"alone": "train", "held": "test"}) == {"alone": [], "held": []}


def test_a_video_more_changes_the_questions_of_two_others_at_most():
    splits = dict.fromkeys((f"v{i}" for i in range(40)), "train")
    before = others(splits)
    for name in ("new", "newer", "newest"):
        after = others({**splits, name: "train"})
        assert sum(after[video] != units for video, units in before.items()) <= 2


def test_a_video_is_not_asked_by_the_same_file_or_by_a_rejected_one():
    splits = dict.fromkeys("abcd", "train")
    assert sorted(map(len, others(splits).values())) == [0, 1, 2, 2]
    assert not any(others(splits, sha256=dict.fromkeys("abcd", "same")).values())
    left = others(splits, reject={"a": "bad_annotation"})
    assert "a" not in left and not any("a" in units for units in left.values())
