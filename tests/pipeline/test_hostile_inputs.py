"""A whole build over inputs that once stopped others: each costs its own row."""

import subprocess
from pathlib import Path

import pytest

from benchmarks import _hostile
from pipeline.build import build
from pipeline.inputs.recipe import load_recipe
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.pipeline.command_line import run
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import contents

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not _hostile.CASES.is_dir():
        pytest.skip(f"the hostile inputs are not here: {_hostile.CASES}")
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def endings(folder):
    with in_process():
        return _hostile.endings(folder, build_in_process)


def build_in_process(manifest: Path, corpus: Path) -> subprocess.CompletedProcess:
    """As a user's command; what it prints, pytest keeps."""
    command = _hostile.command(manifest, corpus)
    return subprocess.CompletedProcess(command, run(*command), stdout="", stderr="")


def test_each_hostile_input_costs_its_own_row(endings):
    wrong = [ending for ending in endings if not ending.is_right]
    assert not wrong


def test_each_reject_has_a_reason_and_a_detail_and_only_media_cost_a_segment(endings, folder):
    with open_catalog(str(folder / "corpus")) as catalog:
        rejects = catalog.execute("select name, kind, reason, detail from rejects").fetchall()
    assert {name for name, *_ in rejects} >= {"conversation_inf.jsonl", "conversation_surrogate.jsonl"}
    assert all(reason != "failed" and detail for *_, reason, detail in rejects)
    assert all(kind == "video" or name in _hostile.MEDIA for name, kind, *_ in rejects)


def test_the_corpus_is_whole_and_a_build_again_does_nothing(endings, folder):
    before = contents(folder / "corpus")
    recipe = load_recipe("demo", [*_hostile.SETTINGS])
    again = build(folder / "manifest.jsonl", str(folder / "corpus"), recipe, say=lambda line: None)
    assert (again.ran, again.failures) == ({}, [])
    assert contents(folder / "corpus") == before
    assert verify(str(folder / "corpus")).problems == []


def test_a_manifest_that_would_fill_the_memory_is_refused(folder):
    ending = _hostile.bomb(folder)
    assert ending.is_right, ending
