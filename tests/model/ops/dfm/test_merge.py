import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops.dfm import merge, naive
from model.ops.dfm.merge import merge_frames, merge_sweep
from model.ops.dks.keyframes import select_keyframes


def case(num_frames, *, patches=9, width=12, joint_width=7, num_queries=4, k=5, seed=0, dtype=torch.float32):
    rng = np.random.default_rng(seed)
    features = torch.tensor(rng.normal(size=(num_frames, patches, width))).to(dtype)
    joint = torch.tensor(rng.normal(size=(num_frames, patches, joint_width))).to(dtype)
    queries = torch.tensor(rng.normal(size=(num_queries, joint_width))).to(dtype)
    keyframes = torch.full((num_queries, k), -1)
    for query in range(num_queries):
        selected = rng.permutation(num_frames)[: rng.integers(0, k + 1)]
        keyframes[query, : len(selected)] = torch.tensor(np.sort(selected))
    return features, joint, queries, keyframes


def sweep(features, joint, queries, keyframes, sizes=(), **options):
    """Runs it in chunks of these sizes, over and over."""
    chunks, at, sizes = [], 0, list(sizes) or [max(1, len(features))]
    while at < len(features):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append((features[at : at + size], joint[at : at + size]))
        at += size
    tokens = list(merge_sweep(chunks, queries, keyframes, **options))
    assert [t.shape[1] for t in tokens] == [len(f) for f, _ in chunks]
    return torch.cat(tokens, dim=1) if tokens else features.new_zeros(len(queries), 0, features.shape[2])


def loops(features, joint, queries, keyframes, alpha=0.01, lam=1.0):
    parts = (features.double().numpy(), joint.double().numpy())
    rows = zip(queries.double().numpy(), keyframes.tolist(), strict=True)
    return torch.tensor(np.stack([naive.merge_paper(*parts, query, row, alpha, lam) for query, row in rows]))


TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 3e-3}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("num_frames", [0, 1, 17, 40])
def test_agrees_with_the_loops(num_frames, dtype):
    arguments = case(num_frames, dtype=dtype)
    ours = sweep(*arguments)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.double(), loops(*arguments), atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype])


