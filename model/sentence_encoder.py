"""Embeds sentences by a local encoder in the Hugging Face form, such as all-MiniLM-L6-v2. Nothing is downloaded."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.untrusted_folder import UntrustedFolderError, refuse_remote_code

_BATCH, _MAX_TOKENS = 32, 128


class SentenceEncoderError(ValueError):
    """A folder holds no encoder. The message names it and the remedy."""


class SentenceEncoder:
    """Averages the tokens of the last layer, L2-normalised, as sentence-transformers pools by default.

    Args:
        folder: of the model, with its tokenizer and `model.safetensors`.

    Raises SentenceEncoderError.
    """

    def __init__(self, folder: str) -> None:
        check_encoder(folder)
        import torch  # as transformers, it costs seconds to import
        from transformers import AutoModel, AutoTokenizer

        from model.onednn import use_onednn

        torch.set_num_threads(1)
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            self._model = AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
            ).eval()
            use_onednn(self._model)
        except Exception as error:  # the library's errors for a damaged folder have no common class
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise SentenceEncoderError(f"text_model = {folder!r}: cannot be loaded: {reason}") from error

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [N, D]. An embedding depends on its text alone: batches are padded to one length."""
        import torch

        rows = [np.empty((0, self._model.config.hidden_size), np.float32)]
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            read = self._tokenizer(
                batch + [""] * (_BATCH - len(batch)),
                padding="max_length",
                truncation=True,
                max_length=_MAX_TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                hidden = self._model(**read).last_hidden_state
            mask = read["attention_mask"].unsqueeze(2)
            mean = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
            rows.append(mean[: len(batch)].float().numpy())
        return np.concatenate(rows)


def check_encoder(folder: str) -> None:
    """Raises SentenceEncoderError for a folder without a model, and for one that would run its own Python."""
    for name in ("config.json", "model.safetensors"):
        if not (Path(folder) / name).is_file():
            raise SentenceEncoderError(
                f"text_model = {folder!r}: there is no {name} in it; give the folder of a local Hugging Face model, or "
                "`clip` for the text side of embed.tower"
            )
    try:
        refuse_remote_code(folder)
    except UntrustedFolderError as error:
        raise SentenceEncoderError(f"text_model = {folder!r}: {error}") from None
