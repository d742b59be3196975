"""The sentence encoder of a recipe, loaded once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from model.sentence_encoder import check_encoder
from model.towers.source import LOCAL, ROOT, weights_digest

if TYPE_CHECKING:
    from model.sentence_encoder import SentenceEncoder

CLIP = "clip"
"""Stands for the text side of the tower that frames are embedded by."""


def encoder_folder(name: str) -> str:
    """Returns the folder of an encoder; a relative path is relative to the checkout, like those of towers.

    Raises SentenceEncoderError, a ValueError, where it holds no encoder.
    """
    folder = str(ROOT / Path(name).expanduser())
    check_encoder(folder)
    return folder


@lru_cache(maxsize=1)
def load_encoder(name: str) -> SentenceEncoder:
    """Returns the encoder in a folder."""
    from model.sentence_encoder import SentenceEncoder

    return SentenceEncoder(encoder_folder(name))


def encoder_weights(name: str) -> str:
    """Returns a digest of the files of an encoder, which units depend on besides the settings."""
    return weights_digest(LOCAL + name, "")
