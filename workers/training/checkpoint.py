"""Checkpoints of a run: each is a folder of safetensors files and a manifest, written last.

A corpus may come from someone else, with checkpoints in it: no file of theirs is unpickled, and each name and shape is
checked.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from schemas.config import ConfigError
from workers.storage.store import Store
from workers.training.manifest import MANIFEST, manifest_values, sign

_GROUP = re.compile("[a-z]+")


def save_checkpoint(
    store: Store, folder: str, tensors: Mapping[str, Mapping[str, Tensor]], state: dict[str, Any], key: bytes = b""
) -> None:
    """Writes each group of named tensors as `<group>.safetensors`, then `state` as the manifest, signed with `key`.

    The tensors must be of types that numpy has (so not bfloat16) and share no memory.
    """
    # From here on, the folder contains parts of two checkpoints, until all files are written.
    store.delete(f"{folder}/{MANIFEST}")
    files = {}
    for group, named in tensors.items():
        arrays = {name: value.detach().cpu().contiguous().numpy() for name, value in named.items()}
        files[group] = store.write_tensors(f"{folder}/{group}.safetensors", arrays)
    sign(store, folder, {**state, "files": files}, key)


def load_checkpoint(store: Store, folder: str) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Loads tensors by group and name, and the manifest. Raises ConfigError where a file differs from its checksum."""
    state = manifest_values(store, folder)
    tensors = {}
    for group, sha256 in state["files"].items():
        if not _GROUP.fullmatch(group):
            raise ConfigError(f"{folder}/{MANIFEST}: files: {group!r}: not the name of a group of tensors")
        try:
            arrays = store.read_tensors(f"{folder}/{group}.safetensors", sha256)
        except (ValueError, FileNotFoundError) as error:
            reason = str(error).partition(";")[0]
            raise ConfigError(
                f"{reason}: the checkpoint is damaged; delete {folder}, and the run goes on from the one before"
            ) from None
        tensors[group] = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return tensors, state


def load_parameters(parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copies the tensors of a checkpoint into the parameters with the same names.

    Raises ConfigError where names or shapes are not those of the parameters.
    """
    if parameters.keys() != tensors.keys():
        name = min(parameters.keys() ^ tensors.keys())
        raise ConfigError(f"the checkpoint is of another model: {name!r} is in only one of them. Give another run")
    for name, value in tensors.items():
        check_shape(name, value, parameters[name].shape)
    with torch.no_grad():
        for name, value in tensors.items():
            parameters[name].copy_(value)


def check_shape(name: str, value: Tensor, shape: torch.Size) -> None:
    """Raises ConfigError unless a tensor of a checkpoint has finite floating-point values and the expected shape."""
    if value.shape != shape or not value.is_floating_point():
        raise ConfigError(
            f"the checkpoint is of another model: {name!r} is {value.dtype} {list(value.shape)}, not float "
            f"{list(shape)}. Give another run"
        )
    if not value.isfinite().all():
        raise ConfigError(f"the checkpoint's {name!r} has values that are not finite. Give another run")
