"""Candidates: what shares keys, never what shares only common ones, whatever the order of rows."""

import random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tables.candidates import candidates
from pipeline.tables.workspace import Workspace
from stages.find_duplicates import FindDuplicatesConfig

INGEST = pa.schema([("video_id", pa.string()), ("sha256", pa.string()), ("reject", pa.string())])
SHOTS = pa.schema([("video_id", pa.string()), ("keys", pa.list_(pa.int64()))])


def pairs(videos: dict[str, list[list[int]]], files: dict[str, str] | None = None, seed: int = 0, **config) -> list:
    """Candidates of videos with the keys of their shots; `files` are the sha256 of those that share one."""
    ingest = [{"video_id": v, "sha256": (files or {}).get(v, v), "reject": None} for v in videos]
    shots = [{"video_id": v, "keys": keys} for v, rows in videos.items() for keys in rows]
    for rows in (ingest, shots):
        random.Random(seed).shuffle(rows)
    with Workspace() as work:
        work.put("ingest", [pa.Table.from_pylist(ingest, INGEST)], INGEST)
        work.put("shots", [pa.Table.from_pylist(shots, SHOTS)], SHOTS)
        found = candidates(work, FindDuplicatesConfig(**config))
        return [tuple(row.values()) for table in found for row in table.to_pylist()]


def test_two_common_keys_make_a_candidate():
    videos = {"a": [[1, 2], [3]], "b": [[2], [3, 9]], "c": [[3, 4]], "d": []}
    assert pairs(videos) == [("b", "a")]
    assert pairs(videos, min_common_keys=1) == [("b", "a"), ("c", "a"), ("c", "b")]


def test_a_key_that_many_have_says_nothing():
    videos = {f"v{i:02d}": [[1, 2, 100 + i, 200 + i // 2, 300 + i // 2]] for i in range(10)}
    assert pairs(videos, max_bucket=9) == [(f"v{i + 1:02d}", f"v{i:02d}") for i in range(0, 10, 2)]


def test_only_the_likeliest_are_candidates():
    videos = {"a": [[1, 2]], "b": [[1, 2, 3, 4]], "c": [[3, 4, 1]], "z": [[1, 2, 3, 4]]}
    assert [pair for pair in pairs(videos, max_candidates=1) if pair[0] == "z"] == [("z", "b")]


def test_copies_of_a_file_are_compared_with_its_first_and_with_nothing_else():
    videos = {name: [[1, 2, 3]] for name in "abcd"}
    assert pairs(videos, {"b": "same", "c": "same", "d": "same"}) == [("b", "a"), ("c", "b"), ("d", "b")]


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.lists(st.integers(0, 12), max_size=4), max_size=4), min_size=1, max_size=8),
    st.integers(1, 3),
)
def test_they_are_those_of_a_loop_in_any_order(keys, least):
    videos = {f"v{i}": rows for i, rows in enumerate(keys)}
    sets = {name: {key for row in rows for key in row} for name, rows in videos.items()}
    expected = [(b, a) for b in videos for a in videos if a < b and len(sets[a] & sets[b]) >= least]
    for seed in (0, 1):
        assert pairs(videos, seed=seed, min_common_keys=least) == sorted(expected)
