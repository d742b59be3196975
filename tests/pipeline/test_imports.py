"""What the commands import: torch and Ray cost seconds, and only training and the workers of a build need them."""

import json
import subprocess
import sys
from functools import cache

import pytest

from pipeline.build import build
from pipeline.inputs.manifest import MANIFEST_ROWS
from pipeline.inputs.recipe import load_recipe
from pipeline.tables.corpus_file import describe
from schemas.tables import REJECT
from tests.pipeline.in_process import in_process
from workers.storage.store import Store

pytestmark = pytest.mark.slow

COMPUTING = {"torch", "torchvision", "open_clip", "transformers", "ray"}
DECODING = {"av", "decord", "torchcodec", "openai"}
CLIENTS = {"httpx", "httpx2", "httpcore", "tenacity", "openai"}
PARSERS = {"scipy", "sklearn", "PIL", "simplejpeg", "pysubs2", "charset_normalizer", "langdetect"}
OPTIONS = {"typer", "pydantic"}
COMMANDS = "import pipeline.plan, pipeline.query, pipeline.report, pipeline.retry, pipeline.verify"
STAGES = ["download", "shard", "decode", "annotate", "write_qa", "find_shots", "pack", "caption"]
DECLARED = "from pipeline.inputs.recipe import load_recipe; [load_recipe(r).stages() for r in ('longvid', 'demo')]"


@cache
def imported_modules(code: str) -> set[str]:
    """Names of the modules that are imported after `code` has run in a new process."""
    report = f"{code}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.run([sys.executable, "-c", report], capture_output=True, check=True).stdout))


def imported_for(*words: str, first: str = "") -> set[str]:
    """Names of the modules that are imported after a command has run; `first` runs before it."""
    command = "from pipeline.cli import run; run()"
    code = f"import json, sys\n{first}\ntry:\n {command}\nfinally:\n print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def imported_by(code: str) -> set[str]:
    """Names of the packages that are imported after `code` has run in a new process."""
    return {name.split(".")[0] for name in imported_modules(code)}


@pytest.mark.parametrize("code", ["import pipeline.cli", DECLARED, COMMANDS], ids=["cli", "recipe", "commands"])
def test_the_driver_imports_neither_torch_nor_ray(code):
    assert not imported_by(code) & (COMPUTING | DECODING)


def test_commands_that_look_at_a_corpus_import_no_client_and_no_parser():
    assert not imported_by(COMMANDS) & (CLIENTS | PARSERS)


def test_a_build_that_has_nothing_to_run_imports_no_ray(tmp_path):
    manifest, corpus = tmp_path / "manifest.jsonl", str(tmp_path / "corpus")
    manifest.write_text('{"uri": "absent.mp4"}')
    with in_process():
        assert build(manifest, corpus, load_recipe("demo")).rejects == {"not_found": 1}
    found = imported_for("build", "--manifest", str(manifest), "--out", corpus, "--recipe", "demo")
    assert "pipeline.build" in found
    assert not found & COMPUTING


def test_the_driver_of_training_imports_no_torch_and_its_checks_no_ray():
    checks = imported_by("import pipeline.train, workers.training.sample_stream")
    assert not checks & (COMPUTING | DECODING)
    assert imported_by("import pipeline.training.driver, pipeline.engine.cluster") & COMPUTING == {"ray"}


def test_pyarrow_starts_without_pandas_which_is_there_for_those_who_ask():
    arrays = "from pipeline.arrow_start import skip_pandas as s; s(); import pyarrow as pa; t = pa.table({'a': [1]})"
    assert "pandas" not in imported_by(f"{arrays}; import pyarrow.dataset")
    assert "pandas" in imported_by(f"{arrays}; assert t.equals(pa.table(t.to_pandas())), 'a data frame'")


def test_a_worker_imports_only_what_its_stage_needs():
    """In one process, since each costs a second: the first stage that imports one of these names it."""
    code = f"""
import importlib, sys
for stage in {STAGES}:
    importlib.import_module("stages." + stage)
    if found := {COMPUTING} & sys.modules.keys():
        raise SystemExit(f"stages.{{stage}} imports {{found}}")"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_towers_are_imported_without_the_compiler_of_torch_which_is_there_for_those_who_ask():
    assert not imported_modules("import model.towers.tower") & {"torch._dynamo", "torch._inductor"}
    later = "import model.towers.tower, torch; assert torch.compiler.disable(abs)(-1) == 1"
    assert {"torch._dynamo", "timm"} <= imported_modules(later)


def test_a_query_imports_arrow_and_duckdb_but_no_parser_of_options(tmp_path):
    """That parser needs pydantic, and only large tables need a data set."""
    Store(tmp_path).write_tables("tables/rejects.parquet", [REJECT.empty_table()], REJECT)
    found = imported_for("query", str(tmp_path), "select count(*) from rejects")
    assert {"pyarrow.parquet", "duckdb"} <= found
    assert not found & {*OPTIONS, "pandas", "pyarrow.dataset", "pipeline.phases"}
    assert imported_for("query", str(tmp_path), "select count(*) from rejects", "--format=csv") >= OPTIONS


@pytest.mark.parametrize("command", ["status", "plan"])
def test_of_an_unchanged_corpus_the_kept_plan_is_shown_without_the_stages(command, tmp_path):
    store = Store(tmp_path)
    describe(store, load_recipe("demo"))
    store.write_tables("manifest.parquet", [MANIFEST_ROWS.empty_table()], MANIFEST_ROWS)
    scanned = imported_for(command, str(tmp_path), first="import pipeline.last_plan as p; p.SETTLED_S = -3600")
    assert {"duckdb", "pydantic", "stages.decode"} <= scanned
    found = imported_for(command, str(tmp_path))
    assert not found & {*OPTIONS, "duckdb", "pandas", "pyarrow.dataset", "pipeline.phases", "schemas.config", "stages"}


def test_the_command_line_lists_its_commands_without_arrow_duckdb_and_pydantic():
    assert not imported_by("import pipeline.cli") & {"pyarrow", "duckdb", "pydantic", "numpy"}
