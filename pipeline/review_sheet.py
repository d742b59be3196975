"""The sheet of `longvid review`: a CSV file with a pair per row, in which a person fills in the last columns."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.inputs.manifest_formats import read_rows
from pipeline.tables.left_out import AnnotationRow
from schemas.config import ConfigError
from schemas.messages import message, no_formula, printable
from schemas.rows import Row

TOLD = ("number", "qa_id", "video", "task", "form", "prompt", "answer", "evidence", "annotations")
ASKED = ("verdict", "wrong_rows", "remark")
VERDICTS = ("ok", "minor", "fault", "source")


def write_sheet(path: Path, pairs: Iterable[Row]) -> None:
    """Writes a row per pair with the columns TOLD. Untrusted text in it is no formula. Raises as `check_new`."""
    check_new(path)
    with path.open("x", newline="", encoding="utf-8-sig") as stream:  # without the mark, Excel takes it for Latin-1
        writer = csv.writer(stream)
        writer.writerow((*TOLD, *ASKED))
        for pair in pairs:
            told = (no_formula(printable(str(pair[name]))) for name in TOLD)
            writer.writerow((*told, *("" for _ in ASKED)))


def check_new(path: Path) -> None:
    """Raises ConfigError if there is such a file, which may hold verdicts, or if its name is none of a sheet."""
    _check_name(path)
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{path}: is there already and may hold verdicts; give another name")


def read_sheet(path: Path) -> Iterator[tuple[str, Row]]:
    """Yields the rows that have a verdict, each with its place. Raises ConfigError or ManifestError with the place."""
    _check_name(path)
    places: dict[Any, str] = {}
    with path.open("rb") as source:
        for where, row in read_rows(source, str(path)):
            if "qa_id" not in row:
                raise ConfigError(f"{where}: has no qa_id; give a sheet that `longvid review --draw` wrote")
            verdict = str(row.get("verdict") or "").strip().lower()
            if verdict and verdict not in VERDICTS:
                raise ConfigError(
                    f"{where}: verdict = {message(verdict)!r}: must be ok, minor (right, with a blemish), fault, or "
                    "source (its annotation is wrong); leave it empty for a pair that was not judged"
                )
            if verdict:
                if (before := places.setdefault(row["qa_id"], where)) != where:
                    raise ConfigError(f"{where}: judges the same pair as {before}; keep one of the two verdicts")
                yield where, {**row, "verdict": verdict}


def wrong_rows(text: str, own: list[AnnotationRow], where: str) -> list[AnnotationRow]:
    """Returns the rows of annotations that a person named wrong.

    Args:
        text: numbers, or `file:number`, with commas or semicolons between. Empty: the only row, if there is one only.
        own: the rows that the pair was made from.
        where: place in the sheet.

    Raises ConfigError for one that is none of the pair's.
    """
    named = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not named:
        return own if len(own) == 1 else []
    found: list[AnnotationRow] = []
    for name in named:
        file, _, number = name.rpartition(":")
        same = [row for row in own if str(row[2]) == number.strip() and file.strip() in ("", row[1])]
        if not same:
            known = ", ".join(f"{row[1]}:{row[2]}" if row[1] else str(row[2]) for row in own[:8]) or "none has a number"
            raise ConfigError(f"{where}: wrong_rows = {message(name)!r}: is no row of this pair; there are: {known}")
        found += same
    return found


def _check_name(path: Path) -> None:
    if path.suffix.lower() != ".csv":
        raise ConfigError(f"{path}: the name of a sheet ends in .csv")
