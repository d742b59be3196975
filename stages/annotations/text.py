"""Bytes of a stranger's text file to clean text."""

import re
import unicodedata

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# What a language model's tokenizer or our own prompts could take for a control token, and markup of subtitles.
_TAG = re.compile(r"</?[A-Za-z|][^<>]{0,200}>|</?>")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]")
_SPACE = re.compile(r"\s+")


class TextError(ValueError):
    """Bytes that are no text."""


def decode_text(data: bytes) -> str:
    """Text of a file in UTF-8 or UTF-16 (with a mark), or else Windows-1252, as old subtitles are. Lines end in `\\n`.

    Raises TextError for binary data.
    """
    encoding = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    if encoding is None and b"\0" in data:
        raise TextError("holds binary data, not text")
    try:
        text = data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise TextError(f"starts as {encoding} text but cannot be read as such at byte {error.start}") from None
        text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean_text(text: str) -> str:
    """One line of plain text: no markup, no control characters or `<image>`-like tokens, single spaces, NFC."""
    text = unicodedata.normalize("NFC", text)
    while (bare := _TAG.sub("", text)) != text:
        text = bare
    return _SPACE.sub(" ", _CONTROL.sub(" ", text)).strip()
