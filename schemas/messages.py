"""Makes untrusted text safe for messages: short, and without characters that control a terminal."""

import re

MESSAGE_CHARACTERS = 500
# Control characters but tab and line feed, line and paragraph separators, marks that turn the direction of writing,
# and halves of surrogate pairs, which no encoding can write.
_UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
# What a spreadsheet takes for a formula; a tab or carriage return before one does not hide it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    r"""Replaces every character that controls a terminal by an escape, such as `\x1b`."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def json_printable(text: str) -> str:
    """Replaces such characters in a JSON text by JSON escapes, since they occur only in its strings."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def message(text: str) -> str:
    """Makes a text fit for a row of `rejects` or a terminal: printable, at most MESSAGE_CHARACTERS long."""
    # Cut first: what is cut off need not be searched.
    text = printable(text[: MESSAGE_CHARACTERS + 1])
    return text if len(text) <= MESSAGE_CHARACTERS else text[: MESSAGE_CHARACTERS - 3] + "..."


def no_formula(text: str) -> str:
    """Puts an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def counted(number: int, noun: str) -> str:
    """Formats a number with its noun, such as `1 video` or `2,000 videos`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_text(size: float) -> str:
    """Formats a number of bytes, such as `20 kB` or `1.4 GB`."""
    unit = "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.{int(size < 10 and unit != 'B')}f} {unit}"


def is_text(value: str) -> bool:
    """Returns whether a string can be encoded as UTF-8 and used as a path: no NUL, no half of a surrogate pair."""
    return not _NO_TEXT.search(value)
