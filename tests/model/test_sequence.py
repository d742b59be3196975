import numpy as np
import pytest
import torch

from model.sequence import IGNORED, build_sequence, collate, empty_sequence
from model.tokenizer import ByteTokenizer
from model.visual_layout import KEYFRAME, MERGED, NEWLINE, PADDING, TEXT
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


def test_video_and_its_times_are_where_the_chat_has_them():
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


def test_subsampling_is_a_setting_of_the_sequence():
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
