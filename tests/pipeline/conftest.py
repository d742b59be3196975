"""One Ray session for all tests, and one small corpus for all that need one."""

import logging

import pytest
import ray
from ray._private.internal_api import get_memory_info_reply, get_state_from_address

from pipeline.build import build
from tests.pipeline.worlds import SmallCorpus, small_recipe, small_world


@pytest.fixture(scope="session")
def ray_session():
    ray.init(
        num_cpus=4,
        object_store_memory=200 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory, ray_session) -> SmallCorpus:
    """Built once for all tests: who writes to the corpus or its videos copies them."""
    folder = tmp_path_factory.mktemp("small")
    manifest = small_world(folder / "world")
    stored, spilled = object_store_bytes()
    summary = build(manifest, str(folder / "corpus"), small_recipe(), say=lambda line: None)
    stored_after, spilled_after = object_store_bytes()
    return SmallCorpus(manifest, folder / "corpus", summary, stored_after - stored, spilled_after - spilled)


def object_store_bytes() -> tuple[int, int]:
    """Bytes put into Ray's object store until now, and those of them that were spilled to disk."""
    state = get_state_from_address(ray.get_runtime_context().gcs_address)
    counts = get_memory_info_reply(state).store_stats
    return counts.cumulative_created_bytes, counts.spilled_bytes_total


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    """The user's state folder, of this process and those it starts: no test touches that of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGVID_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
