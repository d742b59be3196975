import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.ops.dfm import naive
from model.sequence import (
    IGNORED,
    KEYFRAME,
    MERGED,
    NEWLINE,
    PADDING,
    TEXT,
    build_sequence,
    collate,
    empty_sequence,
    visual_layout,
    visual_layout_clustered,
)
from model.tokenizer import ByteTokenizer
from tests.tiny_samples import tiny_sample

TOKENIZER = ByteTokenizer()
LIMITS = {"max_visual_tokens": 10_000, "max_text_tokens": 10_000}


def readable(sequence) -> str:
    """The sequence for the eye: K and M for visual tokens, N for the newline, {} for the turns' marks."""
    marks = {TOKENIZER.turn_start_id: "{", TOKENIZER.turn_end_id: "}"}
    visual = {KEYFRAME: "K", MERGED: "M", NEWLINE: "N"}
    pairs = zip(sequence.ids_L.tolist(), sequence.kinds_L.tolist(), strict=True)
    return "".join(visual[kind] if kind != TEXT else marks.get(i) or chr(i) for i, kind in pairs)


def said(sequence) -> str:
    """What the labels spell."""
    return "".join("}" if i == TOKENIZER.turn_end_id else chr(i) for i in sequence.labels_L.tolist() if i != IGNORED)


def test_video_and_its_times_stand_where_the_chat_has_them():
    sample = tiny_sample(1, num_frames=5, num_keyframes=1, patches=2)
    sample |= {"keyframes": np.array([2]), "time_s": np.array([0.5, 1.5, 2.5, 3.5, 4.5])}
    start = (
        "{system\nYou are a helpful assistant.}\n{user\nMMKKMMN\nThe video lasts for 5.00 seconds, and 5 frames are "
    )
    rest = "\nIs it on?}\n{assistant\nyes}\n"
    short, long = (build_sequence(sample, TOKENIZER, time_form=form, **LIMITS) for form in ("short", "long"))
    assert readable(short) == start + "uniformly sampled from it." + rest
    assert readable(long) == start + "uniformly sampled at 0.5, 1.5, 2.5, 3.5, 4.5 seconds." + rest
    assert torch.equal(build_sequence(sample, TOKENIZER, **LIMITS).ids_L, short.ids_L)
    assert said(short) == said(long) == "yes}"


@pytest.mark.parametrize("form", ["short", "long"])
def test_videos_that_differ_only_in_their_times_give_different_inputs(form):
    sample = tiny_sample(1)
    other = sample | {"time_s": sample["time_s"] * 3}
    one, two = (build_sequence(s, TOKENIZER, time_form=form, **LIMITS).ids_L.tolist() for s in (sample, other))
    assert one != two


@pytest.mark.parametrize(("subsampling", "times"), [("even", "1.0, 2.0, 4.0"), ("clusters", "0.0, 2.0, 4.0")])
def test_long_prompt_lists_the_frames_that_have_a_token(subsampling, times):
    sample = tiny_sample(1, num_frames=6, num_keyframes=1, patches=1) | {"keyframes": np.array([2])}
    sample["time_s"] = np.arange(6.0)
    sample["merged_tokens"] = np.array([[1], [1], [0], [1.1], [9], [9]], dtype=np.float16)
    sequence = build_sequence(
        sample, TOKENIZER, max_visual_tokens=4, max_text_tokens=1000, subsampling=subsampling, time_form="long"
    )
    assert f"3 frames are uniformly sampled at {times} seconds." in readable(sequence)
    assert (sequence.kinds_L != TEXT).sum() == 4


