"""What a group holds is checked, since whoever publishes a shard writes its checksums too."""

import json

import numpy as np
import pytest

from tests.workers.shards.shard_units import distill_tensors, encoded_member
from workers.shards.group import Group, decode_group

PAIR = {"qa_id": "a", "conversations": [{"from": "human", "value": "?"}, {"from": "gpt", "value": "!"}]}
ANSWERED = {"options": ["x", "y"], "answer_index": 1, "evidence": [{"start_s": 1.0, "end_s": 2}]}
TENSORS = distill_tensors(np.random.default_rng(0), 5, 1, 3, clips=False)


def decoded(pairs: object, **tensors: np.ndarray) -> Group:
    qa = pairs if isinstance(pairs, bytes) else json.dumps(pairs).encode()
    return decode_group(qa, encoded_member(TENSORS | tensors, qa))


def test_a_sound_group_is_read():
    pairs = [{**PAIR, **ANSWERED}]
    assert decoded(pairs).qa == pairs
    assert decoded([PAIR], query_keyframes=np.array([[0, -1, -1]], "<i4")).sample(0)["keyframes"].shape == (1,)


@pytest.mark.parametrize("pair", [{}, {"qa_id": 1}, {"qa_id": ["a"]}, [], None, "qa_id"])
def test_a_pair_without_its_id_is_refused(pair):
    with pytest.raises(ValueError, match="each with a qa_id"):
        decoded([pair])


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ({"conversations": None}, "conversations"),
        ({"conversations": "turns"}, "conversations"),
        ({"conversations": {"from": "human"}}, "conversations"),
        ({"conversations": [1]}, "a field of another type"),
        ({"conversations": [{"from": "human"}]}, "a field of another type"),
        ({"conversations": [{"from": ["human"], "value": "?"}]}, "a field of another type"),
        ({"conversations": [{"from": "human", "value": 5}]}, "a field of another type"),
        ({"conversations": [{"from": "human", "value": "\ud800"}]}, "conversations"),
        ({"answer_index": 2}, "answer_index = 2, of 2 options"),
        ({"answer_index": -1}, "answer_index = -1"),
        ({"answer_index": "x"}, "answer_index = x"),
        ({"options": None}, "answer_index = 1, of 0 options"),
        ({"evidence": [{"start_s": 2, "end_s": 1}]}, "evidence"),
        ({"evidence": [{"start_s": float("nan"), "end_s": 1}]}, "evidence"),
        ({"evidence": [{"start_s": 0, "end_s": float("inf")}]}, "evidence"),
        ({"evidence": "all"}, "a field of another type"),
        ({"evidence": [{"start_s": "0", "end_s": 1}]}, "a field of another type"),
        ({"clip_tokens": [1]}, "a field clip_tokens"),
    ],
)
def test_a_pair_that_cannot_be_one_is_refused(damage, fault):
    with pytest.raises(ValueError, match=f"QA pair 'a' has {fault}"):
        decoded([{**PAIR, **ANSWERED, **damage}])


def test_pairs_that_are_nested_too_deeply_are_refused():
    with pytest.raises(ValueError, match="nested too deeply"):
        decoded(b"[" * 100_000)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("time_s", "?"),
        ("sample_index", "<f8"),
        ("keyframes", "<u8"),
        ("query_keyframes", "<f4"),
        ("merged_tokens", "<f8"),
    ],
)
def test_a_tensor_of_another_type_is_refused(name, dtype):
    with pytest.raises(ValueError, match=f"{name} has . axes of"):
        decoded([PAIR], **{name: TENSORS[name].astype(dtype)})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["time_s", "keyframe_tokens", "merged_tokens"])
def test_tokens_and_times_that_are_not_finite_are_refused(name, value):
    tensor = TENSORS[name].copy()
    tensor.flat[-1] = value
    with pytest.raises(ValueError, match=f"{name} has values that are not finite"):
        decoded([PAIR], **{name: tensor})


def test_the_largest_tokens_are_finite():
    assert decoded([PAIR], merged_tokens=np.full_like(TENSORS["merged_tokens"], -65504))


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("time_s", TENSORS["time_s"][::-1].copy()),
        ("keyframes", np.zeros_like(TENSORS["keyframes"])),
        ("query_keyframes", np.zeros((1, 3), "<i4")),
    ],
)
def test_frames_that_do_not_ascend_are_refused(name, tensor):
    with pytest.raises(ValueError, match=f"{name} does not ascend"):
        decoded([PAIR], **{name: tensor})


def test_keyframe_tokens_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"keyframe_tokens has \(\d, 4\) entries, not \(\d, 8\)"):
        decoded([PAIR], keyframe_tokens=TENSORS["keyframe_tokens"][:, :, :4].copy())


def test_tokens_of_no_values_are_refused():
    with pytest.raises(ValueError, match="merged_tokens has no frames, or tokens of no values"):
        decoded([PAIR], **{name: TENSORS[name][..., :0].copy() for name in ("keyframe_tokens", "merged_tokens")})


def test_a_group_of_no_frames_is_refused():
    none = {name: TENSORS[name][:0] for name in ("time_s", "sample_index", "keyframes", "keyframe_tokens")}
    padding = np.full_like(TENSORS["query_keyframes"], -1)
    with pytest.raises(ValueError, match="merged_tokens has no frames"):
        decoded([PAIR], **none, query_keyframes=padding, merged_tokens=TENSORS["merged_tokens"][:, :0].copy())
