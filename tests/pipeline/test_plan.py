"""What a plan reads of a corpus that an earlier version built."""

from dataclasses import replace

import pyarrow as pa
import pytest

from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.recipe import load_recipe
from pipeline.plan import StagePlan, _estimate_costs, explain, put_recorded_manifest
from pipeline.tables.corpus_file import describe
from pipeline.tables.workspace import Workspace
from schemas.tables.text import SEGMENT_TEXT
from tests.pipeline.command_line import run
from workers.storage.store import Store


def test_a_manifest_from_before_origins_of_annotations_is_read(tmp_path):
    store, later = Store(tmp_path), ["conversation_origins", "annotation_licence"]
    rows = pa.Table.from_pylist([{"id": "a", "uri": "a.mp4", "video_id": "v", "licence": "MIT"}], MANIFEST_ROWS)
    old = rows.drop_columns(later)
    store.write_tables("manifest.parquet", [old], old.schema)
    with Workspace() as work:
        put_recorded_manifest(work, store)
        [row] = work.rows("select id, licence, annotation_licence, conversation_origins from manifest")
    assert row == {"id": "a", "licence": "MIT", "annotation_licence": None, "conversation_origins": None}


def test_units_of_another_version_are_why_a_stage_runs_again(tmp_path):
    store, recipe = Store(tmp_path), load_recipe("demo")
    describe(store, recipe)
    stages = recipe.stages()
    old = replace(stages["annotate"], version=stages["annotate"].version - 1)
    assert old.folder != stages["annotate"].folder
    store.write_bytes(f"{old.folder}/00/unit.parquet", b"")
    store.write_bytes(f"{stages['select'].folder}/00/unit.parquet", b"")
    plans = [StagePlan(name, 0, 0, 1, 0) for name in ("shard", "annotate", "write_qa", "select")]
    explain(plans, stages, store)
    version = stages["annotate"].version
    other, after = f"version {version - 1} -> {version}", "its inputs change with annotate"
    assert [entry.why for entry in plans] == ["new", other, after, after]


@pytest.mark.parametrize("path", ["manifest.parquet", "tables/rejects.parquet", "tables/dropped.parquet"])
def test_a_damaged_file_of_a_corpus_is_named(tmp_path, capsys, path):
    store = Store(tmp_path)
    describe(store, load_recipe("demo"))
    store.write_tables("manifest.parquet", [MANIFEST_ROWS.empty_table()], MANIFEST_ROWS)
    assert run("status", tmp_path) == 0
    store.write_bytes(path, b"garbage")
    assert run("status", tmp_path) == 2
    assert f"error: {path}: damaged (" in capsys.readouterr().err


def test_the_captions_to_merge_are_told_by_those_that_are_there(tmp_path):
    store, recipe = Store(tmp_path), load_recipe("demo", ["annotate.annotators=[caption]"])
    stages = recipe.stages()
    plans = [StagePlan("caption", 0, 0, 4, 8), StagePlan("merge_captions", 0, 0, 0, 2)]
    _estimate_costs(plans, stages, store, recipe.annotate.endpoint)
    assert plans[1].cost["calls"] == 2 * 2, "72 captions of each video, 40 in a request"
    rows = [{"kind": kind, "text": "x" * 30} for kind in ["event"] * 25 + ["scene"]]
    for number in range(4):
        table = pa.Table.from_pylist(rows, SEGMENT_TEXT)
        store.write_tables(f"{stages['caption'].folder}/0{number}/unit.parquet", [table], SEGMENT_TEXT)
    plans = [StagePlan("caption", 4, 0, 0, 8), StagePlan("merge_captions", 0, 0, 0, 2)]
    before = plans[1].cost["tokens_in"]
    _estimate_costs(plans, stages, store, recipe.annotate.endpoint)
    assert plans[1].cost["calls"] == 2 * 4, "150 captions of each video"
    assert plans[1].cost["tokens_in"] > 8000 > before


@pytest.mark.parametrize("annotators", ["transcribe", "caption", "transcribe, caption"])
def test_a_build_is_planned_with_any_annotators(tmp_path, capsys, annotators):
    store, recipe = Store(tmp_path), load_recipe("demo", [f"annotate.annotators=[{annotators}]"])
    describe(store, recipe)
    store.write_tables("manifest.parquet", [MANIFEST_ROWS.empty_table()], MANIFEST_ROWS)
    assert run("plan", tmp_path) == 0
    assert "merge_captions" in capsys.readouterr().out
