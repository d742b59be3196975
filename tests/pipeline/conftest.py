"""One Ray session for all tests."""

import logging

import pytest
import ray


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


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    """The user's state folder, of this process and those it starts: no test touches that of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGVID_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield
