"""Folders of weights that would run code: none does, whoever loads them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model.language_model import load_language_model
from model.tokenizer import load_tokenizer
from model.towers.tower import Tower, TowerError
from model.untrusted_folder import UntrustedFolderError, refuse_remote_code
from tests.tiny_towers import TEXT, save_vit

CODE = """
import pathlib
pathlib.Path({marker!r}).write_text("ran")
import transformers
class Tok(PreTrainedTokenizerFast): pass
"""


def plant_code(folder: Path) -> Path:
    """A tokenizer with Python of its own; gives the file that it would write."""
    marker = folder / "marker"
    (folder / "evil.py").write_text(CODE.format(marker=str(marker)))
    auto_map = {"auto_map": {"AutoTokenizer": [None, "evil.Tok"], "AutoConfig": "evil.Tok"}, "tokenizer_class": "Tok"}
    (folder / "tokenizer_config.json").write_text(json.dumps(auto_map))
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", **auto_map}))
    return marker


def ask_for_code(folder: Path, tokenizer_kwargs: dict) -> None:
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["text_cfg"] = {**TEXT, "hf_tokenizer_name": "evil", "tokenizer_kwargs": tokenizer_kwargs}
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("value", [True, False, "yes"])
def test_a_tower_with_the_key_is_refused_and_runs_nothing(tmp_path, value):
    name = save_vit(tmp_path)
    marker = plant_code(tmp_path)
    ask_for_code(tmp_path, {"trust_remote_code": value})
    with pytest.raises(TowerError, match="open_clip_config.json: contains the key 'trust_remote_code'"):
        Tower(name)
    assert not marker.exists()


@pytest.mark.slow
def test_a_tower_with_code_but_without_the_key_is_refused_without_a_question(tmp_path):
    """In a process with a terminal's answer at hand: transformers would ask whether to run the code."""
    name = save_vit(tmp_path)
    marker = plant_code(tmp_path)
    ask_for_code(tmp_path, {})
    script = f"from model.towers.tower import Tower; Tower({name!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], input="y\ny\ny\n", capture_output=True, text=True, env={**os.environ}
    )
    assert "TowerError" in done.stderr
    assert "[y/N]" not in done.stdout
    assert not marker.exists()


def test_a_language_model_with_the_key_or_with_code_is_refused(tmp_path):
    marker = plant_code(tmp_path)
    for load in (load_tokenizer, lambda folder: load_language_model(folder, 1)):
        with pytest.raises(ValueError):
            load(str(tmp_path))
    (tmp_path / "generation_config.json").write_text('{"deep": [{"trust_remote\\u005fcode": true}]}')
    for load in (load_tokenizer, lambda folder: load_language_model(folder, 1)):
        with pytest.raises(UntrustedFolderError, match="generation_config.json"):
            load(str(tmp_path))
    assert not marker.exists()


class _Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (os.mkdir, (str(self.marker),))


def test_pickled_weights_that_run_code_are_one_line(tmp_path):
    name = save_vit(tmp_path)
    (tmp_path / "open_clip_model.safetensors").unlink()
    torch.save({"state_dict": _Evil(tmp_path / "marker")}, tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(TowerError, match="a pickle that holds more than tensors; use .safetensors") as error:
        Tower(name)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "marker").exists()


def test_a_folder_without_the_key_passes_whatever_else_lies_there(tmp_path):
    (tmp_path / "damaged.json").write_text("{")
    (tmp_path / "words.json").write_text('{"vocab": {"trust": 1}, "note": "trust_remote_code"}')
    refuse_remote_code(tmp_path)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(UntrustedFolderError, match=r"deep.json: nested too deeply"):
        refuse_remote_code(tmp_path)
