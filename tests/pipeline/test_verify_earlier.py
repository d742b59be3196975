"""After an upgrade that changes a stage: what an earlier version built is checked as it was built."""

import shutil
from dataclasses import replace

import pytest

from pipeline.inputs.recipe import Recipe
from pipeline.plan import plan
from pipeline.verify import verify
from tests.pipeline.command_line import run
from tests.pipeline.worlds import small_recipe

DECODE, ANNOTATE = (small_recipe().stages()[name].version for name in ("decode", "annotate"))


@pytest.fixture
def upgraded(monkeypatch):
    """Changes the declaration of stages, as another longvid has them."""
    declared = Recipe.stages

    def upgrade(**changes):
        def stages(recipe, access=None):
            found = declared(recipe, access)
            return {**found, **{name: replace(found[name], **change(found[name])) for name, change in changes.items()}}

        monkeypatch.setattr(Recipe, "stages", stages)

    return upgrade


def newer(stage):
    return {"version": stage.version + 2}


def test_a_corpus_of_an_earlier_version_is_sound_and_the_stages_are_named(small_corpus, upgraded, capsys):
    corpus = str(small_corpus.corpus)
    units = verify(corpus).units
    upgraded(annotate=newer, decode=newer)
    verdict = verify(corpus)
    assert (verdict.problems, verdict.units) == ([], units)
    assert [note.partition(":")[0] for note in verdict.notes] == ["decode", "annotate"]
    assert run("verify", corpus) == 0
    said = capsys.readouterr().out
    assert f"annotate: its units are of version {ANNOTATE}, this longvid makes version {ANNOTATE + 2}" in said
    assert "by another version of longvid and is sound; the next build makes" in said
    assert run("status", corpus) == 0
    assert (
        f"changed since the last build: decode (version {DECODE} -> {DECODE + 2}), annotate" in capsys.readouterr().out
    )
    why = {entry.stage: entry.why for entry in plan(corpus, small_recipe())}
    assert why["decode"] == f"version {DECODE} -> {DECODE + 2}"


def test_what_is_damaged_is_found_all_the_same(small_corpus, upgraded, tmp_path, capsys):
    corpus = shutil.copytree(small_corpus.corpus, tmp_path / "corpus")
    upgraded(annotate=newer)
    victim = max((corpus / "units" / "embed").rglob("*.parquet"))
    victim.write_bytes(victim.read_bytes()[:-50])
    assert run("verify", corpus) == 1
    said = capsys.readouterr().out
    assert str(victim.relative_to(corpus)) in said and "has the problems above" in said


def test_units_that_cannot_be_followed_leave_shards_and_tables_to_check(small_corpus, upgraded, tmp_path):
    corpus = shutil.copytree(small_corpus.corpus, tmp_path / "corpus")
    upgraded(find_shots=lambda stage: {"config": stage.config.model_copy(update={"noise_window": 9})})
    verdict = verify(str(corpus))
    assert verdict.problems == [] and not verdict.is_published_only and verdict.shards > 0
    assert "find_shots: its units are of another version, or of settings that have changed since" in verdict.notes[0]
    assert verdict.notes[-1].startswith("units and videos were not checked") and verdict.is_partial
    shard = next((corpus / "shards").rglob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:-2000])
    assert any("shards/" in problem for problem in verify(str(corpus)).problems)
