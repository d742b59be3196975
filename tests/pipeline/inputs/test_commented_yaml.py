"""`longvid config` prints each setting with its documentation."""

from pipeline.inputs.commented_yaml import dump_commented
from pipeline.inputs.recipe import load_recipe
from pipeline.inputs.yaml_text import load_yaml
from tests.pipeline.command_line import run


def undocumented(text: str) -> list[str]:
    """Lines of settings above which there is no comment; items of lists do not count."""
    lines = text.splitlines()
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if not line.lstrip().startswith(("#", "- ")) and not before.lstrip().startswith("#")
    ]


def test_the_text_is_the_recipe():
    recipe = load_recipe("longvid", ['download.buckets=["s3://a"]', "train.model.visual_dropout=[[1, 0.5]]"])
    text = dump_commented(recipe)
    assert load_yaml(text) == recipe.model_dump(mode="json")
    assert (
        "      # Number of transformer layers." not in text
        and "    # Number of transformer layers.\n    layers: 4\n" in text
    )


def test_the_command_documents_every_setting(capsys):
    assert run("config", "--recipe", "demo") == 0
    text = capsys.readouterr().out
    assert undocumented(text) == []
    assert load_yaml(text) == load_recipe("demo").model_dump(mode="json")
