"""Fixtures that all tests share, their markers, and how they are spread over processes."""

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline measures the machine; what a test may take is the timeout in pyproject.toml.
settings.register_profile("longvid", deadline=None, max_examples=40)
settings.register_profile("soak", deadline=None, max_examples=400)
settings.load_profile("longvid")

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
VIDEOS, CASES = SHARED / "videos", SHARED / "cases"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that share a Ray session, and spreads all tests over the processes of `pytest -n`.

    What shares the small corpus runs in one process, what else shares a Ray session in another. They start first, as
    they take longest; then come the tests that start a Ray session of their own.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "ray_session" in fixtures:
            item.add_marker("ray")
            item.add_marker(pytest.mark.xdist_group("corpus" if "small_corpus" in fixtures else "ray"))
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("xdist_group", "ray")])


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
