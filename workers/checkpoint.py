"""What rests of a run: its log, and checkpoints. Each is a folder of safetensors files and a manifest, written last."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from schemas.config import ConfigError
from workers.storage import Store

MANIFEST = "checkpoint.json"
LOG = "log.jsonl"


def save_checkpoint(
    store: Store, folder: str, tensors: Mapping[str, Mapping[str, Tensor]], state: dict[str, Any]
) -> None:
    """Writes each group of named tensors as `<group>.safetensors`, then `state` as the manifest.

    The tensors must be of types that numpy has (so not bfloat16) and share no memory.
    """
    store.delete(
        f"{folder}/{MANIFEST}"
    )  # from here on the folder holds two checkpoints mixed, until it's written again
    for group, named in tensors.items():
        arrays = {name: value.detach().cpu().contiguous().numpy() for name, value in named.items()}
        store.write_tensors(f"{folder}/{group}.safetensors", arrays)
    store.write_json(f"{folder}/{MANIFEST}", {**state, "groups": sorted(tensors)})


def load_checkpoint(store: Store, folder: str) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Tensors by group and name, and the manifest. Raises ValueError where a file differs from its checksum."""
    state = store.read_json(f"{folder}/{MANIFEST}")
    tensors = {group: _tensors(store.read_tensors(f"{folder}/{group}.safetensors")) for group in state["groups"]}
    return tensors, state


def last_checkpoint(store: Store, run: str) -> str | None:
    """The folder of a run's last complete checkpoint; None where it has none."""
    complete = [path.rsplit("/", 1)[0] for path in store.files(run) if path.endswith(f"/{MANIFEST}")]
    return max(complete, key=_step, default=None)


def checkpoint_folder(run: str, step: int) -> str:
    return f"{run}/step_{step:06d}"


def read_log(store: Store, run: str) -> list[dict[str, Any]]:
    """The lines of a run's log, a dict a step; none where there is no log yet."""
    path = f"{run}/{LOG}"
    return [json.loads(line) for line in store.read_bytes(path).splitlines()] if store.exists(path) else []


def write_log(store: Store, run: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replaces a run's log. Object storage can't append, so it is written whole, with every checkpoint.

    A number that is not finite is written as null: JSON knows no NaN.
    """
    lines = (json.dumps({name: _finite(value) for name, value in row.items()}, allow_nan=False) for row in rows)
    store.write_bytes(f"{run}/{LOG}", "".join(f"{line}\n" for line in lines).encode())


def optimizer_tensors(optimizer: torch.optim.Optimizer, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of an optimizer as `<key>.<name of the parameter>`, free of any order of parameters."""
    return {
        f"{key}.{name}": value
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """The reverse of `optimizer_tensors`. Moments go to their parameter's device; AdamW wants its step on the CPU."""
    optimizer.state.clear()
    for key_and_name, value in tensors.items():
        key, name = key_and_name.split(".", 1)
        parameter = parameters[name]
        optimizer.state[parameter][key] = value if key == "step" else value.to(parameter.device)


def check_same(state: Mapping[str, Any], same: Mapping[str, Any]) -> None:
    """Whether a run may go on from the checkpoint whose manifest is `state`.

    Raises:
        ConfigError: it was written with other settings or samples than `same`; names each, and the remedy.
    """
    then, now = _flat(state["same"]), _flat(same)
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if names:
        differing = "; ".join(f"{name} was {then.get(name)!r} and is {now.get(name)!r}" for name in names)
        raise ConfigError(
            f"the run stands at step {state['step']} with other settings: {differing}. "
            "Set them back, or give the run another name"
        )


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _step(folder: str) -> int:
    return int(folder.rsplit("_", 1)[1])


def _tensors(arrays: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
