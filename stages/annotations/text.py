"""Converts untrusted text to plain text, in time linear in its length."""

import html
import re
import unicodedata
from typing import Any

# Takes no room and means nothing. U+200C and U+200D are not here: Persian, Hindi and emoji need them.
# Nothing to clean, as most lines: words of visible ASCII but for `&`, `<` and `>`.
_CLEAN = re.compile(r"[!-%'-;=?-~]+(?: [!-%'-;=?-~]+)*")
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_BREAK = re.compile(r"</?(?:br|p|div|li|tr|td)\b[^<>]{0,200}>", re.IGNORECASE)
_BRACKET = re.compile(r"([<>])")
# What a language model's tokenizer or our own prompts could take for a control token, markup, and the times of words.
_TAG = re.compile(r"</?[A-Za-z|][^<>]{0,200}>|</?>|<\d{1,4}:\d{1,2}(?::\d{1,2})?(?:[.,]\d{1,9})?>")
# Normalisation takes quadratic time on a run of combining marks; no script has 30 of them on one letter (UAX #15).
_MAX_MARKS = 30
_PERHAPS_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1},}}")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)")
_NO_CHARACTER = re.compile(r"&#(?:[0-9]{8}|[xX][0-9a-fA-F]{7})")


class AnnotationError(ValueError):
    """An annotation of a video cannot be parsed.

    The message names the place, the field and the remedy. It quotes nothing of a file that may be no annotation at all.
    """


def clean_text(text: str) -> str:
    """Returns one line of plain text in NFC, without markup, entities, control characters or `<image>`-like tokens.

    Raises AnnotationError for a character reference with more digits than any character has.
    """
    if _CLEAN.fullmatch(text):
        return text
    text = _plain(text)
    if "&" in text:
        if _NO_CHARACTER.search(text):
            raise AnnotationError("a character reference (`&#...;`) has more digits than any character")
        # Entities may encode tags or control characters.
        text = _plain(_ENTITY.sub(lambda entity: html.unescape(entity[0]), text))
    return text


def format_value(value: Any) -> str:
    """Formats a value for messages: at most about 80 characters on one line; lists and objects only by their type."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        return repr(value[:60]) if len(value) <= 60 else f"{value[:60]!r}..."
    if isinstance(value, int) and not -(10**20) < value < 10**20:
        return "a number of more than 20 digits"
    return repr(value)


def _plain(text: str) -> str:
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", text))
    text = _SPACE.sub(" ", _BREAK.sub(" ", _normalised(text)))
    return _normalised(_without_tags(text)).strip()


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFC", _PERHAPS_MARKS.sub(_fewer_marks, text))


def _fewer_marks(symbols: re.Match[str]) -> str:
    kept, run = [], 0
    for symbol in symbols[0]:
        run = run + 1 if unicodedata.combining(symbol) else 0
        if run <= _MAX_MARKS:
            kept.append(symbol)
    return "".join(kept)


def _without_tags(text: str) -> str:
    """Returns text without tags, including those that appear when others are removed (`<im<b>age>`), in one pass."""
    kept: list[str] = []
    opened: list[int] = []  # positions in `kept` of each `<` that may begin a tag
    for piece in _BRACKET.split(text):
        if piece == ">" and opened and _TAG.fullmatch("".join(kept[opened[-1] :]) + ">"):
            del kept[opened.pop() :]
            continue
        if piece == "<":
            opened.append(len(kept))
        elif piece == ">":
            opened.clear()  # no tag extends across it
        elif kept and kept[-1].endswith(" "):
            piece = piece.lstrip(" ")
        if piece:
            kept.append(piece)
    return "".join(kept)
