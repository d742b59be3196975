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
