"""Streams a JSON document of any length, an object or a list of videos, one member at a time."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from stages.annotations.json_text import check_depth, noting
from stages.annotations.text import AnnotationError

WRAPPERS = ("database", "videos", "annotations", "sentences", "data")
"""Members of the outermost object that contain the videos."""
_PIECE = 1 << 20
_MAX_VALUE = 256 << 20


def stream_json(stream: TextIO) -> Iterator[tuple[str, Any]]:
    """Yields the members of the object, or the items of the list with the key "".

    Members of WRAPPERS are replaced by their content. At the end, there is a null for each key that an object within a
    value has twice. Raises AnnotationError, also for a value of more than 256 MiB.
    """
    scanner = _Scanner(stream)
    for key in scanner.members():
        if key in WRAPPERS and scanner.peek() in "{[":
            for inner in scanner.members():
                yield inner, scanner.value()
        else:
            yield key, scanner.value()
    yield from (("", None) for _ in scanner.repeated)


class _Scanner:
    """A position in a JSON text that is read in pieces."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._text, self._at, self._read = stream, "", 0, 0
        self.repeated: list[str] = []
        self._decoder = json.JSONDecoder(object_pairs_hook=noting(self.repeated))

    def members(self) -> Iterator[str]:
        """Yields the keys of the object, or "" for each item of the list, that begins here.

        The caller must read the value of each member before it takes the next key.
        """
        is_object = self._take() == "{"
        close = "}" if is_object else "]"
        if self.peek() == close:
            self._at += 1
            return
        while True:
            key = self.value() if is_object else ""
            if is_object and (not isinstance(key, str) or self._take() != ":"):
                raise self._bad("a key and a colon")
            yield key
            if (found := self._take()) == close:
                return
            if found != ",":
                raise self._bad(f"',' or '{close}'")

    def peek(self) -> str:
        """Returns the next character that is not white space; "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in " \t\r\n":
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def value(self) -> Any:
        """Returns the value that begins here."""
        self.peek()
        before = len(self.repeated)
        while True:
            del self.repeated[before:]  # of a part that is parsed again
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                # At the end of the text read so far, a number may continue: `1` of `1.5`, of `1e+5`.
                if end + 2 < len(self._text) or not self._more():
                    break
            except json.JSONDecodeError as error:
                if not self._more():
                    raise AnnotationError(f"bad JSON: {error.msg}") from None
            except RecursionError:
                raise AnnotationError("bad JSON: nested too deeply") from None
            except ValueError:
                raise AnnotationError("bad JSON: a number of more than 4,300 digits") from None
        check_depth(value)
        self._at = end
        return value

    def _take(self) -> str:
        found = self.peek()
        self._at += 1
        return found

    def _more(self) -> bool:
        rest = len(self._text) - self._at
        if rest > _MAX_VALUE:
            raise AnnotationError(f"bad JSON: a value of more than {_MAX_VALUE >> 20} MiB")
        # Doubles the text, so that a long value is parsed only a few times.
        piece = self._stream.read(max(_PIECE, rest))
        if piece:
            self._read += self._at
            self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def _bad(self, wanted: str) -> AnnotationError:
        return AnnotationError(f"bad JSON at character {self._read + self._at}: expected {wanted}")
