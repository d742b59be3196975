"""Enforces the layers: imports point one way and in no cycle, Ray stays in the engine, nothing reads a pickle."""

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
FILES = [path for layer in MAY_IMPORT for path in sorted((ROOT / layer).rglob("*.py"))]
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
RAY = ("pipeline.engine.", "pipeline.training.")


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports at any depth, for type checking included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    layer = path.relative_to(ROOT).parts[0]
    found = {name.split(".")[0] for name in imported(path)}
    assert not (found & MAY_IMPORT.keys()) - MAY_IMPORT[layer]
    assert not found & FORBIDDEN[layer]
    assert not found & {"pickle", "cloudpickle", "dill", "joblib"}


@pytest.mark.parametrize("name", MODULES)
def test_ray_is_imported_by_the_engine_and_the_trainer_alone(name):
    uses_ray = any(imported_name.split(".")[0] == "ray" for imported_name in imported(MODULES[name]))
    assert not uses_ray or name.startswith(RAY)


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("workers.media")])
def test_media_imports_no_sibling_but_the_sandbox(name):
    siblings = {found for found in imported(MODULES[name]) if found.startswith("workers.")}
    assert not {found for found in siblings if not found.startswith(("workers.media", "workers.sandbox"))}


def test_no_modules_import_each_other_in_a_cycle():
    edges = {name: {found for found in imported(path) if found in MODULES} for name, path in MODULES.items()}
    for name in edges:  # `from package import module` names the package as well, whose __init__ imports nothing of it
        edges[name] = {found for found in edges[name] if not f"{name}.".startswith(f"{found}.")}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for found in edges[name]:
                visit(found, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())