@pytest.mark.parametrize("limit", [180, 200, 231])
def test_text_limit_cuts_the_question_and_neither_times_nor_answer(limit):
    question = "".join(f"{n} " for n in range(100))
    sample = tiny_sample(1) | {
        "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": "yes, for an hour"}]
    }
    whole = build_sequence(sample, TOKENIZER, **LIMITS)
    cut = build_sequence(sample, TOKENIZER, max_visual_tokens=10_000, max_text_tokens=limit)
    text = int((whole.kinds_L == TEXT).sum())
    assert (cut.kinds_L == TEXT).sum() == limit == text - cut.num_cut
    assert said(cut) == said(whole) == "yes, for an hour}"
    assert "The video lasts for 3.50 seconds, and 7 frames are uniformly sampled from it.\n" in readable(cut)
    assert whole.num_cut == 0 and cut.num_targets == whole.num_targets


def test_sequence_of_nothing_joins_a_batch():
    batch = collate([empty_sequence(8, TOKENIZER.pad_id), build_sequence(tiny_sample(0), TOKENIZER, **LIMITS)], 0)
    assert batch.num_targets == build_sequence(tiny_sample(0), TOKENIZER, **LIMITS).num_targets


def test_visual_tokens_are_those_of_the_layout():
    sample = tiny_sample(3, num_frames=9, num_keyframes=2, patches=3)
    sequence = build_sequence(sample, TOKENIZER, **LIMITS)
    others = np.setdiff1d(np.arange(9), sample["keyframes"])
    assert np.array_equal(sequence.keyframe_tokens, sample["keyframe_tokens"].reshape(6, -1))
    assert np.array_equal(sequence.merged_tokens, sample["merged_tokens"][others])


def naive_layout(num_frames, keyframes, patches, merged):
    kinds = []
    for frame in range(num_frames):
        if frame in keyframes:
            kinds += [KEYFRAME] * patches
        elif frame in merged:
            kinds.append(MERGED)
    return [*kinds, NEWLINE]


@given(st.data())
def test_layout_keeps_keyframes_whole_and_thins_the_rest_evenly(data):
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
def test_runs_stand_for_like_neighbours(limit):
    keyframes, patches = np.array([4, 11]), 7
    tokens = torch.arange(20).div(5, rounding_mode="floor").float()[:, None] + 0.01 * torch.arange(20)[:, None]
    others = np.setdiff1d(np.arange(20), keyframes)
    kinds, places, merged = visual_layout_clustered(tokens, keyframes, patches, limit)
    room = limit - 2 * patches - 1
    runs = (
        naive.merge_temporal_clusters(tokens[others].numpy(), room)
        if 0 < room < 18
        else [[i] for i in range(18)] * (room > 0)
    )
    firsts = {int(others[run[0]]) for run in runs}
    assert set(places.tolist()) == firsts
    assert kinds.tolist() == naive_layout(20, set(keyframes.tolist()), patches, firsts)
    expected = [tokens[others[run]].mean(dim=0) for run in runs]
    torch.testing.assert_close(merged, torch.stack(expected) if expected else tokens[:0])


def test_thinning_is_a_setting_of_the_sequence():
    sample = tiny_sample(1, num_frames=30)
    limits = {**LIMITS, "max_visual_tokens": 12}
    even, clustered = (build_sequence(sample, TOKENIZER, subsampling=how, **limits) for how in ("even", "clusters"))
    assert len(even.merged_tokens) == len(clustered.merged_tokens) == 5
    assert not torch.equal(even.merged_tokens, clustered.merged_tokens)
    assert clustered.merged_tokens.dtype == torch.float16


def test_batch_pads_on_the_right():
    sequences = [build_sequence(tiny_sample(n, num_frames=5 + 3 * n), TOKENIZER, **LIMITS) for n in (1, 0, 2)]
    batch = collate(sequences, TOKENIZER.pad_id)
    for row, sequence in enumerate(sequences):
        length = len(sequence.ids_L)
        assert torch.equal(batch.ids_BL[row, :length], sequence.ids_L)
        assert (batch.kinds_BL[row, length:] == PADDING).all()
        assert (batch.labels_BL[row, length:] == IGNORED).all()
    assert torch.equal(batch.merged_tokens, torch.cat([s.merged_tokens for s in sequences]))
    assert batch.num_targets == sum(len(said(s)) for s in sequences)
