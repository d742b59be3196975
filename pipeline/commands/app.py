"""What all commands share: the application, the terminal, common options and the recipe of a corpus."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.terminal import Terminal

if TYPE_CHECKING:
    from pipeline.inputs.recipe import Recipe

app = typer.Typer(
    add_completion=False, help="The command line: `longvid COMMAND --help`.", pretty_exceptions_enable=False
)
out = Terminal()

Corpus = Annotated[str, typer.Argument(help="Folder of the corpus, or s3://... or gs://...")]
RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="Name of a recipe, or path of a YAML file.")]
CorpusRecipe = Annotated[
    str | None, typer.Option("--recipe", "-r", help="Default: the recipe that the corpus was built with.")
]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="FIELD=VALUE, e.g. embed.batch_frames=64.")]


def recipe_of(corpus: str, recipe: str | None, overrides: list[str] | None) -> "Recipe":
    """Returns a recipe by name, or else that of a corpus, with overrides."""
    from pipeline.inputs.recipe import load_recipe, override, recorded_recipe
    from workers.storage.store import Store

    return load_recipe(recipe, overrides) if recipe else override(recorded_recipe(Store(corpus)), overrides)
