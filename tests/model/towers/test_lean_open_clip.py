"""What is left out of the import of open_clip: nothing of it is loaded, and all of it is there where it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._tiny_towers import save_tower
from tests.tiny_towers import VIT, save_siglip, save_vit

SCRIPT = """
import sys
import numpy as np
from model.towers.tower import Tower

def loaded():
    return [name for name in ("timm", "transformers", "torch._dynamo") if name in sys.modules]

vit, siglip, bert = sys.argv[1:]
Tower(vit)
print(loaded())
print(*Tower(siglip).encode_patches([np.zeros((160, 160, 3), np.uint8)]).features.shape, loaded())
print(*Tower(bert).embed_texts(["a cat", "a b"]).shape)
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
def test_timm_and_transformers_are_imported_for_towers_with_parts_of_them_only(tmp_path):
    names = []
    for save in (save_vit, save_siglip, save_bert):
        (tmp_path / save.__name__).mkdir()
        names.append(save(tmp_path / save.__name__))
    done = subprocess.run([sys.executable, "-c", SCRIPT, *names], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["[]", "1 100 64 ['timm']", "2 48", "0"], done.stderr
