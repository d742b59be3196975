"""Starts pyarrow without pandas, for commands that take less time than pandas takes to import."""

import sys
from typing import Any

import pyarrow as pa


class _NoPandas:
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ImportError("not needed here")


def skip_pandas() -> None:
    """Keeps pyarrow from importing pandas with its first array, which it does only to check for a pandas Series.

    pyarrow tries this import only once. Later imports of pandas work, also those of `to_pandas`. Does nothing if pandas
    is already imported.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
