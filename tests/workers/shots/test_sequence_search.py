"""Parts of known videos are found in copies that were cut, changed and sampled at other instants, and nowhere else."""

import numpy as np
import pytest

from workers.shots.sequence_search import search
from workers.shots.sequence_windows import windows_of

AGREE, STILL, WIDTH = 0.55, 0.01, 48


def film(seed: int, seconds: int = 240, *, per_second: int = 4) -> np.ndarray:
    """Descriptors of a video of shots of a few seconds, each drifting; float32 [seconds * per_second, WIDTH]."""
    rng = np.random.default_rng(seed)
    length = seconds * per_second
    looks = np.zeros((length, WIDTH))
    start = 0
    while start < length:
        end = min(length, start + int(rng.integers(2, 9)) * per_second)
        drift = rng.normal(size=WIDTH) * np.linspace(0, 0.6, end - start)[:, None]
        looks[start:end] = rng.normal(size=WIDTH) + drift
        start = end
    looks += np.random.default_rng(1).normal(size=WIDTH)  # all look similar, as videos of one studio
    return (looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32)


def sampled(film_ND: np.ndarray, *, phase: int = 0, noise: float = 0.0) -> np.ndarray:
    """One per second, from a later quarter of the second, with noise as of another encoder."""
    seconds = film_ND[phase::4]
    return seconds + noise * np.random.default_rng(9).normal(size=seconds.shape).astype(np.float32) / np.sqrt(WIDTH)


KNOWN = windows_of([sampled(film(seed)) for seed in range(8)], still=STILL)


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize(("begin", "seconds"), [(0, 240), (70, 30), (101, 30), (205, 30)])
def test_copies_and_cuts_are_found_at_their_place(phase, begin, seconds):
    copy = sampled(film(3), phase=phase, noise=0.2)[begin : begin + seconds]
    found = search(KNOWN, copy, agree=AGREE)
    assert [f.owner for f in found] == [3]
    assert abs(found[0].offset_s + begin) <= 2
    assert 12 < found[0].seconds <= seconds


def test_a_cut_within_another_video_is_found():
    around = np.concatenate([sampled(film(50))[:60], sampled(film(5), noise=0.2)[100:140], sampled(film(51))[:60]])
    assert [f.owner for f in search(KNOWN, around, agree=AGREE)] == [5]


def test_other_videos_are_not_found():
    assert sum(bool(search(KNOWN, sampled(film(seed)), agree=AGREE)) for seed in range(100, 160)) == 0


def test_the_same_motion_before_another_scene_is_not_found():
    """As of two drawn films, in which the same figure moves in the same way over two backgrounds."""
    motion = sampled(film(3)) - sampled(film(3)).mean(axis=0)
    scenes = np.eye(WIDTH)[:2] * 2
    here, there = ((motion + s) / np.linalg.norm(motion + s, axis=1, keepdims=True) for s in scenes)
    windows = windows_of([here.astype(np.float32)], still=STILL)
    assert [f.owner for f in search(windows, here[60:120], agree=AGREE)] == [0]
    assert search(windows, there.astype(np.float32), agree=AGREE) == []


@pytest.mark.parametrize("seconds", [3, 5, 11, 17])
@pytest.mark.parametrize("place", [0, 60])
def test_short_videos_are_found_by_what_they_show(seconds, place):
    short = windows_of([sampled(film(3))[60 : 60 + seconds], sampled(film(4))[:seconds]], still=STILL)
    assert [short.is_known(number) for number in range(3)] == [True, True, False]
    copy = sampled(film(3), phase=1, noise=0.1)[place : 60 + seconds]
    [found] = search(short, copy, agree=AGREE)
    assert found.owner == 0 and abs(found.offset_s - (60 - place)) <= 2
    assert sum(bool(search(short, sampled(film(seed)), agree=AGREE)) for seed in range(100, 130)) == 0


def test_still_videos_are_found_by_what_they_show():
    looks = [np.repeat(sampled(film(seed))[:1], 60, axis=0) for seed in range(40)]
    still = windows_of(looks[:3], still=STILL)
    noise = 0.05 * np.random.default_rng(3).normal(size=(30, WIDTH)).astype(np.float32) / np.sqrt(WIDTH)
    assert [f.owner for f in search(still, looks[1][:30] + noise, agree=AGREE)] == [1]
    assert not any(search(still, look, agree=AGREE) for look in looks[3:])
    moving = np.concatenate([sampled(film(1)), looks[1]])
    assert [f.owner for f in search(still, moving, agree=AGREE)] == [1]


def test_even_black_is_in_no_other_video():
    black = np.repeat(sampled(film(1))[:1] / np.sqrt(2), 60, axis=0)
    windows = windows_of([black, sampled(film(1))[:2]], still=STILL)
    assert not windows.looks and not windows.is_known(0) and not windows.is_known(1)


def test_what_does_not_change_or_is_too_short_tells_nothing():
    still = np.repeat(sampled(film(1))[:1], 100, axis=0)
    assert search(KNOWN, still, agree=AGREE) == []
    assert search(KNOWN, sampled(film(3))[:5], agree=AGREE) == []
    assert search(windows_of([], still=STILL), still, agree=AGREE) == []
