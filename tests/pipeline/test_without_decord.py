"""Where decord has no wheel (aarch64, macOS) everything works, and gives the same bytes."""

import os
import sys

import pytest

from pipeline.build import build
from tests.pipeline.command_line import ROOT
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import contents, small_recipe


@pytest.mark.slow
def test_a_corpus_is_the_same_to_the_byte(small_corpus, tmp_path, monkeypatch):
    (tmp_path / "decord.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))  # of the decoders' processes
    monkeypatch.setitem(sys.modules, "decord", None)
    # Of its own, so that its processes are not those that have started before.
    recipe = small_recipe("decode.limits.stall_s=301")
    with in_process():
        summary = build(small_corpus.manifest, str(tmp_path / "corpus"), recipe, say=lambda line: None)
    assert summary.failures == []
    built, expected = contents(tmp_path / "corpus"), contents(small_corpus.corpus)
    assert built.pop("corpus.json") != expected.pop("corpus.json")  # it records the limits
    assert built == expected
