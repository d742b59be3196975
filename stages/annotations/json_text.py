"""Parses untrusted JSON; every error in it raises AnnotationError."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from stages.annotations.text import AnnotationError

MAX_DEPTH = 64


def load_json(text: str, max_depth: int = MAX_DEPTH, repeated: list[str] | None = None) -> Any:
    """Returns the value of a JSON text. Keys that an object has twice are added to `repeated`; the last value counts.

    Raises AnnotationError that names line and column and quotes nothing; also for numbers that Python does not read
    (more than 4,300 digits) and for lists and objects nested more than `max_depth` deep.
    """
    try:
        value = json.loads(text, object_pairs_hook=None if repeated is None else noting(repeated))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        raise AnnotationError(f"bad JSON at {place}: {error.msg}") from None
    except RecursionError:
        raise AnnotationError("bad JSON: nested too deeply") from None
    except ValueError:
        raise AnnotationError("bad JSON: a number of more than 4,300 digits") from None
    check_depth(value, max_depth)
    return value


def noting(repeated: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Returns an `object_pairs_hook` that adds to `repeated` the keys that an object has twice."""

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            repeated.extend(key for key, count in Counter(key for key, _ in pairs).items() for _ in range(count - 1))
        return value

    return object_of


def check_depth(value: Any, max_depth: int = MAX_DEPTH) -> None:
    """Raises AnnotationError for lists and objects nested more than `max_depth` deep."""
    level = [value]
    for _ in range(max_depth):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise AnnotationError(f"bad JSON: nested more than {max_depth} deep")


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        node = list(node.values())
    return [child for child in node if isinstance(child, dict | list)] if isinstance(node, list) else []
