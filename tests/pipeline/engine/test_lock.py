"""Two builds at once would take each other's shards and tables away."""

import json
import subprocess
import sys

import pytest

from pipeline.build import build
from pipeline.engine.lock import CorpusBusy, only_build
from tests.pipeline.worlds import small_recipe
from workers.storage.store import Store

HOLD = """
import sys, time
from pipeline.engine.lock import only_build
from workers.storage.store import Store
with only_build(Store(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_build_is_refused_before_it_writes_anything(tmp_path):
    (tmp_path / "manifest.jsonl").write_text(json.dumps({"uri": "a.mp4"}) + "\n")
    corpus = tmp_path / "corpus"
    with only_build(Store(corpus)), pytest.raises(CorpusBusy, match="another build is at work there"):
        build(tmp_path / "manifest.jsonl", str(corpus), small_recipe())
    assert list(corpus.iterdir()) == []
    with only_build(Store(corpus)), only_build(Store(tmp_path / "other")):
        pass


def test_a_build_that_was_killed_holds_nothing(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(CorpusBusy), only_build(Store(tmp_path)):
        pass
    holder.kill()
    holder.communicate()
    with only_build(Store(tmp_path)):
        pass
