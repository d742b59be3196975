import math

import pytest
import torch

from schemas.config import ConfigError
from workers.checkpoint import (
    MANIFEST,
    check_same,
    checkpoint_folder,
    last_checkpoint,
    load_checkpoint,
    read_log,
    save_checkpoint,
    write_log,
)
from workers.storage import Store

TENSORS = {"model": {"a.weight": torch.arange(6.0).view(2, 3)}, "optimizer": {"step.a": torch.tensor(3.0)}}


def test_tensors_and_state_come_back(tmp_path):
    store = Store(tmp_path)
    save_checkpoint(store, "run/step_000003", TENSORS, {"step": 3})
    tensors, state = load_checkpoint(store, "run/step_000003")
    assert state["step"] == 3
    assert set(tensors) == set(TENSORS)
    for group, named in TENSORS.items():
        assert set(tensors[group]) == set(named)
        for name, value in named.items():
            assert torch.equal(tensors[group][name], value) and tensors[group][name].dtype == value.dtype


def test_last_is_the_last_that_is_complete(tmp_path):
    store = Store(tmp_path)
    assert last_checkpoint(store, "run") is None
    for step in (900, 1_000_000, 20):
        save_checkpoint(store, checkpoint_folder("run", step), TENSORS, {"step": step})
    save_checkpoint(store, checkpoint_folder("other", 2_000_000), TENSORS, {"step": 2_000_000})
    assert last_checkpoint(store, "run") == "run/step_1000000"
    store.delete(f"run/step_1000000/{MANIFEST}")
    assert last_checkpoint(store, "run") == "run/step_000900"


def test_one_that_breaks_off_while_written_again_is_incomplete(tmp_path):
    store = Store(tmp_path)
    folder = checkpoint_folder("run", 1)
    save_checkpoint(store, folder, TENSORS, {"step": 1})
    unwritable = {"model": {"a.weight": torch.zeros(1, dtype=torch.bfloat16)}}  # a type that numpy lacks
    with pytest.raises(TypeError):
        save_checkpoint(store, folder, unwritable, {"step": 1})
    assert last_checkpoint(store, "run") is None


def test_log_holds_null_for_what_is_no_number(tmp_path):
    store = Store(tmp_path)
    rows = [{"step": 1, "loss": 2.5, "left_out": {"a": "why"}}, {"step": 2, "loss": math.nan, "heldout_loss": math.inf}]
    write_log(store, "run", rows)
    assert b"NaN" not in store.read_bytes("run/log.jsonl") and b"Infinity" not in store.read_bytes("run/log.jsonl")
    assert read_log(store, "run") == [rows[0], {"step": 2, "loss": None, "heldout_loss": None}]


def test_damage_is_found(tmp_path):
    store = Store(tmp_path)
    save_checkpoint(store, "run/step_000001", TENSORS, {"step": 1})
    path = "run/step_000001/model.safetensors"
    data = bytearray(store.read_bytes(path))
    data[-1] ^= 1
    store.write_bytes(path, bytes(data))
    with pytest.raises(ValueError, match="model.safetensors: the data differs from its checksum"):
        load_checkpoint(store, "run/step_000001")


def test_other_settings_are_named_with_both_values():
    state = {"step": 7, "same": {"seed": 0, "model": {"width": 32, "layers": 2}}}
    check_same(state, {"seed": 0, "model": {"width": 32, "layers": 2}})
    with pytest.raises(ConfigError, match=r"stands at step 7 .*model.width was 32 and is 64; seed was 0 and is 1\."):
        check_same(state, {"seed": 1, "model": {"width": 64, "layers": 2}})


def test_log_comes_back(tmp_path):
    store = Store(tmp_path)
    assert read_log(store, "run") == []
    rows = [{"step": 1, "loss": 1 / 3}, {"step": 2, "loss": 0.1}]
    write_log(store, "run", rows)
    assert read_log(store, "run") == rows
