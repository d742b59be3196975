"""What an installed package has beside its modules."""

import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("model", "pipeline", "schemas", "stages", "workers")


@pytest.mark.parametrize("package", PACKAGES)
def test_types_of_a_package_are_for_its_users_too(package):
    assert (ROOT / package / "py.typed").is_file()
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "py.typed" in data["*"]


def test_hooks_are_local_and_those_of_make_lint():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = [hook["entry"].removeprefix(".venv/bin/") for hook in config["repos"][0]["hooks"]]
    recipe = (ROOT / "Makefile").read_text().split("\nlint: venv\n")[1].split("\n\n")[0]
    for line in recipe.replace("$(BIN)/", "").split("\n"):
        command = line.strip().removesuffix(" .").replace(" --check", "")
        assert any(hook.startswith(command) for hook in hooks), command
