"""The rows of `contamination` as a CSV file, for people to look through."""

import csv
from pathlib import Path

from schemas.config import ConfigError
from schemas.messages import message, no_formula
from schemas.rows import Row
from schemas.tables.qa import CONTAMINATION


def check_sheet(path: Path) -> None:
    """Raises ConfigError where no sheet can be written, and for a file that is there and is none."""
    if path.is_dir():
        raise ConfigError(f"--sheet {path}: is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--sheet {path}: there is no folder {path.parent}; make it first")
    if path.exists():
        with path.open("rb") as stream:
            if stream.readline(1000).strip() not in (b"", ",".join(CONTAMINATION.names).encode()):
                raise ConfigError(f"--sheet {path}: is there already and is no such sheet; give another name")


def write_sheet(rows: list[Row], path: Path) -> None:
    """Writes the rows as CSV, in which no untrusted text is a formula."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(CONTAMINATION.names)
        for row in rows:
            values = (row[name] for name in CONTAMINATION.names)
            writer.writerow(no_formula(message(value)) if isinstance(value, str) else value for value in values)
