"""Checks before a run starts any process: its settings against the corpus, and against its last checkpoint.

Nothing here imports Ray: a mistake is named in seconds.
"""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from model.tokenizer import load_tokenizer
from pipeline.training.config import TrainConfig
from schemas.config import ConfigError
from workers.shards.samples_table import typed_samples
from workers.storage.store import Store
from workers.training.config import check_model, resume_fingerprint
from workers.training.manifest import (
    check_resumable,
    checkpoint_folder,
    is_signed,
    last_checkpoint,
    read_manifest,
    sign,
)
from workers.training.sample_stream import SampleSet

VISUAL_COLUMNS = ["split", "num_frames", "num_keyframes", "num_visual_tokens"]


def check_settings(config: TrainConfig, samples: pa.Table) -> TrainConfig:
    """Returns the config with an absolute `language_model`. Raises ConfigError for settings that these samples exclude.

    Args:
        samples: the table, with `VISUAL_COLUMNS`.
    """
    if config.model.language_model:
        # Workers have another working directory.
        folder = str(Path(config.model.language_model).expanduser().absolute())
        config = config.model_copy(update={"model": replace(config.model, language_model=folder)})
        _check_is_folder(folder)
    check_model(config)
    if config.model.language_model:
        _check_files(config.model.language_model)
    _check_keyframes_fit(config, samples)
    return config


def _check_is_folder(language_model: str) -> None:
    if not Path(language_model).is_dir():
        raise ConfigError(
            f"train.model.language_model = {language_model!r}: there is no such folder; give that of a local Hugging "
            "Face model (nothing is downloaded)"
        )


def _check_files(language_model: str) -> None:
    name = f"train.model.language_model = {language_model!r}"
    if not any(Path(language_model).glob("*.safetensors")):
        raise ConfigError(f"{name}: it has no weights as *.safetensors; pickled weights are not read")
    try:
        load_tokenizer(language_model)
    except (ValueError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(f"{name}: its tokenizer cannot be used: {reason}") from error


def _check_keyframes_fit(config: TrainConfig, samples: pa.Table) -> None:
    """Raises ConfigError if the keyframes of a sample exceed the limit, since keyframes are never dropped."""
    if not {*VISUAL_COLUMNS} <= {*samples.column_names}:
        return
    samples = typed_samples(samples, VISUAL_COLUMNS)
    rows = samples.filter(pc.is_in(samples["split"], pa.array([config.split, config.heldout_split])))
    merged = pc.subtract(rows["num_frames"], rows["num_keyframes"])
    needed = (pc.max(pc.subtract(rows["num_visual_tokens"], merged)).as_py() or 0) + 1  # plus the newline
    if needed > config.model.max_visual_tokens:
        raise ConfigError(
            f"train.model.max_visual_tokens = {config.model.max_visual_tokens}: the keyframes of a sample have up to "
            f"{needed} tokens in this corpus, the newline included; raise it to at least {needed}, or build with fewer "
            "keyframes (select.k) or patches (distill.keyframe_grid)"
        )


def resume_step(
    store: Store, config: TrainConfig, samples: SampleSet, key: bytes, *, resume: bool, extend: bool
) -> int:
    """Returns the step from which the run resumes; 0 for a new run.

    Args:
        key: of the run, for `workers.training.manifest`.
        resume: takes over a run that was not signed with the key.
        extend: lets `steps` be raised.

    Raises:
        ConfigError: the run is not one that this call may go on with.
    """
    folder = last_checkpoint(store, config.folder)
    if folder is None:
        return 0
    manifest = read_manifest(store, folder)
    if not is_signed(manifest, key) and not resume:
        raise ConfigError(
            f"{store.root}/{config.folder}: its checkpoint of step {manifest['step']} was not written by this user on "
            "this machine: someone else may have made it. To trust it and go on from it, add --resume; else give "
            "train.run another name"
        )
    check_resumable(manifest, resume_fingerprint(config, samples))
    step, steps = manifest["step"], manifest["steps"]
    if folder != checkpoint_folder(config.folder, step):  # an earlier one, signed and put in the place of a later one
        raise ConfigError(
            f"{folder}: holds the checkpoint of step {step}; delete the folder, or give another train.run"
        )
    if config.steps > steps and not extend:
        last = config.model_copy(update={"steps": steps}).learning_rate_at(max(step - 1, 0))
        raise ConfigError(
            f"train.steps was {steps} and is {config.steps}: run {config.run} has come to step {step}, where its "
            f"learning rate would jump from {last:.2g} to {config.learning_rate_at(step):.2g}. Give train.run another "
            "name to start anew, or add --extend to go on so"
        )
    if not is_signed(manifest, key):
        sign(store, folder, manifest, key)
    return step


def check_writable(store: Store, config: TrainConfig) -> None:
    """Raises ConfigError if the run cannot write its checkpoints."""
    path = f"{config.folder}/.writable"
    try:
        store.write_bytes(path, b"")
        store.delete(path)
    except OSError as error:
        raise ConfigError(
            f"{store.root}: a run writes its checkpoints to {config.folder} there, which cannot be written: {error}. "
            "Make it writable, or train on a copy of the corpus"
        ) from None
