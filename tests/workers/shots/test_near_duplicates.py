"""Offsets of best agreement, and the keys by which candidates are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stages.test_find_duplicates import noisy, walk
from workers.shots.near_duplicates import bottom_k, match, piece_keys, pieces


@given(st.integers(12, 60), st.integers(12, 60), st.integers(0, 2**32 - 1))
def test_the_correlation_is_that_of_a_loop(n, m, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
    found = match(first, second, centred=True, least_s=10, window_s=5, agree=0.5)
    a, b = first - first.mean(axis=0), second - second.mean(axis=0)
    best = {}
    for offset in range(1 - n, m):
        start, end = max(0, -offset), min(n, m - offset)
        if end - start >= 10:
            x, y = a[start:end], b[start + offset : end + offset]
            best[offset] = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    assert found.agreement == pytest.approx(max(best.values()), abs=1e-6)
    assert best[int(found.offset_s)] == pytest.approx(found.agreement, abs=1e-6)


def test_copies_have_keys_in_common_and_others_have_none():
    looks = {"original": walk(300, 1), "copy": noisy(walk(300, 1), 0.1), "other": walk(300, 2)}
    starts = np.arange(0, 300, 5)
    keys = {
        name: piece_keys(look.astype(np.float32), starts, still=0.01, bits=18, tables=8) for name, look in looks.items()
    }
    common = {name: len(np.intersect1d(keys["original"], keys[name])) for name in looks}
    assert common["copy"] > 100 and common["other"] <= 2
    part = piece_keys(looks["original"][:150].astype(np.float32), starts[:30], still=0.01, bits=18, tables=8)
    chosen = [np.unique(k[bottom_k(k, 64)]) for k in (keys["original"], keys["copy"], part)]
    assert [len(c) for c in chosen] == [64, 64, 64]
    # The choice follows the keys: what is chosen in one copy is what is chosen in another.
    assert len(np.intersect1d(chosen[0], chosen[1])) > 64 * common["copy"] / keys["copy"].size / 2


def test_pieces_are_parts_of_shots():
    assert pieces(np.array([0, 4, 30]), np.arange(35.0)).tolist() == [0, 4, 14, 24, 30]
