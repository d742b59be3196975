"""What is refused before a run starts any process."""

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models

from pipeline.engine.lock import CorpusBusy, only_run
from pipeline.tables.damage import DamagedFile
from pipeline.train import train
from pipeline.training.checks import check_settings, resume_step
from pipeline.training.config import SAMPLES, TrainConfig
from pipeline.training.run_key import run_key
from schemas.config import ConfigError
from tests.tiny_samples import TINY
from tests.workers.shards.shard_units import TOKENS_PER_KEYFRAME, pack, write_video
from workers.shards.sample_reader import COLUMNS
from workers.storage.store import Store
from workers.training.manifest import MANIFEST, sign
from workers.training.sample_stream import SampleStream, shard_samples
from workers.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[3]
CONFIG = TrainConfig(model=TINY, steps=4, batch_size=4, heldout_samples=0)
OTHER_KEY = b"o" * 32
CHECKPOINT = "train/first/step_000004"


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Store:
    store = Store(tmp_path_factory.mktemp("corpus"))
    pack(store, [write_video(store, number) for number in range(3)], val_fraction=0.0)
    return store


@pytest.fixture
def corpus(packed, tmp_path) -> Store:
    """A copy with a run that has come to its end, step 4, written by this user."""
    shutil.copytree(packed.root, tmp_path / "corpus")
    store = Store(tmp_path / "corpus")
    trainer = rank_of(store, CONFIG)
    list(trainer.train_steps())
    trainer.save(store, CHECKPOINT, run_key("first"))
    return store


def samples_of(store: Store, config: TrainConfig = CONFIG):
    return shard_samples(store, store.read_table(SAMPLES, COLUMNS), config.split, config.seed)


def rank_of(store: Store, config: TrainConfig) -> Trainer:
    read, samples = samples_of(store, config)
    return Trainer(config, SampleStream(read, samples, batch_size=config.batch_size))


def resumed_at(store: Store, config: TrainConfig = CONFIG, key: bytes = b"", *, resume=False, extend=False) -> int:
    key = key or run_key("first")
    return resume_step(store, config, samples_of(store)[1], key, resume=resume, extend=extend)


def with_model(**settings) -> TrainConfig:
    return CONFIG.model_copy(update={"model": replace(TINY, **settings)})


def save_language_model(folder: Path, *, marks=("<|im_start|>", "<|im_end|>"), safe: bool = True) -> None:
    """A tiny one with its tokenizer; not `safe`: its weights pickled."""
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(vocab_size=300, num_key_value_heads=2, **sizes))
    model.save_pretrained(folder)
    if not safe:
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE(vocab={"a": 0}, merges=[])))
    tokenizer.add_special_tokens({"additional_special_tokens": list(marks)})
    tokenizer.save_pretrained(folder)


def test_language_model_that_is_no_folder_is_named(packed):
    table = packed.read_table(SAMPLES)
    with pytest.raises(ConfigError, match=r"train.model.language_model = '/.*/Qwen/Qwen2-7B': there is no such folder"):
        check_settings(with_model(language_model="Qwen/Qwen2-7B"), table)


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({"safe": False}, "it has no weights as .*safetensors; pickled weights are not read"),
        ({"marks": ("<|im_start|>",)}, "its tokenizer cannot be used: .*has no <|im_end|>"),
    ],
    ids=["pickled weights", "no ChatML"],
)
def test_language_model_that_cannot_be_used_is_named(saved, message, packed, tmp_path):
    save_language_model(tmp_path / "lm", **saved)
    with pytest.raises(ConfigError, match=f"train.model.language_model = '.*/lm': {message}"):
        check_settings(with_model(language_model=str(tmp_path / "lm")), packed.read_table(SAMPLES))


def test_relative_language_model_is_a_folder_of_the_user_for_workers_too(packed, tmp_path, monkeypatch):
    save_language_model(tmp_path / "models" / "lm")
    monkeypatch.chdir(tmp_path)
    config = check_settings(with_model(language_model="models/lm"), packed.read_table(SAMPLES))
    assert config.model.language_model == str(tmp_path / "models" / "lm")
    monkeypatch.setenv("HOME", str(tmp_path))
    config = check_settings(with_model(language_model="~/models/lm"), packed.read_table(SAMPLES))
    assert config.model.language_model == str(tmp_path / "models" / "lm")


def test_limit_that_the_keyframes_of_the_corpus_exceed_names_what_they_need(packed):
    table = packed.read_table(SAMPLES)
    needed = max(table["num_keyframes"].to_pylist()) * TOKENS_PER_KEYFRAME + 1
    check_settings(with_model(max_visual_tokens=needed), table)
    with pytest.raises(ConfigError, match=rf"max_visual_tokens = {needed - 1}: .* raise it to at least {needed}"):
        check_settings(with_model(max_visual_tokens=needed - 1), table)


def test_run_goes_on_from_its_last_checkpoint_or_starts(packed, corpus):
    assert resumed_at(packed) == 0
    assert resumed_at(corpus) == 4


def test_raised_steps_need_a_word(corpus):
    longer = CONFIG.model_copy(update={"steps": 9})
    with pytest.raises(
        ConfigError, match="train.steps was 4 and is 9: .* step 4.* from 0.* to 0.*another name.*--extend"
    ):
        resumed_at(corpus, longer)
    assert resumed_at(corpus, longer, extend=True) == 4
    assert resumed_at(corpus, CONFIG.model_copy(update={"steps": 2})) == 4


