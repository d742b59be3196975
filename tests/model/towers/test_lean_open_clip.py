"""What is left out of the import of open_clip: nothing of it is loaded, and all of it is there where it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._tiny_towers import save_tower
from tests.tiny_towers import VIT, save_vit

SCRIPT = """
import sys
from model.towers.tower import Tower

Tower(sys.argv[1])
print([name for name in ("transformers", "torch._dynamo") if name in sys.modules])
print(*Tower(sys.argv[2]).embed_texts(["a cat", "a b"]).shape)
import torch._dynamo, transformers
print(transformers.dynamic_module_utils.TIME_OUT_REMOTE_CODE)
"""


def save_bert(folder: Path) -> str:
    """A tower whose text encoder and tokenizer are those of transformers."""
    from transformers import BertConfig, BertModel, BertTokenizer

    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "cat"]))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=8, **size)).save_pretrained(folder / "bert")
    text = {"hf_model_name": str(folder / "bert"), "hf_tokenizer_name": str(folder), "hf_pooler_type": "mean_pooler"}
    return save_tower(folder, VIT, embed_dim=48, text_cfg={**text, "hf_model_pretrained": False}, custom_text=True)


@pytest.mark.slow
def test_transformers_is_imported_for_towers_with_parts_of_it_only(tmp_path):
    names = []
    for save in (save_vit, save_bert):
        (tmp_path / save.__name__).mkdir()
        names.append(save(tmp_path / save.__name__))
    done = subprocess.run([sys.executable, "-c", SCRIPT, *names], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[]", "2 48", "0"], done.stderr
