"""Fixtures that all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline measures the machine; what a test may take is the timeout in pyproject.toml.
settings.register_profile("longvid", deadline=None)
settings.load_profile("longvid")

VIDEOS = Path(__file__).resolve().parents[1].parent / "shared" / "videos"


@pytest.fixture(scope="session")
def videos() -> Path:
    """The folder of real video files beside the checkout."""
    if not VIDEOS.is_dir():
        pytest.skip(f"the real video files are not here: {VIDEOS}")
    return VIDEOS
