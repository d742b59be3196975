"""Fixtures that all tests share, their markers, and how they are spread over processes."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

# A deadline measures the machine; what a test may take is the timeout in pyproject.toml.
settings.register_profile("longvid", deadline=None, max_examples=40)
settings.register_profile("soak", deadline=None, max_examples=400)
settings.load_profile("longvid")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
VIDEOS, CASES = SHARED / "videos", SHARED / "cases"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that share a Ray session, and starts with what takes longest."""
    for item in items:
        if "ray_session" in getattr(item, "fixturenames", ()):
            item.add_marker("ray")
    items.sort(key=lambda item: (not _shares_corpus(item.path), item.get_closest_marker("ray") is None))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "ByFile":
    """How `pytest -n` spreads tests over its processes."""
    return ByFile(config, log)


class ByFile(LoadFileScheduling):
    """Keeps the tests of a file in one process, and all files that share the small corpus, which is built once."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the small corpus" if _shares_corpus(ROOT / file) else file


@cache
def _shares_corpus(file: Path) -> bool:
    return "small_corpus" in file.read_text()


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
