"""Files that others read and whose size is known beforehand; damage in them is found."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors_numpy

from tests.workers.shards.shard_units import distill_tensors
from workers.storage.safetensors_file import decode_tensors, encode_tensors, encoded_bytes, read_tensors


def joined(tensors, metadata=None) -> bytes:
    return b"".join(encode_tensors(tensors, metadata or {})[0])


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(
        left[n].dtype == right[n].dtype and np.array_equal(left[n], right[n]) for n in left
    )


@given(num_frames=st.integers(1, 20), num_queries=st.integers(1, 6), seed=st.integers(0, 99), clips=st.booleans())
@settings(max_examples=40, deadline=None)
def test_others_read_our_safetensors_and_we_read_theirs(num_frames, num_queries, seed, clips):
    tensors = distill_tensors(np.random.default_rng(seed), num_frames, num_queries, min(3, num_frames), clips)
    ours = joined(tensors, {"qa_sha256": "x"})
    assert same(safetensors_numpy.load(ours), tensors)
    found, metadata = decode_tensors(ours)
    assert same(found, tensors)
    assert metadata["qa_sha256"] == "x"
    assert same(decode_tensors(safetensors_numpy.save(tensors), verify=False)[0], tensors)


def test_empty_axes_come_back():
    tensors = {"a": np.zeros((0, 3), "<f2"), "b": np.arange(4, dtype="<i8"), "c": np.zeros((2, 0), "<i4")}
    assert same(decode_tensors(joined(tensors))[0], tensors)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d[:5],
        lambda d: d[:-1],
        lambda d: d[:-1] + bytes([d[-1] ^ 1]),
        lambda d: b"\xff" * 8 + d[8:],
        lambda d: d[:8] + b"[" + d[9:],
        lambda d: d.replace(b'"F16"', b'"F17"', 1),
        lambda d: d.replace(b"__metadata__", b"__metabata__", 1),
    ],
    ids=["stub", "short", "bit", "header length", "header", "dtype", "metadata"],
)
def test_damaged_tensors_are_refused(spoil):
    with pytest.raises(ValueError):
        decode_tensors(spoil(joined(distill_tensors(np.random.default_rng(0), 9, 3, 3))))


@pytest.mark.parametrize(
    ("shape", "offsets"),
    [
        ([2.0, 2], [0, 16]),
        ([2, 2], [0.0, 16.0]),
        ([True, 4], [0, 16]),
        ([-2, -2], [0, 16]),
        ([10**30, 0], [0, 0]),
        ([4], [10**30, 10**30 + 16]),
        ([1] * 100 + [4], [0, 16]),
    ],
)
def test_shapes_and_offsets_that_are_no_lengths_are_refused(shape, offsets):
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(16)
    with pytest.raises(ValueError):
        decode_tensors(data, verify=False)
    with pytest.raises(ValueError):
        read_tensors(pa.BufferReader(data), ["a"])


def test_a_header_of_many_megabytes_is_refused_unread():
    size = 1 << 25
    with pytest.raises(ValueError, match="are allowed"):
        decode_tensors(size.to_bytes(8, "little") + b"[" * size)


@given(
    arrays=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=("L",)), min_size=1, max_size=6),
        st.tuples(
            st.sampled_from(["u8", "i8", "f8", "f4", "u4", "i4", "f2", "u2", "i2", "i1", "u1", "?"]),
            st.lists(st.integers(0, 9), max_size=3).map(tuple),
        ),
        max_size=6,
    )
)
@settings(max_examples=100, deadline=None)
def test_any_arrays_come_back_and_their_size_is_told_by_their_shapes(arrays):
    tensors = {name: np.ones(shape, dtype) for name, (dtype, shape) in arrays.items()}
    data = joined(tensors, {"a": "b"})
    assert same(safetensors_numpy.load(data), tensors)
    assert same(decode_tensors(data)[0], tensors)
    assert encoded_bytes({n: (t.dtype, t.shape) for n, t in tensors.items()}, {"a": "b"}) == len(data)


def test_a_shape_of_many_axes_is_not_multiplied_out():
    entry = {"dtype": "F64", "shape": [(1 << 62) - 1] * 33, "data_offsets": [0, 8]}
    header = json.dumps({"x": entry}).encode()
    with pytest.raises(ValueError, match="'x' 33 axes; 32 are allowed"):
        decode_tensors(len(header).to_bytes(8, "little") + header + bytes(8))
