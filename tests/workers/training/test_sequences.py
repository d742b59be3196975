import pytest

from model.tokenizer import load_tokenizer
from schemas.config import ConfigError
from tests.tiny_samples import TINY, WIDTH, tiny_sample
from workers.training.sequences import build_sequences


def test_tokens_of_another_width_are_named():
    samples = [tiny_sample(0), tiny_sample(1)]
    samples[1]["merged_tokens"] = samples[1]["merged_tokens"][:, :3]
    with pytest.raises(ConfigError, match=f"sample 00000001: its tokens have a width of 3, those of others {WIDTH}"):
        build_sequences(samples, load_tokenizer(""), TINY, WIDTH)
