"""Distill units are read in place, and damage in them is found and named."""

import numpy as np
import pytest

from tests.workers.shards.shard_units import distill_tensors
from workers.shards.layout import INDEX_TENSORS
from workers.shards.token_unit import open_tokens, read_index
from workers.storage.safetensors_file import encode_tensors
from workers.storage.store import Store


def joined(tensors, metadata=None) -> bytes:
    return b"".join(encode_tensors(tensors, metadata or {})[0])


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(
        left[n].dtype == right[n].dtype and np.array_equal(left[n], right[n]) for n in left
    )


def test_data_and_its_hash_are_those_of_the_store(tmp_path):
    tensors = distill_tensors(np.random.default_rng(0), 9, 3, 3)
    chunks, sha256 = encode_tensors(tensors, {})
    Store(tmp_path).write_tensors("x.safetensors", tensors)
    with open_tokens(Store(tmp_path), "x.safetensors") as unit:
        assert unit.sha256 == sha256
        assert bytes(unit.data) == b"".join(chunks[1:])
        unit.verify(sha256)
        unit.verify("of a part")


def test_the_store_accepts_the_checksum(tmp_path):
    tensors = distill_tensors(np.random.default_rng(0), 9, 3, 3)
    Store(tmp_path).write_bytes("x.safetensors", joined(tensors))
    assert same(Store(tmp_path).read_tensors("x.safetensors"), tensors)


def test_a_damaged_unit_is_named(tmp_path):
    store = Store(tmp_path)
    store.write_bytes("units/x.safetensors", joined({"a": np.arange(9)})[:-1] + b"\x07")
    with open_tokens(store, "units/x.safetensors") as unit, pytest.raises(ValueError, match="units/x.*checksum"):
        unit.verify()
    store.write_bytes("units/y.safetensors", b"")
    with pytest.raises(ValueError, match="units/y.safetensors"), open_tokens(store, "units/y.safetensors"):
        pass


def test_the_index_is_read_without_the_tokens(tmp_path):
    store, tensors = Store(tmp_path), distill_tensors(np.random.default_rng(0), 9, 3, 3)
    store.write_tensors("x.safetensors", tensors)
    shapes, index = read_index(store, "x.safetensors")
    assert shapes == {name: (array.dtype, array.shape) for name, array in tensors.items()}
    assert same(index, {name: tensors[name] for name in INDEX_TENSORS})


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:5], lambda d: b"\xff" * 8 + d[8:], lambda d: d.replace(b"time_s", b"time_z")]
)
def test_what_is_no_unit_is_named(tmp_path, spoil):
    store = Store(tmp_path)
    store.write_bytes("x.safetensors", spoil(joined(distill_tensors(np.random.default_rng(0), 9, 3, 3))))
    with pytest.raises(ValueError, match="x.safetensors"):
        read_index(store, "x.safetensors")
