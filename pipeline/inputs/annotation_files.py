"""Reads annotation files named by the user in the sandbox."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from stages.annotations.formats.entry import Entry
from stages.annotations.formats.task import read_in_sandbox

_SMALL_BYTES = 1 << 20
_FILES_AHEAD, _THREADS = 64, 4

Batches = Iterator[tuple[str, list[Entry]]]
"""The format of a file, with some of its entries at a time."""


def read_files(named: Path, format_name: str) -> Iterator[tuple[Path, Batches]]:
    """Yields a file, or all files of a folder, each with its entries; small files are read concurrently.

    Iterating over the entries raises AnnotationError.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        files = _files(named)
        while some := list(islice(files, _FILES_AHEAD)):
            read = [
                pool.submit(_read_small, path, format_name) if path.stat().st_size <= _SMALL_BYTES else None
                for path in some
            ]
            for path, future in zip(some, read, strict=True):
                yield path, _result(future) if future else read_in_sandbox(path, format_name)


def _read_small(path: Path, format_name: str) -> list[tuple[str, list[Entry]]]:
    return list(read_in_sandbox(path, format_name))


def _result(future: Future[list[tuple[str, list[Entry]]]]) -> Batches:
    yield from future.result()


def _files(named: Path) -> Iterator[Path]:
    """Yields the file itself, or all files below a folder except hidden ones, in the order of their paths."""
    if not named.is_dir():
        yield named
        return
    for path in sorted(named.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(named).parts):
            yield path
