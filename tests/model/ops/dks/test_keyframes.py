from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from model.ops.dks import naive
from model.ops.dks.keyframes import select_keyframes, select_keyframes_ragged

GOLDEN = Path(__file__).parent / "golden" / "dks_released.npz"


def video(num_frames, width=16, *, scenes=7, spread=0.4, seed=0, num_queries=3, dtype=torch.float32):
    """Frames of a few scenes that come back, and queries: `[N, D]`, `[Q, D]`."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(scenes, width)) + 1.0
    frames = centers[(np.arange(num_frames) // 4) % scenes] + spread * rng.normal(size=(num_frames, width))
    queries = rng.normal(size=(num_queries, width)) + 0.5
    return torch.tensor(frames).to(dtype), torch.tensor(queries).to(dtype)


def keyframes(selected):
    return [selected.of(query) for query in range(len(selected.counts))]


def loops(frames, queries, mode, *, k, tau, floor=0.2):
    """The keyframes by the reference, on the very values the kernel sees."""
    f, q = frames.double().numpy(), queries.double().numpy()
    if mode == "paper":
        return [naive.keyframes_paper(f, query, k, tau) for query in q]
    return [naive.keyframes_released(f, query, k, tau, floor) for query in q]


@pytest.mark.parametrize("mode", ["paper", "released"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("k", [1, 8, 40])
@pytest.mark.parametrize("num_frames", [0, 1, 7, 60, 90])
def test_agrees_with_the_loops(num_frames, k, dtype, mode):
    frames, queries = video(num_frames, dtype=dtype)
    ours = select_keyframes(frames, queries, k=k, tau=0.8, mode=mode)
    assert ours.indices.shape == (3, k)
    assert ours.indices.dtype == torch.int64
    assert keyframes(ours) == loops(frames, queries, mode, k=k, tau=0.8)


@pytest.mark.parametrize("mode", ["paper", "released"])
def test_padding_counts_and_relevance_agree(mode):
    frames, queries = video(60)
    ours = select_keyframes(frames, queries, k=32, mode=mode)
    for query in range(3):
        count = ours.counts[query]
        assert (ours.indices[query, count:] == -1).all()
        assert (ours.relevance[query, count:] == 0).all()
        expected = [naive.cosine(frames[n], queries[query]) for n in ours.of(query)]
        np.testing.assert_allclose(ours.relevance[query, :count], expected, atol=1e-5)


@pytest.mark.parametrize("case", sorted({name[:3] for name in np.load(GOLDEN)}))
def test_released_keyframes_are_those_of_the_authors_code(case):
    golden = np.load(GOLDEN)
    k, floor, tau = golden[f"{case}_params"].tolist()
    ours = select_keyframes(
        torch.tensor(golden[f"{case}_frames"]),
        torch.tensor(golden[f"{case}_query"])[None],
        k=int(k),
        tau=tau,
        mode="released",
        relevance_floor=floor,
    )
    assert ours.of(0) == golden[f"{case}_picks"].tolist()


def test_of_identical_frames_one_is_taken():
    frames = torch.full((50, 8), 0.3)
    queries = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    assert select_keyframes(frames, queries, k=4).counts.tolist() == [1] * 64


def test_no_frame_above_the_floor_spreads_the_keyframes_evenly():
    frames = torch.eye(2)[torch.zeros(100, dtype=torch.long)]
    ours = select_keyframes(frames, torch.tensor([[0.0, 1.0]]), k=4, mode="released")
    assert keyframes(ours) == [naive.fill_gaps([], 4, 100)]


def test_a_cosine_of_exactly_tau_is_dropped_by_the_paper_and_kept_by_the_released_code():
    frames = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])  # the last is at a right angle to the first: cosine 0
    query = torch.tensor([[1.0, 0.0]])
    assert select_keyframes(frames, query, k=3, tau=0.0).of(0) == [0]
    assert select_keyframes(frames, query, k=2, tau=0.0, mode="released", relevance_floor=-1).of(0) == [0, 2]


@pytest.mark.parametrize("tau", [1.0, 2.0, float("inf")])
def test_tau_from_one_on_is_the_top_k_by_relevance(tau):
    frames, queries = video(300, seed=3)
    ours = select_keyframes(frames, queries, k=32, tau=tau)
    assert keyframes(ours) == loops(frames, queries, "paper", k=32, tau=tau)


def mixed_video(rng, num_frames, width):
    """Stretches of slides (frames that are nearly one) between stretches of live frames."""
    frames, slides = [], rng.normal(size=(int(rng.integers(1, 8)), width)) + 0.7
    while len(frames) < num_frames:
        length, is_static = int(rng.integers(1, 60)), rng.random() < 0.5
        center = slides[rng.integers(len(slides))]
        frames += list(center + (1e-3 if is_static else 0.8) * rng.normal(size=(length, width)))
    return np.stack(frames[:num_frames])


def is_clear(frames, queries, k, tau, margin=1e-6):
    """Whether no comparison of the greedy selection in float64 is within the margin of falling out otherwise."""
    unit, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (frames, queries))
    for left in asked @ unit.T:
        for _ in range(k):
            best, others = left.argmax(), np.delete(left, left.argmax())
            cosine = unit @ unit[best]
            if (others > left[best] - margin).any() or (np.abs(cosine - tau)[left > -np.inf] < margin).any():
                return False
            left[cosine >= tau] = -np.inf
            if left.max() == -np.inf:
                break
    return True


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("mode", ["paper", "released"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
@pytest.mark.slow
def test_keyframes_are_those_of_the_float64_loops_in_any_company(seed, mode, dtype):
    rng = np.random.default_rng(seed)
    frames = torch.tensor(mixed_video(rng, int(rng.integers(1, 250)), width=24)).to(dtype)
    queries = torch.tensor(rng.normal(size=(6, 24)) + 0.3).to(dtype)
    k, tau = int(rng.integers(1, 40)), float(rng.uniform(0.3, 0.99))
    assume(is_clear(frames.double().numpy(), queries.double().numpy(), k, tau))
    whole = select_keyframes(frames, queries, k=k, tau=tau, mode=mode)
    assert keyframes(whole) == loops(frames, queries, mode, k=k, tau=tau)
    order = torch.tensor(rng.permutation(6))
    assert torch.equal(whole.indices[order], select_keyframes(frames, queries[order], k=k, tau=tau, mode=mode).indices)
    alone = [select_keyframes(frames, queries[i : i + 1], k=k, tau=tau, mode=mode).of(0) for i in range(6)]
    assert keyframes(whole) == alone


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_no_two_keyframes_are_similar_and_a_repeated_call_gives_the_same_bits(seed):
    rng = np.random.default_rng(seed)
    frames = torch.tensor(mixed_video(rng, 400, width=8), dtype=torch.float32)
    queries = torch.tensor(rng.normal(size=(9, 8)), dtype=torch.float32)
    ours, again = (select_keyframes(frames, queries, k=20, tau=0.85) for _ in range(2))
    assert torch.equal(ours.indices, again.indices)
    assert torch.equal(ours.relevance, again.relevance)
    unit = torch.nn.functional.normalize(frames.double(), dim=1)
    for selected in keyframes(ours):
        cosine = unit[selected] @ unit[selected].T
        assert (cosine - torch.eye(len(selected))).max() < 0.85 + 1e-6


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_keyframes_do_not_change_when_a_program_allows_rough_products(precision):
    frames, queries = video(300, width=64, num_queries=8)
    before = select_keyframes(frames, queries)
    try:
        torch.set_float32_matmul_precision(precision)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            after = select_keyframes(frames, queries)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert torch.equal(before.indices, after.indices)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_length_does_not_matter(scale):
    frames, queries = video(120)
    expected = loops(frames * scale, queries, "paper", k=8, tau=0.8)
    assert keyframes(select_keyframes(frames * scale, queries, k=8, tau=0.8)) == expected


@pytest.mark.parametrize("mode", ["paper", "released", "recurrent"])
def test_embeddings_of_length_one_take_the_same_way(mode):
    frames, queries = video(300, scenes=40, num_queries=5)
    unit = torch.nn.functional.normalize(frames, dim=1)
    expected = select_keyframes(unit * 2, queries, k=12, tau=0.8, mode=mode)
    assert torch.equal(select_keyframes(unit, queries, k=12, tau=0.8, mode=mode).indices, expected.indices)
    if mode != "recurrent":
        assert keyframes(expected) == loops(unit, queries, mode, k=12, tau=0.8)


def test_ragged_videos_are_each_as_if_alone():
    batch = [video(n, seed=n, num_queries=q) for n, q in ((0, 2), (50, 1), (200, 0), (9, 64))]
    ours = select_keyframes_ragged([f for f, _ in batch], [q for _, q in batch], k=6)
    for selected, (frames, queries) in zip(ours, batch, strict=True):
        assert torch.equal(selected.indices, select_keyframes(frames, queries, k=6).indices)
    with pytest.raises(ValueError, match="2 videos"):
        select_keyframes_ragged([batch[0][0]] * 2, [batch[0][1]])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"k": 0}, "k = 0"),
        ({"mode": "new"}, "mode = 'new'"),
        ({"tau": float("nan")}, "tau = nan"),
        ({"frames": torch.full((3, 4), float("nan"))}, r"frames\[0\]"),
        ({"frames": torch.eye(4) * torch.tensor([1.0, 0, 1, 1])}, r"frames\[1\].*only zeros"),
        ({"queries": torch.zeros(1, 4)}, r"queries\[0\]"),
        ({"queries": torch.ones(1, 5)}, r"\[1, 5\]"),
    ],
)
def test_errors_name_what_is_wrong(change, match):
    arguments = {"frames": torch.eye(4), "queries": torch.ones(1, 4), **change}
    with pytest.raises(ValueError, match=match):
        select_keyframes(arguments.pop("frames"), arguments.pop("queries"), **arguments)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"k": 2.5}, "k = 2.5"),
        ({"k": True}, "k = True"),
        ({"frames": np.eye(4)}, "frames: expected a torch tensor, got ndarray"),
        ({"queries": [[1.0, 0.0, 0.0, 0.0]]}, "queries: expected a torch tensor, got list"),
    ],
)
def test_wrong_types_are_named(change, match):
    arguments = {"frames": torch.eye(4), "queries": torch.ones(1, 4), **change}
    with pytest.raises(TypeError, match=match):
        select_keyframes(arguments.pop("frames"), arguments.pop("queries"), **arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("mode", ["paper", "released"])
def test_a_gpu_selects_what_a_cpu_selects(mode):
    for seed in range(20):
        frames, queries = video(1000, width=512, scenes=60, spread=0.7, seed=seed, num_queries=16)
        here = select_keyframes(frames, queries, mode=mode)
        there = select_keyframes(frames.cuda(), queries.cuda(), mode=mode)
        for query in range(16):  # a pair of frames within 1e-6 of tau may be decided otherwise
            assert len(set(here.of(query)) ^ set(there.of(query))) <= 2
