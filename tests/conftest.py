"""Fixtures that all tests share, their markers, and how they are spread over processes."""

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline measures the machine; what a test may take is the timeout in pyproject.toml.
settings.register_profile("longvid", deadline=None, max_examples=40)
settings.register_profile("soak", deadline=None, max_examples=400, database=None, print_blob=True)
settings.load_profile("longvid")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
VIDEOS, CASES = SHARED / "videos", SHARED / "cases"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that share a Ray session, and starts with the files that take longest: on Ray, then slow ones."""
    for item in items:
        if "ray_session" in getattr(item, "fixturenames", ()):
            item.add_marker("ray")
    on_ray, slow = ({item.path for item in items if item.get_closest_marker(mark)} for mark in ("ray", "slow"))
    items.sort(key=lambda item: (item.path not in on_ray, item.path not in slow))


@pytest.fixture(scope="session")
def videos() -> Path:
    """The folder of real video files beside the checkout."""
    if not VIDEOS.is_dir():
        pytest.skip(f"the real video files are not here: {VIDEOS}")
    return VIDEOS


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of small files that once failed, beside the checkout."""
    if not CASES.is_dir():
        pytest.skip(f"the cases are not here: {CASES}")
    return CASES
