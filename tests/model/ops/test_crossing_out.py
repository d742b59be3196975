import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops import crossing_out
from model.ops.crossing_out import cross_out
from model.ops.frame_runs import LONGEST, FrameRuns
from model.ops.keyframes import pick_in_rounds
from model.ops.lazy_greedy import pick_lazily
from model.ops.likeness import Likeness
from model.ops.vectors import Vectors


def shots(num_frames, width, spread, seed):
    """Frames that drift within shots, of which some repeat the frame before, and shots that come back: `[N, D]`."""
    rng = np.random.default_rng(seed)
    settings = rng.normal(size=(6, width)) + 1
    setting_N = rng.integers(6, size=num_frames)[(rng.random(num_frames) < 0.08).cumsum()]
    frames = settings[setting_N] + spread * rng.normal(size=(num_frames, width)).cumsum(axis=0) / 10
    still_N = np.maximum.accumulate(np.where(rng.random(num_frames) < 0.8, np.arange(num_frames), 0))
    return torch.tensor(frames[still_N]).float()


def exactly(vectors, picks, tau, inclusive):
    """By the loop: all exact cosines."""
    dead = torch.zeros(len(picks), len(vectors), dtype=torch.bool)
    for row, frames in enumerate(picks):
        cosines = vectors.exact_cosines(vectors.units(torch.tensor(frames, dtype=torch.int64)))
        dead[row] = (cosines >= tau if inclusive else cosines > tau).any(dim=0)
    return dead


@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.0, 0.1, 0.5, 2.0]),
    tau=st.sampled_from([None, -1.0, 0.0, 0.5, 0.85, 0.99, 1.0]),
    unit=st.booleans(),
    doubtful=st.sampled_from([0.0, 1 / 16, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_crosses_out_what_the_exact_cosines_say(seed, spread, tau, unit, doubtful):
    rng = np.random.default_rng(seed)
    frames = shots(int(rng.integers(2, 400)), int(rng.choice([2, 16, 64])), spread, seed)
    frames = torch.nn.functional.normalize(frames, dim=1) if unit else frames
    vectors, inclusive = Vectors(frames, name="frames"), bool(seed % 2)
    if tau is None:  # just at a cosine
        tau = float(vectors.exact_pairs(torch.tensor([0]), torch.tensor([len(frames) // 2])))
    picks = [
        rng.choice(len(frames), size=int(n), replace=False).tolist() for n in rng.integers(0, 5, size=4) % len(frames)
    ]
    likeness = Likeness(vectors, tau=tau, inclusive=inclusive)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(crossing_out, "DOUBTFUL", doubtful)
        dead = cross_out(likeness, FrameRuns(likeness), picks)
    assert torch.equal(dead, exactly(vectors, picks, tau, inclusive))


@given(seed=st.integers(0, 2**32 - 1), threads=st.sampled_from([1, 3]))
@settings(max_examples=25, deadline=None)
def test_picks_of_a_video_of_shots(seed, threads):
    rng = np.random.default_rng(seed)
    frames = shots(int(rng.integers(2, 900)), 16, float(rng.choice([0.1, 0.5])), seed)
    vectors, queries = Vectors(frames, name="frames"), torch.tensor(rng.normal(size=(5, 16)) + 0.5)
    relevance = vectors.exact_cosines(Vectors(queries, name="queries").units(slice(None)), threads)
    tau, k = float(rng.choice([0.8, 0.9, 0.97])), int(rng.integers(1, 60))
    lazily = pick_lazily(Likeness(vectors, tau=tau, inclusive=True), relevance, k, floor=-torch.inf, threads=threads)
    assert torch.equal(lazily, pick_in_rounds(vectors, relevance, k, tau=tau, inclusive=True, floor=-torch.inf))


def test_runs_follow_the_shots_and_settle_most_comparisons():
    centers = torch.nn.functional.normalize(torch.randn(10, 64, generator=torch.Generator().manual_seed(0)), dim=1)
    frames = centers.repeat_interleave(50, dim=0)
    frames = frames + 0.01 * torch.randn(frames.shape, generator=torch.Generator().manual_seed(1))
    likeness = Likeness(Vectors(frames, name="frames"), tau=0.85, inclusive=True)
    runs = FrameRuns(likeness)
    assert runs.length_R.tolist() == [LONGEST, 50 - LONGEST] * 10
    alike, unsure = runs.compare(likeness.rows(torch.arange(0, 500, 50)))
    assert not unsure.any()
    assert torch.equal(alike, torch.eye(10, dtype=torch.bool).repeat_interleave(2, dim=1))
    pick, frame = runs.frames(torch.tensor([3, 0]))
    assert pick.tolist() == [0] * 18 + [1] * 32
    assert frame.tolist() == [*range(82, 100), *range(32)]


def test_frames_that_differ_from_their_neighbours_have_no_runs():
    frames = torch.randn(100, 64, generator=torch.Generator().manual_seed(0))
    assert not FrameRuns(Likeness(Vectors(frames, name="frames"), tau=0.85, inclusive=True)).worthwhile
