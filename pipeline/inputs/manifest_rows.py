"""What the readers of all manifest formats share: the rows they yield, their error, and how much one row may hold."""

from collections.abc import Iterable
from typing import Any

from schemas.config import ConfigError
from workers.fetch.redaction import format_value

Row = dict[str, Any]

# Manifests are untrusted: a row is bounded before its values are made, so that a file of 4 kB takes no gigabytes.
CELL_BYTES = 1_000_000
LINE_BYTES = 16 * CELL_BYTES
JSON_BYTES = 256 * CELL_BYTES


class ManifestError(ConfigError):
    """A manifest that cannot be used. The message names the file, the row, the value and the remedy."""


def too_long(where: str, column: str) -> ManifestError:
    """The error for a cell above CELL_BYTES."""
    return ManifestError(
        f"{where}: {column}: a cell holds more than {CELL_BYTES:,} bytes; put events in an `events_file`, and text in "
        "several rows"
    )


def check_distinct(columns: Iterable[str], name: str) -> None:
    """Raises ManifestError where two columns of the file `name` have one name."""
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise ManifestError(f"{name}: two columns have the name {format_value(column)}; rename or drop one of them")
        seen.add(column)
