"""Rows of manifests, their error, and the limits of one row; used by the readers of all formats."""

from collections.abc import Iterable

from schemas.config import ConfigError
from workers.fetch.redaction import format_value

# Manifests are untrusted: rows are limited before values are created, since a file of 4 kB may expand to gigabytes.
CELL_BYTES = 1_000_000
LINE_BYTES = 16 * CELL_BYTES
JSON_BYTES = 256 * CELL_BYTES


class ManifestError(ConfigError):
    """The manifest cannot be used. The message names the file, the row, the value and the remedy."""


def too_long(where: str, column: str) -> ManifestError:
    """Returns the error for a cell above CELL_BYTES."""
    return ManifestError(
        f"{where}: {column}: a cell is larger than {CELL_BYTES:,} bytes; move events to an `events_file`, and divide "
        "text over several rows"
    )


def check_distinct(columns: Iterable[str], name: str) -> None:
    """Raises ManifestError if two columns of the file `name` have the same name."""
    seen: set[str] = set()
    for column in columns:
        if column in seen:
            raise ManifestError(f"{name}: two columns have the name {format_value(column)}; rename or drop one of them")
        seen.add(column)
