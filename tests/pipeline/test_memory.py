"""A ten-hour video, a thousand tiny ones and a huge one in one build stay under a memory cap."""

import pytest

from benchmarks.build_memory import CAP_MB, LONG_S, TINY, peak_megabytes, write_world
from pipeline.tables.catalog import open_catalog

pytestmark = pytest.mark.ray


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_long_tiny_and_huge_videos_under_a_memory_cap(tmp_path):
    peak, parts = peak_megabytes(write_world(tmp_path), tmp_path / "corpus")
    with open_catalog(str(tmp_path / "corpus")) as catalog:
        assert catalog.sql("select count(*), max(duration_s) from videos").fetchall() == [(TINY + 2, LONG_S)]
        assert catalog.sql("select count(*) from rejects").fetchall() == [(0,)]
    print(peak, parts)
    assert 0 < peak < CAP_MB, parts
