"""YAML 1.2 scalars, in recipes and in --set; and errors of one line."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs.commented_yaml import dump_commented
from pipeline.inputs.recipe import load_recipe
from pipeline.inputs.yaml_text import YamlError, dump_yaml, load_yaml
from schemas.config import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        ("-.5e+3", -500.0),
        ("2.", 2.0),
        (".inf", math.inf),
        ("12", 12),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("on", "on"),
        ("no", "no"),
        ("true", True),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("", None),
        ("'1e-5'", "1e-5"),
        ("[1e-3, a]", [1e-3, "a"]),
    ],
)
def test_scalars(text, value):
    found = load_yaml(text)
    assert found == value
    assert type(found) is type(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert load_yaml(dump_yaml(value)) == value


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[", "line 1, column 2"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' is repeated"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("[" * 5000, "nested too deeply|expected"),
        ("a\0b", "special characters"),
    ],
)
def test_errors_are_one_line(text, match):
    with pytest.raises(YamlError, match=match) as error:
        load_yaml(text)
    assert "\n" not in str(error.value)


def test_a_recipe_and_its_overrides_take_small_numbers(tmp_path):
    (tmp_path / "r.yaml").write_text("train: {learning_rate: 1e-5}\n")
    assert load_recipe(str(tmp_path / "r.yaml")).train.learning_rate == 1e-5
    changed = load_recipe("demo", ["train.learning_rate=3e-4"])
    assert changed.train.learning_rate == 3e-4
    (tmp_path / "shown.yaml").write_text(dump_commented(changed))
    assert load_recipe(str(tmp_path / "shown.yaml")) == changed


def test_the_file_of_a_recipe_may_have_any_suffix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "mine.yaml.txt", "mine.YML"):
        Path(name).write_text("train: {steps: 77}\n")
        assert load_recipe(name).train.steps == 77
    Path("demo").write_text("train: {steps: 77}\n")
    assert load_recipe("demo").train.steps != 77
    assert load_recipe("./demo").train.steps == 77
    with pytest.raises(ConfigError, match=r"recipe = 'no': no such recipe or file. Use one of demo, longvid, or"):
        load_recipe("no")
    Path("folder").mkdir()
    with pytest.raises(ConfigError, match="recipe = 'folder': is a folder, no recipe"):
        load_recipe("folder")


def test_unreadable_recipes_and_values_are_named(tmp_path):
    (tmp_path / "r.yaml").write_bytes(b"train: {run: \xff}")
    with pytest.raises(ConfigError, match="byte 13 is not UTF-8"):
        load_recipe(str(tmp_path / "r.yaml"))
    with pytest.raises(ConfigError, match=r"--set 'train.steps=\[': the value is not YAML"):
        load_recipe("demo", ["train.steps=["])
