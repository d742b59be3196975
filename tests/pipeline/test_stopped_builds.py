"""Every command on a corpus whose build has been stopped: it works, or says what to run."""

import shutil
from pathlib import Path

import pytest

from pipeline.build import build
from pipeline.phases import phases
from pipeline.tables.gather import FROM_RESULTS, FROM_UNITS
from schemas.tables import TABLES
from tests.pipeline.command_line import run
from tests.pipeline.worlds import contents, small_recipe

pytestmark = pytest.mark.slow

STAGES = list(small_recipe().stages())
# The tables that are there change with the last stage of a phase.
LAST_STAGES = [phase.stages[-1].name for phase in phases(small_recipe().stages())]
REMEDY = "not built yet: run `longvid build --manifest MANIFEST --out "


@pytest.fixture(scope="module")
def whole(small_corpus) -> Path:
    return small_corpus.corpus


def stopped_after(stage: str, whole: Path, corpus: Path) -> set[str]:
    """Copies what a build has written when it is stopped after `stage`; gives the tables among it."""
    shutil.copytree(whole, corpus)
    finished = STAGES[: STAGES.index(stage) + 1]
    for later in STAGES[len(finished) :]:
        shutil.rmtree(corpus / "units" / later, ignore_errors=True)
    if stage != "pack":
        shutil.rmtree(corpus / "shards")
    written = set()
    for phase in phases(small_recipe().stages()):
        if {s.name for s in phase.stages} <= {*finished}:
            written |= {*FROM_RESULTS.get(phase.name, ()), *FROM_UNITS.get(phase.name, ())}
            written |= {"qa"} if phase.name == "audit_qa" else set()
    for table in {*TABLES} - written:
        (corpus / "tables" / f"{table}.parquet").unlink()
    return written


@pytest.mark.parametrize("stage", ["download", *LAST_STAGES])
def test_each_command_works_or_says_what_to_run(stage, whole, tmp_path, capsys):
    corpus = tmp_path / "corpus"
    written = stopped_after(stage, whole, corpus)

    assert run("status", corpus) == 0
    assert run("plan", corpus) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert all(name in shown.out for name in STAGES)

    assert run("verify", corpus) == 1
    problem, *counts = capsys.readouterr().out.splitlines()
    assert REMEDY + str(corpus) in problem
    assert all(name in problem for name in {*TABLES} - written)
    assert not any(name in problem.split("tables ")[1].split(":")[0].split(", ") for name in written)
    assert counts[0].endswith("read: 1 problem")

    if written:
        every = " union all ".join(f"select count(*) from {name}" for name in sorted(written))
        assert run("query", corpus, every) == 0
        assert capsys.readouterr().err == ""
    asked = {name: ["query", corpus, f"select count(*) from {name}"] for name in {*TABLES} - written}
    asked["retry"] = ["retry", corpus, "--reason", "unreachable"]
    asked["retry where"] = ["retry", corpus, "--where", "stage = 'download'"]
    for name, command in asked.items():
        assert run(*command) == 2, name
        shown = capsys.readouterr()
        assert REMEDY + str(corpus) in shown.err and shown.out == "", name

    if stage != "pack":
        assert run("train", corpus) == 2
        assert f"the table samples: {REMEDY}{corpus}`" in capsys.readouterr().err


def test_a_build_that_is_stopped_leaves_what_these_tests_take_for_it(without_ray, whole, small_corpus, tmp_path):
    def stop(line: str) -> None:
        if line.startswith("distill:"):
            raise KeyboardInterrupt

    stopped_after("find_duplicates", whole, tmp_path / "real")
    with pytest.raises(KeyboardInterrupt):
        build(small_corpus.manifest, str(tmp_path / "real"), small_recipe(), say=stop)
    stopped_after("filter_qa", whole, tmp_path / "copy")
    real = {path for path in contents(tmp_path / "real") if not path.startswith(".")}
    assert real == contents(tmp_path / "copy").keys()


@pytest.mark.parametrize("kept", [[], ["manifest.parquet"]], ids=["nothing", "manifest"])
def test_before_the_first_unit(kept, whole, tmp_path, capsys):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in kept:
        shutil.copy(whole / name, corpus / name)
    commands = [["status"], ["plan"], ["verify"], ["train"], ["query", "select 1"], ["retry", "--reason", "refused"]]
    for command, *rest in commands:
        assert run(command, corpus, *rest) == 2
        assert f"no corpus there: run `longvid build --manifest MANIFEST --out {corpus}`" in capsys.readouterr().err
