"""Fixtures that all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline measures the machine; what a test may take is the timeout in pyproject.toml.
settings.register_profile("longvid", deadline=None)
settings.load_profile("longvid")

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
VIDEOS, CASES = SHARED / "videos", SHARED / "cases"


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
