import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.ops.hico import dropout, naive


def masks(seed, batch=3, length=40):
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.random((batch, length)) < rng.random((batch, 1)))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1.0))
def test_uniform_keeps_what_linspace_says(seed, ratio):
    visual = masks(seed)
    kept = dropout.uniform_keep(visual, ratio)
    for row in range(3):
        places = visual[row].nonzero().squeeze(1)
        count = int(dropout.keep_count(torch.tensor([len(places)]), ratio))
        expected = places[naive.uniform_positions(len(places), count)] if len(places) else places
        assert kept[row].nonzero().squeeze(1).tolist() == expected.tolist()


def test_the_published_setting_counts_from_the_original():
    visual = torch.ones(1, 200, dtype=torch.bool)
    original = visual.sum(dim=1)
    first = dropout.uniform_keep(visual, 0.75, original_B=original)
    scores = torch.rand(1, 200, generator=torch.Generator().manual_seed(0))
    second = dropout.attention_keep(scores, first, 0.25, original_B=original)
    assert (first.sum(), second.sum()) == (150, 50)
    assert (second & ~first).sum() == 0
    assert dropout.uniform_keep(second, 0.5, original_B=original).equal(second)


@pytest.mark.parametrize(
    ("count", "ratio", "kept"), [(100, 0.29, 29), (30, 0.1, 3), (3, 0.1, 1), (0, 0.5, 0), (7, 1, 7)]
)
def test_keep_count(count, ratio, kept):
    assert dropout.keep_count(torch.tensor([count]), ratio).item() == kept


@pytest.mark.parametrize("ratio", [0.0, -1.0, 1.5])
def test_a_ratio_out_of_range_is_refused(ratio):
    with pytest.raises(ValueError, match="ratio"):
        dropout.uniform_keep(masks(0), ratio)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 64]))
def test_attention_scores_agree_with_the_loops(seed, step):
    rng = np.random.default_rng(seed)
    queries, keys = (torch.tensor(rng.normal(size=(3, 40, h, 5)), dtype=torch.float32) for h in (6, 2))
    visual = masks(seed)
    asked_by = masks(seed + 1) & ~visual
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dropout, "QUERIES_PER_STEP", step)
        ours = dropout.attention_scores(queries, keys, visual, asked_by)
    for row in range(3):
        parts = (t[row].double().numpy() for t in (queries, keys))
        theirs = naive.attention_scores(*parts, visual[row].numpy(), asked_by[row].numpy())
        np.testing.assert_allclose(ours[row], theirs, atol=1e-5)


def published_choice(queries, keys, visual, position, keep):
    """VideoChat-Flash, section 2, for one query position, in float64: the causal softmax, then its visual part."""
    groups = queries.shape[1] // keys.shape[1]
    keys = keys.double().repeat_interleave(groups, dim=1)[: position + 1]
    logits = torch.einsum("hd,lhd->hl", queries[position].double(), keys) / queries.shape[2] ** 0.5
    places = visual.nonzero().squeeze(1)
    scores = logits.softmax(dim=1).mean(dim=0)[places]
    return sorted(places[scores.topk(keep).indices].tolist())


def test_chooses_the_tokens_of_the_published_rule():
    # Text before and after the visual tokens that draws each head to another degree: a softmax over the visual tokens
    # alone would weigh all heads alike, and choose others.
    for seed in range(200):
        chance = torch.Generator().manual_seed(seed)
        queries, keys = (2 * torch.randn(1, 50, heads, 8, generator=chance) for heads in (6, 2))
        visual = torch.zeros(1, 50, dtype=torch.bool)
        visual[0, 6:40] = True
        asked_by = torch.zeros_like(visual)
        asked_by[0, 47] = True
        scores = dropout.attention_scores(queries, keys, visual, asked_by)
        kept = dropout.attention_keep(scores, visual, 0.25)[0].nonzero().squeeze(1).tolist()
        assert kept == published_choice(queries[0], keys[0], visual[0], 47, 8), seed


def test_text_takes_its_share_of_the_attention():
    # The first head attends to text only, so of its visual tokens none counts; alone they would share a whole.
    queries = torch.zeros(1, 5, 2, 1)
    keys = torch.zeros(1, 5, 2, 1)
    queries[0, 4] = 100.0
    keys[0, 0, 0], keys[0, 1, 0], keys[0, 2, 1] = 9.0, 1.0, 1.0
    visual, asked_by = torch.tensor([[False, True, True, True, False]]), torch.arange(5)[None] == 4
    scores = dropout.attention_scores(queries, keys, visual, asked_by)
    torch.testing.assert_close(scores, torch.tensor([[0, 0, 0.5, 0, 0]]))


def test_scores_are_zero_where_nothing_queries():
    queries, keys = (torch.randn(2, 30, 4, 8, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    visual = torch.ones(2, 30, dtype=torch.bool)
    assert (dropout.attention_scores(queries, keys, visual, torch.zeros_like(visual)) == 0).all()


@pytest.mark.parametrize("place", [2, 0], ids=["visual token", "text"])
def test_scores_of_visual_tokens_that_are_nan_are_an_error(place):
    visual = torch.tensor([[False, True, True, True]])
    scores = torch.tensor([[0.0, 1, 2, 3]])
    scores[0, place] = torch.nan
    if visual[0, place]:
        with pytest.raises(FloatingPointError, match="scores of visual tokens are NaN"):
            dropout.attention_keep(scores, visual, 0.5)
    else:
        assert dropout.attention_keep(scores, visual, 0.5).tolist() == [[False, False, False, True]]


def test_attention_keeps_the_highest_in_their_places_first_of_equals():
    scores = torch.tensor([[9.0, 1, 3, 3, 3, 0, 9]])
    visual = torch.tensor([[False, True, True, True, True, True, False]])
    assert dropout.attention_keep(scores, visual, 0.4).nonzero()[:, 1].tolist() == [2, 3]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_repacked_rows_are_the_kept_ones_in_order(seed):
    keep = masks(seed)
    hidden = torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(seed % 2**31)).requires_grad_()
    packed = dropout.repack(hidden, keep)
    for row in range(3):
        count = int(keep[row].sum())
        assert packed.mask[row].sum() == count == packed.mask[row, :count].sum()
        assert packed.positions[row].tolist() == [*range(count), *[0] * (packed.mask.shape[1] - count)]
        assert torch.equal(packed.hidden[row, :count], hidden[row][keep[row]])
        assert packed.sources[row, :count].tolist() == keep[row].nonzero().squeeze(1).tolist()
        assert (packed.sources[row, count:] == -1).all()
        assert (packed.hidden[row, count:] == 0).all()
    packed.hidden.sum().backward()
    assert torch.equal(hidden.grad, keep[..., None].expand_as(hidden).float())


def test_sequences_do_not_matter_to_one_another():
    visual, scores = masks(5, batch=4), torch.rand(4, 40, generator=torch.Generator().manual_seed(2))
    for kept in (dropout.uniform_keep(visual, 0.3), dropout.attention_keep(scores, visual, 0.3)):
        for row in range(4):
            one = slice(row, row + 1)
            alone = dropout.uniform_keep(visual[one], 0.3), dropout.attention_keep(scores[one], visual[one], 0.3)
            assert any(torch.equal(kept[one], a) for a in alone)
