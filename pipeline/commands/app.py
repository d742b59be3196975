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
    """Returns a recipe by name, or else that of a corpus, with overrides.

    Raises ConfigError for a published corpus, which has none, and NotBuilt, OtherFormat.
    """
    from pipeline.inputs.recipe import load_recipe, override, recorded_recipe
    from pipeline.tables.corpus_file import CORPUS
    from pipeline.tables.published import is_published_only
    from schemas.config_error import ConfigError
    from workers.fetch.redaction import redacted
    from workers.storage.store import Store

    if recipe:
        return load_recipe(recipe, overrides)
    store = Store(corpus)
    if is_published_only(store) and not store.exists(CORPUS):
        raise ConfigError(
            f"{redacted(store.root)}: is published without the recipe that it was built with: name one with --recipe: "
            "demo for a small model on two cores, longvid for GPUs, or your own YAML file"
        )
    return override(recorded_recipe(store), overrides)
