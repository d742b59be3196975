"""A local sentence encoder, and folders that hold none."""

import json
import shutil

import numpy as np
import pytest

from model.sentence_encoder import SentenceEncoder, SentenceEncoderError, check_encoder
from tests.sentence_encoder import ENCODER


def test_paraphrases_are_closer_than_other_events():
    texts = ["A man puts on his shoes", "The man is putting his shoes on", "A dog chases a ball"]
    vectors = SentenceEncoder(ENCODER)(texts)
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.9 > 0.3 > vectors[0] @ vectors[2]
    # A text's embedding does not depend on its neighbours.
    assert np.array_equal(SentenceEncoder(ENCODER)(texts[2:])[0], vectors[2])
    assert SentenceEncoder(ENCODER)([]).shape == (0, 384)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_a_model_is_refused(tmp_path, missing):
    for name in {"config.json", "model.safetensors"} - {missing}:
        (tmp_path / name).write_text("{}")
    with pytest.raises(SentenceEncoderError, match=f"there is no {missing} in it; give the folder"):
        check_encoder(str(tmp_path))


def test_a_folder_that_would_run_code_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text(json.dumps({"a": {"trust_remote_code": True}}))
    with pytest.raises(SentenceEncoderError, match="lets a folder run its own Python"):
        check_encoder(str(tmp_path))


def test_a_damaged_folder_is_one_clear_error(tmp_path):
    shutil.copytree(ENCODER, tmp_path / "m", ignore=shutil.ignore_patterns("model.safetensors"))
    (tmp_path / "m" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(SentenceEncoderError, match="cannot be loaded"):
        SentenceEncoder(str(tmp_path / "m"))
