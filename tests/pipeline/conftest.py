"""What tests of the pipeline share in one process: a Ray session, and a small corpus."""

import json
import os

import pytest

from pipeline.build import Summary, build
from pipeline.engine import cluster
from pipeline.engine.forked_workers import BUILD
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import SmallCorpus, small_recipe, small_world
from workers.storage.file_lock import locked


@pytest.fixture(scope="session")
def ray_session():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cluster, "OBJECT_STORE_BYTES", 200 * 2**20)
        with cluster.ray_session(4, imports=BUILD, runtime_env=True):
            yield


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory) -> SmallCorpus:
    """Built without Ray, once for all tests of all processes: who writes to the corpus or its videos copies them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small"
    summary, manifest = folder / "summary.json", folder / "world" / "manifest.jsonl"
    folder.mkdir(exist_ok=True)
    with locked(folder / "lock"):
        if not summary.exists():
            assert small_world(folder / "world") == manifest
            with in_process():
                built = build(manifest, str(folder / "corpus"), small_recipe(), say=lambda line: None)
            summary.write_text(json.dumps(vars(built)))
    return SmallCorpus(manifest, folder / "corpus", Summary(**json.loads(summary.read_text())))


@pytest.fixture
def without_ray():
    """Builds within this process."""
    with in_process():
        yield


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    """The user's state folder, of this process and those it starts: no test touches that of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGVID_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
