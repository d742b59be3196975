"""Text of strangers in messages: short, and nothing in it that a terminal would act on."""

import re

MESSAGE_CHARACTERS = 500
# Control characters but tab and line feed, line and paragraph separators, marks that turn the direction of writing,
# and halves of surrogate pairs, which no encoding can write.
_UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with every character that a terminal would act on written as an escape, such as `\\x1b`."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def json_printable(text: str) -> str:
    """The same for a text that is JSON: there such characters stand in strings only, which hold escapes of JSON."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shorten(text: str, characters: int = MESSAGE_CHARACTERS) -> str:
    """The text, or its beginning with `...` where it is longer."""
    return text if len(text) <= characters else text[: characters - 3] + "..."


def message(text: str) -> str:
    """A text as rows of `rejects` and lines of a terminal may hold it: printable, and at most MESSAGE_CHARACTERS."""
    # Cut first: what is cut off need not be searched.
    return shorten(printable(text[: MESSAGE_CHARACTERS + 1]))


def is_text(value: str) -> bool:
    """Whether UTF-8 can write a string and the system can take it as a path: no NUL, no half of a surrogate pair."""
    return not _NO_TEXT.search(value)
