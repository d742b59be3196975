"""The manifests of a run's checkpoints: which step, of which settings and samples, and who wrote them.

A corpus may come from someone else, with checkpoints in it: a manifest is signed with its user's key, together with the
checksums of the tensors.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from schemas.config import Config, ConfigError, parse
from schemas.renamed_settings import rename_settings
from workers.storage.store import Store

MANIFEST = "checkpoint.json"


class Manifest(Config):
    """Describes a run's checkpoint."""

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


def read_manifest(store: Store, folder: str) -> dict[str, Any]:
    """Returns the manifest of a run's checkpoint. Raises ConfigError if it is invalid; see `Manifest`."""
    values = manifest_values(store, folder)
    try:
        return parse(Manifest, values).model_dump()
    except (ConfigError, RecursionError) as error:
        reasons = str(error).replace("\n", "; ")
        raise ConfigError(f"{folder}/{MANIFEST}: {reasons}; give the run another name") from None


def manifest_values(store: Store, folder: str) -> dict[str, Any]:
    """Returns the manifest of any checkpoint. Raises ConfigError unless it maps names of files to checksums."""
    path = f"{folder}/{MANIFEST}"
    try:
        manifest = store.read_json(path)
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: not JSON; give the run another name") from None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(isinstance(sha256, str) for sha256 in files.values()):
        raise ConfigError(f"{path}: files: not a mapping of names to checksums; give the run another name")
    return dict(manifest)


def sign(store: Store, folder: str, manifest: Mapping[str, Any], key: bytes) -> None:
    """Writes the manifest of a checkpoint, signed."""
    store.write_json(f"{folder}/{MANIFEST}", {**manifest, "signature": _signature(manifest, key)})


def is_signed(manifest: Mapping[str, Any], key: bytes) -> bool:
    """Returns whether the manifest, and by its checksums the tensors, was written by someone who has the key."""
    return hmac.compare_digest(str(manifest.get("signature")).encode(), _signature(manifest, key).encode())


def last_checkpoint(store: Store, run: str) -> str | None:
    """Returns the folder of a run's last complete checkpoint; None if there is none."""
    complete = re.compile(rf"{re.escape(run)}/step_([0-9]{{1,18}})/{re.escape(MANIFEST)}")
    steps = {int(found[1]): path for path in store.files(run) if (found := complete.fullmatch(path))}
    return steps[max(steps)].rsplit("/", 1)[0] if steps else None


def checkpoint_folder(run: str, step: int) -> str:
    """Returns the folder of a run's checkpoint after `step` steps."""
    return f"{run}/step_{step:06d}"


def check_resumable(state: Mapping[str, Any], same: Mapping[str, Any]) -> None:
    """Checks that a run may resume from the checkpoint with the manifest `state`.

    Raises:
        ConfigError: it was written with other settings or samples than `same`; names each, and the remedy.
    """
    then, now = _flat(rename_settings(state["same"], "train.")[0]), _flat(same)
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if names:
        # A name of someone else may hold the end of a line, and text that looks like another message.
        shown = [name if name.isprintable() else repr(name) for name in names]
        was_and_is = (f"was {then.get(name)!r} and is {now.get(name)!r}" for name in names)
        differing = "; ".join(map(" ".join, zip(shown, was_and_is, strict=True)))
        raise ConfigError(
            f"the run is at step {state['step']} with other settings: {differing}. "
            "Set them back, or give the run another name"
        )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _signature(manifest: Mapping[str, Any], key: bytes) -> str:
    signed = {name: value for name, value in manifest.items() if name != "signature"}
    return hmac.new(key, json.dumps(signed, sort_keys=True).encode(), hashlib.sha256).hexdigest()