@pytest.mark.parametrize(("alpha", "lam"), [(0.001, 1.0), (0.1, 1.0), (0.01, 0.0), (0.01, 0.5)])
def test_agrees_with_the_loops_at_other_settings(alpha, lam):
    arguments = case(30)
    theirs = loops(*arguments, alpha=alpha, lam=lam)
    torch.testing.assert_close(sweep(*arguments, alpha=alpha, lam=lam).double(), theirs, atol=1e-3, rtol=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.lists(st.integers(1, 25), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_chunks_do_not_matter(num_frames, sizes, seed):
    arguments = case(num_frames, seed=seed)
    torch.testing.assert_close(sweep(*arguments, sizes=sizes), sweep(*arguments), atol=5e-5, rtol=1e-5)


def test_queries_do_not_matter_to_one_another():
    features, joint, queries, keyframes = case(50, num_queries=6, k=8)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    whole = sweep(features, joint, queries, keyframes)
    torch.testing.assert_close(whole[order], sweep(features, joint, queries[order], keyframes[order]))
    torch.testing.assert_close(whole[2:3], sweep(features, joint, queries[2:3], keyframes[2:3]), atol=1e-5, rtol=1e-5)


def test_a_token_is_a_mean_of_its_patches():
    """With features of all ones the token is the sum of the weights."""
    features, joint, queries, keyframes = case(30, dtype=torch.float16)
    torch.testing.assert_close(
        sweep(torch.ones_like(features), joint, queries, keyframes), torch.ones(4, 30, 12, dtype=torch.float16)
    )


def test_a_still_video_weighs_patches_by_the_query_alone():
    """All patches are equally like the reference: the second term is the same everywhere and drops out."""
    features, joint, queries, _ = case(1)
    still = (features.expand(20, -1, -1), joint.expand(20, -1, -1))
    tokens = sweep(*still, queries, torch.tensor([[3, 9]] * 4))
    torch.testing.assert_close(tokens[:, 1:], tokens[:, :1].expand(-1, 19, -1), atol=1e-4, rtol=1e-4)


def test_what_changed_since_the_keyframe_draws_the_weight():
    joint = torch.nn.functional.one_hot(torch.zeros(2, 6, dtype=torch.long), 4).float()
    joint[1, 4] = torch.tensor([0.0, 0, 1, 0])
    features = torch.eye(6).expand(2, -1, -1)
    tokens = sweep(features, joint, torch.tensor([[0.0, 0, 0, 1]]), torch.tensor([[0]]))
    assert tokens[0, 1].argmax() == 4
    assert tokens[0, 1, 4] > 0.999


def test_keyframes_are_held_only_while_a_query_looks_back_at_them(monkeypatch):
    held = []
    release = merge.References.keep_only

    def watch(self, frames):
        release(self, frames)
        held.append(len(self.slot_of))

    monkeypatch.setattr(merge.References, "keep_only", watch)
    features, joint, queries, _ = case(400, num_queries=2)
    sweep(features, joint, queries, torch.arange(0, 400, 3)[:120].expand(2, -1), sizes=[7])
    assert max(held) == 1


def test_a_chunk_may_be_overwritten_after_its_turn():
    features, joint, queries, keyframes = case(40)
    expected = sweep(features, joint, queries, keyframes)
    buffers = torch.empty_like(features[:8]), torch.empty_like(joint[:8])

    def chunks():
        for at in range(0, 40, 8):
            for buffer, source in zip(buffers, (features, joint), strict=True):
                buffer.copy_(source[at : at + 8])
            yield buffers

    tokens = torch.cat(list(merge_sweep(chunks(), queries, keyframes)), dim=1)
    torch.testing.assert_close(tokens, expected, atol=1e-5, rtol=1e-5)


def test_autocast_does_not_coarsen_the_scores():
    arguments = case(20)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = sweep(*arguments)
    torch.testing.assert_close(inside, sweep(*arguments))


def test_errors_name_what_is_wrong():
    features, joint, queries, keyframes = case(10)
    for change, match in [
        ({"alpha": 0.0}, "alpha = 0"),
        ({"keyframes": keyframes[:1]}, "4 queries"),
        ({"keyframes": torch.tensor([[10]] * 4)}, "keyframe 10"),
        ({"joint": joint[..., :3]}, r"joint \[10, 9, 3\]"),
        ({"queries": queries * 0}, r"queries\[0\]"),
        ({"joint": joint * float("nan")}, "frame 0"),
        ({"joint": torch.cat([joint[:7], joint[7:] * 0])}, "frame 7"),
    ]:
        arguments = {"features": features, "joint": joint, "queries": queries, "keyframes": keyframes, **change}
        with pytest.raises(ValueError, match=match):
            sweep(**arguments)


@pytest.mark.parametrize("keyframes", [torch.zeros(4, 2), torch.zeros(4, 2, dtype=torch.bool), [[0, 1]] * 4])
def test_keyframes_that_are_no_integers_are_refused_at_the_call(keyframes):
    with pytest.raises(TypeError, match="a tensor of integers"):
        merge_sweep([], torch.ones(4, 7), keyframes)


def test_wrong_settings_are_refused_at_the_call():
    for options, match in [({"alpha": -1.0}, "alpha = -1"), ({"alpha": float("nan")}, "alpha = nan")]:
        with pytest.raises(ValueError, match=match):
            merge_sweep([], torch.ones(1, 7), torch.zeros(1, 1, dtype=torch.int64), **options)
    with pytest.raises(ValueError, match="for 1 queries"):
        merge_sweep([], torch.ones(1, 7), torch.zeros(2, 1, dtype=torch.int64))


def test_a_whole_video_is_merged_in_one_call_with_what_the_selection_returns():
    features, joint, queries, _ = case(40)
    selected = select_keyframes(joint.mean(dim=1), queries, k=5)
    tokens = merge_frames(features, joint, queries, selected)
    assert tokens.shape == (4, 40, 12)
    torch.testing.assert_close(
        tokens, sweep(features, joint, queries, selected.indices, sizes=[7]), atol=5e-5, rtol=1e-5
    )


def test_no_queries_give_no_tokens():
    features, joint, _, _ = case(10)
    assert merge_frames(features, joint, torch.ones(0, 7), torch.zeros(0, 3, dtype=torch.int64)).shape == (0, 10, 12)
