"""Tokenizers for the language model, with the ChatML marks around turns."""

from typing import Protocol

from model.untrusted_folder import refuse_remote_code


class Tokenizer(Protocol):
    """Describes the interface of a tokenizer. No text may encode to one of the ChatML marks."""

    vocab_size: int
    pad_id: int
    turn_start_id: int
    turn_end_id: int

    def encode(self, text: str) -> list[int]:
        """Returns the ids of a text."""
        ...

    def decode(self, ids: list[int]) -> str:
        """Returns the text of ids."""
        ...


class ByteTokenizer:
    """Encodes UTF-8 bytes as ids 0..255, followed by three marks. Needs no vocabulary and works for every language.

    Sequences are about four times as long as with a trained vocabulary, and the embedding is 600 times smaller, which
    suits small models.
    """

    pad_id, turn_start_id, turn_end_id = 256, 257, 258
    vocab_size = 259

    def encode(self, text: str) -> list[int]:
        """Returns the UTF-8 bytes of the text."""
        return list(text.encode())

    def decode(self, ids: list[int]) -> str:
        """Returns the text without marks; invalid UTF-8 becomes U+FFFD."""
        return bytes(i for i in ids if i < 256).decode(errors="replace")


class ChatTokenizer:
    """Wraps the tokenizer of a local Hugging Face model that was trained on ChatML, such as Qwen2.

    Raises:
        ValueError: the vocabulary lacks `<|im_start|>` or `<|im_end|>`.
    """

    def __init__(self, path: str) -> None:
        from transformers import AutoTokenizer  # takes seconds to import, and most commands need none

        refuse_remote_code(path)
        self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        vocabulary = self._tokenizer.get_vocab()
        for mark in ("<|im_start|>", "<|im_end|>"):
            if mark not in vocabulary:
                raise ValueError(
                    f"language_model = {path!r}: its vocabulary has no {mark}; use a model that was trained on ChatML"
                )
        self.vocab_size = len(self._tokenizer)
        self.turn_start_id = vocabulary["<|im_start|>"]
        self.turn_end_id = vocabulary["<|im_end|>"]
        pad = self._tokenizer.pad_token_id
        self.pad_id = self.turn_end_id if pad is None else pad

    def encode(self, text: str) -> list[int]:
        """Returns the ids of a text; ChatML marks in it are encoded as plain text."""
        return list(self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])

    def decode(self, ids: list[int]) -> str:
        """Returns the text of ids, without marks."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))


def load_tokenizer(path: str = "") -> Tokenizer:
    """Loads the tokenizer of the Hugging Face model in the folder `path`; "" gives the byte tokenizer."""
    return ChatTokenizer(path) if path else ByteTokenizer()
