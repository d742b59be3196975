"""The settings of models in a recipe: one endpoint for all, nothing that changes a corpus without models."""

import json

import pytest

from pipeline.inputs.recipe import load_recipe, override, recorded_recipe
from pipeline.tables.corpus_file import CORPUS, describe
from schemas.config import ConfigError
from schemas.tables import FORMAT_VERSION
from workers.storage.store import Store

ENDPOINT = ["annotate.endpoint.base_url=https://api.example.com/v1", "annotate.endpoint.model=m"]


def keys(recipe) -> dict[str, dict]:
    return {name: stage.config.semantic() for name, stage in recipe.stages().items()}


def test_an_endpoint_that_nothing_asks_changes_no_stage():
    assert keys(load_recipe("demo", ENDPOINT)) == keys(load_recipe("demo"))
    assert "endpoint" not in json.dumps(keys(load_recipe("demo")))


def test_the_realizer_asks_the_endpoint_of_annotate_and_depends_on_its_model_alone():
    recipe = load_recipe("demo", [*ENDPOINT, "write_qa.realizer=llm"])
    assert recipe.write_qa.endpoint == recipe.annotate.endpoint
    base = keys(recipe)["write_qa"]
    assert base != keys(load_recipe("demo"))["write_qa"]
    same = ["annotate.endpoint.base_url=https://other.example.com", "annotate.endpoint.max_tokens=5"]
    assert keys(override(recipe, same))["write_qa"] == base
    assert keys(override(recipe, ["annotate.endpoint.model=n"]))["write_qa"] != base


def test_a_corpus_records_the_endpoint_once(tmp_path):
    recipe = load_recipe("demo", [*ENDPOINT, "write_qa.realizer=llm"])
    describe(Store(tmp_path), recipe)
    recorded = recorded_recipe(Store(tmp_path))
    assert recorded == recipe
    assert override(recorded, ["annotate.endpoint.model=n"]).write_qa.endpoint.model == "n"


def test_a_corpus_from_another_machine_names_a_text_model_that_is_not_here(tmp_path):
    store, values = Store(tmp_path), load_recipe("demo").model_dump(mode="json")
    values["write_qa"]["text_model"] = str(tmp_path / "elsewhere")
    store.write_json(CORPUS, {"format_version": FORMAT_VERSION, "recipe": values, "versions": {}})
    recorded = recorded_recipe(store)
    assert override(recorded, ["train.steps=3"]).train.steps == 3
    assert keys(recorded)["write_qa"] != keys(load_recipe("demo"))["write_qa"]
    with pytest.raises(ConfigError, match=r"there is no config.json"):
        load_recipe("demo", [f"write_qa.text_model={tmp_path / 'elsewhere'}"])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["write_qa.realizer=llm"], "annotate.endpoint.base_url = ''"),
        (["write_qa.realizer=llm", ENDPOINT[0]], "annotate.endpoint.model = ''"),
        (["write_qa.realizer=llm", *ENDPOINT, "annotate.endpoint.key_variable=LONGVID_NO_KEY"], "LONGVID_NO_KEY"),
        (["write_qa.realizer=llm", *ENDPOINT, "annotate.endpoint.max_cost=5.0"], "set price_in"),
    ],
)
def test_what_is_missing_is_said_before_a_build(settings, told):
    with pytest.raises(ConfigError, match=told):
        load_recipe("demo", settings).check_models()


def test_an_endpoint_of_its_own_is_refused():
    with pytest.raises(ConfigError, match="set annotate.endpoint"):
        load_recipe("demo", ["write_qa.endpoint.model=m"])
