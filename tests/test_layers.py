"""The house stays as drawn: imports point one way, only pipeline knows Ray, nothing anywhere reads a pickle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "schemas": {"schemas"},
    "model": {"model"},
    "workers": {"workers", "model", "schemas"},
    "stages": {"stages", "workers", "model", "schemas"},
    "pipeline": {"pipeline", "stages", "workers", "model", "schemas"},
}
FORBIDDEN = {
    "schemas": {"ray", "torch"},
    "model": {"ray", "pyarrow"},
    "workers": {"ray"},
    "stages": {"ray"},
    "pipeline": set(),
}
FILES = [path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    found = set(imported(path))
    assert not (found & MAY_IMPORT.keys()) - MAY_IMPORT[room]
    assert not found & FORBIDDEN[room]
    assert not found & {"pickle", "cloudpickle", "dill", "joblib"}
