"""The kernels trace into one graph where the host need not look at values."""

import torch

from model.ops.dks.gap_fill import fill_gaps
from model.ops.dks.keyframes import select_in_rounds
from model.ops.dks.recurrent import lowest_between
from model.ops.dks.vectors import Vectors
from model.ops.hico import dropout
from model.ops.hico.clip_merge import merge_clips


def compiled(function):
    return torch.compile(function, fullgraph=True, backend="aot_eager")


def rng():
    return torch.Generator().manual_seed(0)


def test_clip_merging():
    x = torch.randn(2, 100, 24, generator=rng())
    run = lambda x: merge_clips(x, heads=4, target=16, return_sizes=True, return_sources=True, validate=False)  # noqa: E731
    for ours, theirs in zip(compiled(run)(x), run(x), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_visual_dropout():
    visual = torch.rand(2, 50, generator=rng()) < 0.6
    queries, keys = torch.randn(2, 50, 4, 8, generator=rng()), torch.randn(2, 50, 2, 8, generator=rng())

    def run(queries, keys, visual):
        kept = dropout.uniform_keep(visual, 0.75)
        scores = dropout.attention_scores(queries, keys, kept, ~visual, most=50)
        kept = dropout.attention_keep(scores, kept, 0.25, original_B=visual.sum(dim=1))
        return kept, *dropout.repack(queries.flatten(2), kept | ~visual, length=40)

    for ours, theirs in zip(compiled(run)(queries, keys, visual), run(queries, keys, visual), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_keyframe_rounds_and_gap_filling():
    frames, queries = torch.randn(80, 16, generator=rng()), torch.randn(3, 16, generator=rng())
    vectors, units = Vectors(frames, name="frames"), torch.nn.functional.normalize(queries, dim=1)

    def run(units):
        relevance = vectors.dots(units) / vectors.length_N
        selected = select_in_rounds(vectors, relevance, 12, tau=0.3, inclusive=False, floor=0.2)
        return selected, fill_gaps(selected, num_frames=80), lowest_between(relevance, selected[:, 0])

    for ours, theirs in zip(compiled(run)(units), run(units), strict=True):
        assert torch.equal(ours, theirs)
