import pytest
import torch

from schemas.config import ConfigError
from workers.storage.store import Store
from workers.training.checkpoint import load_checkpoint, load_parameters, save_checkpoint
from workers.training.manifest import MANIFEST, checkpoint_folder, is_signed, last_checkpoint

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


def test_one_that_breaks_off_while_written_again_is_incomplete(tmp_path):
    store = Store(tmp_path)
    folder = checkpoint_folder("run", 1)
    save_checkpoint(store, folder, TENSORS, {"step": 1})
    unwritable = {"model": {"a.weight": torch.zeros(1, dtype=torch.bfloat16)}}  # a type that numpy lacks
    with pytest.raises(TypeError):
        save_checkpoint(store, folder, unwritable, {"step": 1})
    assert last_checkpoint(store, "run") is None


def test_damage_is_found(tmp_path):
    store = Store(tmp_path)
    save_checkpoint(store, "run/step_000001", TENSORS, {"step": 1})
    path = "run/step_000001/model.safetensors"
    data = bytearray(store.read_bytes(path))
    data[-1] ^= 1
    store.write_bytes(path, bytes(data))
    with pytest.raises(ValueError, match="model.safetensors: the data differs from its checksum"):
        load_checkpoint(store, "run/step_000001")


def test_signature_is_of_the_manifest_and_by_it_of_the_tensors(tmp_path):
    store = Store(tmp_path)
    save_checkpoint(store, "run/step_000001", TENSORS, {"step": 1, "rate": 1e-5}, b"key")
    manifest = store.read_json(f"run/step_000001/{MANIFEST}")
    assert is_signed(manifest, b"key")
    assert not is_signed(manifest, b"other key")
    assert not is_signed(manifest | {"step": 2}, b"key")
    assert not is_signed({name: value for name, value in manifest.items() if name != "signature"}, b"key")
    # Two tensors that change places: the same bytes of data, under each other's names.
    path = "run/step_000001/model.safetensors"
    store.write_bytes(path, store.read_bytes(path).replace(b"a.weight", b"b.weight"))
    with pytest.raises(
        ConfigError, match="the data differs from its checksum: the checkpoint is damaged; delete run/step"
    ):
        load_checkpoint(store, "run/step_000001")


def test_group_is_no_path(tmp_path):
    store = Store(tmp_path)
    store.write_json(f"run/step_000001/{MANIFEST}", {"step": 1, "files": {"../../secret": "0"}})
    with pytest.raises(ConfigError, match=r"files: '../../secret': not the name of a group"):
        load_checkpoint(store, "run/step_000001")


PARAMETERS = {"a": torch.zeros(2, 3), "b": torch.zeros(4)}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"a": torch.ones(2, 3)}, "'b' is in only one of them"),
        ({"a": torch.ones(2, 3), "b": torch.ones(4), "c": torch.ones(1)}, "'c' is in only one of them"),
        ({"a": torch.ones(2, 3), "b": torch.ones(1)}, r"'b' is torch.float32 \[1\], not float \[4\]"),
        ({"a": torch.ones(3), "b": torch.ones(4)}, r"'a' is torch.float32 \[3\], not float \[2, 3\]"),
        ({"a": torch.ones(2, 3), "b": torch.ones(4, dtype=torch.int64)}, "'b' is torch.int64"),
    ],
    ids=["missing", "unknown", "would be broadcast", "a row for all", "whole numbers"],
)
def test_tensors_of_another_model_are_refused_and_change_nothing(tensors, message):
    with pytest.raises(ConfigError, match=message):
        load_parameters(PARAMETERS, tensors)
    assert not any(value.any() for value in PARAMETERS.values())


def test_weights_that_are_not_finite_are_refused():
    weights = torch.nn.Parameter(torch.zeros(2))
    with pytest.raises(ConfigError, match="'w' has values that are not finite"):
        load_parameters({"w": weights}, {"w": torch.tensor([1.0, torch.inf])})
    assert not weights.any()