def test_checkpoint_of_someone_else_is_named_and_taken_over_on_request_only(corpus):
    with pytest.raises(
        ConfigError, match=r"train/first: .*step 4 was not written by this user .*--resume.*another name"
    ):
        resumed_at(corpus, key=OTHER_KEY)
    assert resumed_at(corpus, key=OTHER_KEY, resume=True) == 4
    assert resumed_at(corpus, key=OTHER_KEY) == 4


def forge_step(store: Store) -> None:
    manifest = store.read_json(f"{CHECKPOINT}/{MANIFEST}")
    store.write_json(f"{CHECKPOINT}/{MANIFEST}", manifest | {"epoch": 3})


def forge_signature(store: Store) -> None:
    manifest = store.read_json(f"{CHECKPOINT}/{MANIFEST}")
    sign(store, CHECKPOINT, manifest | {"epoch": 3}, b"")


def forge_a_later_checkpoint(store: Store) -> None:
    shutil.copytree(Path(store.root, CHECKPOINT), Path(store.root, "train/first/step_000009"))
    manifest = store.read_json(f"{CHECKPOINT}/{MANIFEST}")
    store.write_json(f"train/first/step_000009/{MANIFEST}", manifest | {"step": 9})


@pytest.mark.parametrize("forge", [forge_step, forge_signature, forge_a_later_checkpoint])
def test_checkpoint_that_was_changed_since_is_someone_elses(forge, corpus):
    forge(corpus)
    with pytest.raises(ConfigError, match="not written by this user"):
        resumed_at(corpus)


def test_checkpoint_of_another_run_is_not_this_runs(corpus):
    """A key is of one run: nobody without it can pass one run's checkpoint off as another's."""
    Path(corpus.root, "train/first").rename(Path(corpus.root, "train/second"))
    with pytest.raises(ConfigError, match="not written by this user"):
        resumed_at(corpus, CONFIG.model_copy(update={"run": "second"}), run_key("second"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\x80\x04K\x01.",
        b'{"step": 1}',
        b'{"step": -1, "files": {}}',
        b'{"files": {"model": 1}}',
        b"[" * 5000,
    ],
)
def test_manifest_that_is_none_is_named(content, corpus):
    corpus.write_bytes(f"{CHECKPOINT}/{MANIFEST}", content)
    for resume in (False, True):
        with pytest.raises(ConfigError, match=f"{CHECKPOINT}/{MANIFEST}: .*give the run another name"):
            resumed_at(corpus, resume=resume)


def drop_override() -> None:
    """For a child process of root: takes away that it may write what its owner may not (CAP_DAC_OVERRIDE)."""
    drop_from_bounding_set, override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override, 0, 0, 0)


def test_corpus_that_cannot_be_written_is_named(packed, tmp_path):
    corpus = tmp_path / "corpus"
    shutil.copytree(packed.root, corpus)
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "train", str(corpus), "--recipe", "demo"],
        cwd=ROOT,
        env={**os.environ, "LONGVID_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        preexec_fn=drop_override,
    )
    assert done.returncode == 2
    refused = f"error: {corpus}: a run writes its checkpoints to train/first there, which cannot be written: "
    assert done.stderr.startswith(refused) and done.stderr.count("\n") == 1, done.stderr
    assert done.stdout.startswith("this run's checkpoints will need --resume: ") and str(tmp_path) in done.stdout


def test_checks_import_no_ray():
    """It takes seconds, which a mistake need not cost."""
    code = "import sys, pipeline.inputs.recipe, pipeline.train; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "test"}, "split = 'test': no samples; there are: train"),
        ({"model": replace(TINY, max_visual_tokens=2)}, "max_visual_tokens = 2"),
        ({"model": replace(TINY, language_model="none")}, "language_model = '/.*/none'"),
    ],
    ids=["split", "visual tokens", "language model"],
)
def test_train_refuses_it_before_any_session(settings, message, packed, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "nothing-may-ask.invalid:1")
    with pytest.raises(ConfigError, match=message):
        train(packed.root, CONFIG.model_copy(update=settings))


def test_a_run_is_trained_by_one_call_at_a_time(packed):
    config = CONFIG.model_copy(update={"run": "busy"})
    with only_run(packed, config.folder), pytest.raises(CorpusBusy, match="busy: this run is being trained"):
        train(packed.root, config)


def test_columns_of_other_types_are_named(packed):
    table = packed.read_table(SAMPLES)
    for name in ("split", "num_frames"):
        wrong = table.set_column(table.column_names.index(name), name, [[["x"]] * table.num_rows])
        with pytest.raises(ConfigError, match=f"samples: column '{name}' is list"):
            check_settings(CONFIG, wrong)
    with pytest.raises(ConfigError, match="no column, or more than one, 'split'"):
        check_settings(CONFIG, table.append_column("split", table["split"]))


def test_a_damaged_table_is_named(corpus):
    corpus.write_bytes(SAMPLES, b"PAR1")
    with pytest.raises(DamagedFile, match=f"{SAMPLES}: damaged"):
        train(corpus.root, CONFIG)


def test_an_earlier_checkpoint_in_the_place_of_a_later_one_is_refused(corpus):
    shutil.copytree(corpus.full(CHECKPOINT), Path(corpus.root, "train/first/step_000009"))
    with pytest.raises(ConfigError, match="train/first/step_000009: holds the checkpoint of step 4; delete the folder"):
        resumed_at(corpus)
