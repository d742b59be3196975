"""Settings keep working under their former names."""

import pytest

from pipeline.inputs.recipe import load_recipe
from schemas.config import ConfigError
from schemas.renamed_settings import RENAMED, rename_settings


def field(values, path: str):
    for part in path.split("."):
        values = values[part] if isinstance(values, dict) else getattr(values, part)
    return values


@pytest.mark.parametrize("former", RENAMED)
def test_every_renamed_setting_exists_under_its_current_name(former):
    field(load_recipe("demo"), RENAMED[former])
    with pytest.raises((KeyError, AttributeError)):
        field(load_recipe("demo"), former)


def test_a_recipe_with_former_names_means_the_same(tmp_path):
    file = tmp_path / "old.yaml"
    file.write_text("max_deaths: 7\nfind_shots: {leaning: 0.5}\ntrain: {model: {thinning: runs}}\n")
    with pytest.warns(FutureWarning, match="find_shots.leaning is called find_shots.embedding_assist_ratio now"):
        recipe = load_recipe(str(file), ["find_shots.noise_window=9"])
    assert recipe.max_crashes == 7
    assert recipe.find_shots.embedding_assist_ratio == 0.5
    assert recipe.find_shots.noise_window == 9
    assert recipe.train.model.subsampling == "clusters"


def test_set_takes_former_names():
    with pytest.warns(FutureWarning, match="train.model.thinning"):
        recipe = load_recipe("demo", ["max_crashes=3", "train.model={thinning: runs, layers: 2}"])
    assert recipe.train.model.subsampling == "clusters"
    with pytest.warns(FutureWarning, match="max_deaths is called max_crashes now"):
        assert load_recipe("demo", ["max_deaths=3"]).max_crashes == 3


def test_both_names_at_once_are_refused():
    with pytest.raises(ConfigError, match="the former name of find_shots.embedding_assist_ratio"):
        rename_settings({"find_shots": {"leaning": 0.5, "embedding_assist_ratio": 0.6}})
