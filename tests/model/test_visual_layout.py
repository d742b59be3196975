import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.ops.dfm import naive
from model.visual_layout import KEYFRAME, MERGED, NEWLINE, visual_layout, visual_layout_clustered


def naive_layout(num_frames, keyframes, patches, merged):
    kinds = []
    for frame in range(num_frames):
        if frame in keyframes:
            kinds += [KEYFRAME] * patches
        elif frame in merged:
            kinds.append(MERGED)
    return [*kinds, NEWLINE]


@given(st.data())
def test_layout_keeps_keyframes_whole_and_subsamples_the_rest_evenly(data):
    num_frames = data.draw(st.integers(1, 60))
    keyframes = np.array(sorted(data.draw(st.sets(st.integers(0, num_frames - 1)))), dtype=np.int64)
    patches = data.draw(st.integers(1, 5))
    room = data.draw(st.integers(0, num_frames + 5))
    limit = len(keyframes) * patches + 1 + room
    kinds, merged = visual_layout(num_frames, keyframes, patches, limit)
    assert kinds.tolist() == naive_layout(num_frames, set(keyframes.tolist()), patches, set(merged.tolist()))
    others = num_frames - len(keyframes)
    assert len(merged) == min(room, others)
    assert len(kinds) <= limit
    assert len(set(merged.tolist())) == len(merged) and not set(merged.tolist()) & set(keyframes.tolist())
    # Even: gaps between neighbours, counted in frames that are no keyframes, differ by one at most.
    ranks = np.searchsorted(np.setdiff1d(np.arange(num_frames), keyframes), merged)
    assert len(set(np.diff(ranks).tolist())) <= 2
    assert np.ptp(np.diff(ranks)) <= 1 if len(ranks) > 1 else True


def test_keyframes_beyond_the_limit_are_refused_with_the_number_to_set():
    with pytest.raises(ValueError, match=r"max_visual_tokens = 12: 3 keyframes of 4 tokens .* raise it to at least 13"):
        visual_layout(20, np.array([1, 2, 3]), 4, 12)


@pytest.mark.parametrize("limit", [15, 16, 18, 40])
def test_clusters_represent_similar_neighbours(limit):
    keyframes, patches = np.array([4, 11]), 7
    tokens = torch.arange(20).div(5, rounding_mode="floor").float()[:, None] + 0.01 * torch.arange(20)[:, None]
    others = np.setdiff1d(np.arange(20), keyframes)
    kinds, places, merged = visual_layout_clustered(tokens, keyframes, patches, limit)
    room = limit - 2 * patches - 1
    clusters = (
        naive.merge_temporal_clusters(tokens[others].numpy(), room)
        if 0 < room < 18
        else [[i] for i in range(18)] * (room > 0)
    )
    firsts = {int(others[cluster[0]]) for cluster in clusters}
    assert set(places.tolist()) == firsts
    assert kinds.tolist() == naive_layout(20, set(keyframes.tolist()), patches, firsts)
    expected = [tokens[others[cluster]].mean(dim=0) for cluster in clusters]
    torch.testing.assert_close(merged, torch.stack(expected) if expected else tokens[:0])
