import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from model.ops.dfm import naive
from model.ops.dfm.feature_merger import FeatureMerger, preceding

MAPS = ("text", "patch_to_text", "reference", "patch_to_reference")


def case(num_frames=40, seed=0, temperature=0.01):
    torch.manual_seed(seed)
    merger = FeatureMerger(12, text_width=6, temperature=temperature)
    keyframes = torch.tensor([[3, 17, 30], [0, -1, -1], [-1, -1, -1], [30, 3, -1]])
    return merger, torch.randn(num_frames, 5, 12), torch.randn(4, 6), keyframes


def direct(merger, x, text, keyframes):
    """The formula in torch, frame by frame, for gradients."""
    rows = []
    for query in range(len(text)):
        tokens = []
        for n in range(len(x)):
            before = [s for s in keyframes[query].tolist() if 0 <= s < n]
            other = x[max(before)] if before else x[n]
            score = cosine_similarity(merger.text(text[query])[None], merger.patch_to_text(x[n]), dim=1)
            score = score - cosine_similarity(merger.reference(other), merger.patch_to_reference(x[n]), dim=1)
            tokens.append((score / merger.log_temperature.exp()).softmax(0) @ x[n])
        rows.append(torch.stack(tokens))
    return torch.stack(rows)


def test_agrees_with_the_loops():
    merger, x, text, keyframes = case()
    maps = [(getattr(merger, m).weight, getattr(merger, m).bias) for m in MAPS]
    maps = [tuple(t.detach().double().numpy() for t in pair) for pair in maps]
    for query, tokens in enumerate(merger(x, text, keyframes)):
        selected = keyframes[query].tolist()
        theirs = naive.merge_released(x.double().numpy(), text[query].double().numpy(), selected, maps, 0.01)
        np.testing.assert_allclose(tokens.detach(), theirs, atol=1e-4)


@pytest.mark.parametrize("temperature", [0.01, 0.5])
def test_gradients_agree_with_the_formula(temperature):
    merger, x, text, keyframes = case(temperature=temperature)
    weight = torch.randn(4, 40, 12)
    gradients = []
    for function in (merger.__call__, lambda *a: direct(merger, *a)):
        leaves = [x.clone().requires_grad_(), text.clone().requires_grad_(), *merger.parameters()]
        loss = (function(*leaves[:2], keyframes) * weight).sum()
        gradients.append(torch.autograd.grad(loss, leaves))
    for ours, theirs in zip(*gradients, strict=True):
        assert theirs.abs().max() > 0
        torch.testing.assert_close(ours, theirs, atol=1e-3 * float(theirs.abs().max()), rtol=1e-3)


def test_cached_norms_give_the_same_tokens():
    merger, x, text, keyframes = case()
    with torch.no_grad():
        tokens = merger(x, text, keyframes)
        torch.testing.assert_close(merger(x, text, keyframes, norms=merger.frozen_norms(x)), tokens)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_close_and_finite(dtype):
    merger, x, text, keyframes = case()
    x, text, merger = x.to(dtype).float(), text.to(dtype).float(), merger.to(dtype).float()
    with torch.no_grad():
        whole = merger(x, text, keyframes)
        half = merger.to(dtype)(x.to(dtype), text.to(dtype), keyframes)
    assert half.dtype == dtype
    assert half.isfinite().all()
    similarity = cosine_similarity(whole, half.float(), dim=2)
    assert similarity.quantile(0.05) > 0.9


def test_the_reference_is_the_nearest_keyframe_strictly_before():
    keyframes = torch.tensor([[2, 4, -1], [-1, 0, -1], [-1, -1, -1]])
    assert preceding(keyframes, 6).tolist() == [[-1, -1, -1, 2, 2, 4], [-1, 0, 0, 0, 0, 0], [-1] * 6]


@pytest.mark.slow
def test_training_learns_to_point_at_what_the_text_names():
    """Patches carry one of four codes; the text says which one the token should be made of."""
    torch.manual_seed(0)
    codes = torch.nn.functional.one_hot(torch.arange(4), 8).float()
    merger = FeatureMerger(8, text_width=4, temperature=0.1)
    optimizer = torch.optim.Adam(merger.parameters(), lr=1e-2)
    none = torch.full((4, 1), -1)
    losses = []
    for _ in range(150):
        order = torch.stack([torch.randperm(4) for _ in range(6)])
        tokens = merger(codes[order] + 0.05 * torch.randn(6, 4, 8), torch.eye(4), none)
        loss = (tokens - codes[:, None]).square().sum(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_no_frames_give_no_tokens_and_errors_name_the_shapes():
    merger, x, text, keyframes = case()
    assert merger(x[:0], text, torch.full_like(keyframes, -1)).shape == (4, 0, 12)
    with pytest.raises(ValueError, match=r"\[40, 5, 7\]"):
        merger(x[..., :7], text, keyframes)
    with pytest.raises(ValueError, match="temperature = 0"):
        FeatureMerger(4, temperature=0)


def test_no_queries_give_no_tokens_and_wrong_keyframes_are_refused():
    merger, x, text, keyframes = case()
    assert merger(x, text[:0], keyframes[:0]).shape == (0, 40, 12)
    with pytest.raises(ValueError, match="keyframe 40 is beyond the video's 40 frames"):
        merger(x, text, torch.full((4, 1), 40))
    with pytest.raises(TypeError, match="torch.float32"):
        merger(x, text, keyframes.float())
