"""Starts pyarrow without pandas, for commands that take less time than pandas takes to import."""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError("not needed here")


def skip_pandas() -> None:
    """Keeps pyarrow from importing pandas with the first array that it makes, only to see whether that is a Series.

    pyarrow asks once. What asks for pandas by name later still gets it, `to_pandas` too. Does nothing where pandas is
    imported already.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
