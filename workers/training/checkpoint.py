"""What a run leaves: its log, and checkpoints. Each is a folder of safetensors files and a manifest, written last.

A corpus may come from someone else, with checkpoints in it: no file of theirs is unpickled, each name and shape is
checked, and a manifest is signed with its user's key, together with the checksums of the tensors.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from schemas.config import Config, ConfigError, parse
from schemas.renamed_settings import rename_settings
from workers.storage.store import Store

MANIFEST = "checkpoint.json"
LOG = "log.jsonl"
_GROUP = re.compile("[a-z]+")
_ADAMW = {"step", "exp_avg", "exp_avg_sq"}
"""What AdamW keeps for each parameter."""


class Manifest(Config):
    """The manifest of a run's checkpoint."""

    step: int = Field(ge=0)
    steps: int = Field(ge=1)
    """Of the whole run, as it was set."""
    epoch: int = Field(ge=0)
    samples_consumed: int = Field(ge=0)
    """Of the epoch, by all ranks."""
    same: dict[str, Any]
    """See `check_resumable`."""
    files: dict[str, str]
    """SHA-256 of each group's file."""
    signature: str
    """HMAC-SHA-256 of the other fields."""


def save_checkpoint(
    store: Store, folder: str, tensors: Mapping[str, Mapping[str, Tensor]], state: dict[str, Any], key: bytes = b""
) -> None:
    """Writes each group of named tensors as `<group>.safetensors`, then `state` as the manifest, signed with `key`.

    The tensors must be of types that numpy has (so not bfloat16) and share no memory.
    """
    # From here on the folder holds two checkpoints mixed, until it is written again.
    store.delete(f"{folder}/{MANIFEST}")
    files = {}
    for group, named in tensors.items():
        arrays = {name: value.detach().cpu().contiguous().numpy() for name, value in named.items()}
        files[group] = store.write_tensors(f"{folder}/{group}.safetensors", arrays)
    sign(store, folder, {**state, "files": files}, key)


def load_checkpoint(store: Store, folder: str) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Tensors by group and name, and the manifest. Raises ConfigError where a file differs from its checksum."""
    state = _read_manifest(store, folder)
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


def read_manifest(store: Store, folder: str) -> dict[str, Any]:
    """The manifest of a run's checkpoint. Raises ConfigError where it is none: see `Manifest`."""
    values = _read_manifest(store, folder)
    try:
        return parse(Manifest, values).model_dump()
    except (ConfigError, RecursionError) as error:
        reasons = str(error).replace("\n", "; ")
        raise ConfigError(f"{folder}/{MANIFEST}: {reasons}; give the run another name") from None


def sign(store: Store, folder: str, manifest: Mapping[str, Any], key: bytes) -> None:
    """Writes the manifest of a checkpoint, signed."""
    store.write_json(f"{folder}/{MANIFEST}", {**manifest, "signature": _signature(manifest, key)})


def is_signed(manifest: Mapping[str, Any], key: bytes) -> bool:
    """Whether the manifest, and by its checksums the tensors, was written by someone who has the key."""
    return hmac.compare_digest(str(manifest.get("signature")).encode(), _signature(manifest, key).encode())


def last_checkpoint(store: Store, run: str) -> str | None:
    """The folder of a run's last complete checkpoint; None where it has none."""
    complete = re.compile(rf"{re.escape(run)}/step_([0-9]{{1,18}})/{re.escape(MANIFEST)}")
    steps = {int(found[1]): path for path in store.files(run) if (found := complete.fullmatch(path))}
    return steps[max(steps)].rsplit("/", 1)[0] if steps else None


def checkpoint_folder(run: str, step: int) -> str:
    """Returns the folder of a run's checkpoint after `step` steps."""
    return f"{run}/step_{step:06d}"


def read_log(store: Store, run: str) -> list[dict[str, Any]]:
    """The lines of a run's log, a dict a step; none where there is no log yet.

    Raises ConfigError for a line that is none: someone else may have written it.
    """
    path = f"{run}/{LOG}"
    rows = []
    for number, line in enumerate(store.read_bytes(path).splitlines() if store.exists(path) else [], 1):
        try:
            row = json.loads(line)
            if type(row["step"]) is not int or not isinstance(row["loss"], float | None):
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ConfigError(f"{path}, line {number}: not of a run's log; give the run another name") from None
        rows.append(row)
    return rows


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


def load_parameters(parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copies the tensors of a checkpoint into the parameters of their names.

    Raises ConfigError where names or shapes are not those of the parameters.
    """
    if parameters.keys() != tensors.keys():
        name = min(parameters.keys() ^ tensors.keys())
        raise ConfigError(f"the checkpoint is of another model: {name!r} is in only one of them. Give another run")
    for name, value in tensors.items():
        _check_shape(name, value, parameters[name].shape)
    with torch.no_grad():
        for name, value in tensors.items():
            parameters[name].copy_(value)


def load_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """The reverse of `optimizer_tensors`. Moments go to their parameter's device; AdamW wants its step on the CPU.

    Raises ConfigError where names or shapes are not those that AdamW keeps for these parameters.
    """
    state: dict[str, dict[str, Tensor]] = {}
    for key_and_name, value in tensors.items():
        key, _, name = key_and_name.partition(".")
        if name not in parameters or key not in _ADAMW:
            raise ConfigError(f"the checkpoint is of another optimizer: it holds {key_and_name!r}. Give another run")
        _check_shape(key_and_name, value, torch.Size() if key == "step" else parameters[name].shape)
        state.setdefault(name, {})[key] = value if key == "step" else value.to(parameters[name].device)
    for name, values in state.items():
        if values.keys() != _ADAMW:
            raise ConfigError(f"the checkpoint is of another optimizer: it lacks moments of {name!r}. Give another run")
    optimizer.state.clear()
    optimizer.state.update({parameters[name]: values for name, values in state.items()})


def check_resumable(state: Mapping[str, Any], same: Mapping[str, Any]) -> None:
    """Whether a run may go on from the checkpoint whose manifest is `state`.

    Raises:
        ConfigError: it was written with other settings or samples than `same`; names each, and the remedy.
    """
    then, now = _flat(rename_settings(state["same"], "train.")[0]), _flat(same)
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


def _read_manifest(store: Store, folder: str) -> dict[str, Any]:
    path = f"{folder}/{MANIFEST}"
    try:
        manifest = store.read_json(path)
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: not JSON; give the run another name") from None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(isinstance(sha256, str) for sha256 in files.values()):
        raise ConfigError(f"{path}: files: not a mapping of names to checksums; give the run another name")
    return dict(manifest)


def _signature(manifest: Mapping[str, Any], key: bytes) -> str:
    signed = {name: value for name, value in manifest.items() if name != "signature"}
    return hmac.new(key, json.dumps(signed, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _check_shape(name: str, value: Tensor, shape: torch.Size) -> None:
    if value.shape != shape or not value.is_floating_point():
        raise ConfigError(
            f"the checkpoint is of another model: {name!r} is {value.dtype} {list(value.shape)}, not float "
            f"{list(shape)}. Give another run"
        )
