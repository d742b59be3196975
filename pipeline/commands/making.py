"""Commands that make something: recipes, manifests, corpora and trained models."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.app import Corpus, CorpusRecipe, Overrides, RecipeName, app, out, recipe_of
from schemas.config_error import ConfigError
from schemas.messages import counted, message

ManifestFile = Annotated[str, typer.Option("--manifest", "-m", help="JSONL, CSV or Parquet: one row per video.")]


@app.command()
def config(recipe: RecipeName = "longvid", set_: Overrides = None) -> None:
    """Print all settings of a recipe as YAML, each with its documentation as a comment."""
    from pipeline.inputs.commented_yaml import dump_commented
    from pipeline.inputs.recipe import load_recipe

    out.print(dump_commented(load_recipe(recipe, set_)), end="")


@app.command()
def manifest(
    folder: Path,
    to: Annotated[Path, typer.Option("--out", "-o")] = Path("manifest.jsonl"),
    annotations: Annotated[
        list[Path] | None,
        typer.Option(help="Annotation files of any known format, or folders of them; may be repeated."),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(metavar="FILES", help="More files, after --annotations.")] = None,
    annotation_format: Annotated[
        str, typer.Option(help="Format of these files; default: detected. docs/annotations.md lists them.")
    ] = "",
    annotation_licence: Annotated[
        list[str] | None,
        typer.Option(help="Licence of these files, one per file or one for all. Without --annotations: of all events."),
    ] = None,
    only_annotated: Annotated[bool, typer.Option(help="Leave out videos that are in no annotation file.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite an existing manifest.")] = False,
) -> None:
    """Write a manifest of all video files below FOLDER, with the subtitles and events beside them.

    Annotation files of data sets are joined by the ids of the videos; their events are written to a folder beside the
    manifest.
    """
    from pipeline.inputs.manifest_writer import check_output, make_manifest, write_manifest

    check_output(to, replace=replace)
    files = [*(annotations or []), *(more or [])]
    licences = annotation_licence or []
    _check_annotations(bool(annotations), more, annotation_format, only_annotated)
    if len(licences) not in (0, 1, len(files or [""])):
        raise ConfigError(f"--annotation-licence: given {len(licences)} times: give it once, or once per --annotations")
    rows = make_manifest(folder, say=lambda line: out.print(message(line)))
    if files:
        from pipeline.inputs.annotation_join import write_joined_manifest

        joined = write_joined_manifest(rows, to, files, annotation_format, only_annotated, licences)
        written = joined.written
        for line in joined.lines():
            out.print(message(line))
    else:
        written = write_manifest(({**row, "annotation_licence": next(iter(licences), None)} for row in rows), to)
    out.print(message(f"{to}: {counted(written, 'video')}"))


def _check_annotations(given: bool, more: list[Path] | None, annotation_format: str, only_annotated: bool) -> None:
    """Raises ConfigError for options of annotation files without `--annotations`."""
    if more and not given:
        raise ConfigError(f"{more[0]}: give annotation files after --annotations")
    if only_annotated and not given:
        raise ConfigError("--only-annotated: needs --annotations FILE, which names the videos to keep")
    if annotation_format and not given:
        raise ConfigError("--annotation-format: needs --annotations FILE, whose format it names")


@app.command()
def build(
    manifest: ManifestFile,
    to: Annotated[str, typer.Option("--out", "-o", help="Folder of the corpus, or s3://... or gs://...")],
    recipe: RecipeName = "longvid",
    set_: Overrides = None,
    allow_removal: Annotated[
        bool, typer.Option("--allow-removal", help="Allow a manifest without most of the videos of the corpus.")
    ] = False,
) -> None:
    """Build a corpus, or continue a build; finished units are kept. Exit code 1: the code failed on some units."""
    from pipeline.engine.forked_workers import fork_server_of_new

    with fork_server_of_new(to):  # before the imports, which take about as long
        from pipeline.build import build
        from pipeline.inputs.recipe import load_recipe
        from pipeline.report import show_summary

        summary = build(manifest, to, load_recipe(recipe, set_), say=out.print, allow_removal=allow_removal)
    show_summary(summary, to, out)
    raise typer.Exit(1 if summary.failures else 0)


@app.command()
def demo(to: Annotated[Path, typer.Option("--out", "-o")] = Path("demo_corpus"), set_: Overrides = None) -> None:
    """Render long videos of a small world, build a corpus from them and train on it. Needs no network and no GPU."""
    from pipeline.demo.run import run_demo
    from pipeline.engine.forked_workers import fork_server_of_new
    from pipeline.inputs.recipe import load_recipe

    with fork_server_of_new(str(to)):
        run_demo(to, load_recipe("demo", set_), out)


@app.command()
def retry(
    corpus: Corpus,
    reason: Annotated[str | None, typer.Option(help="A reason code of the table rejects.")] = None,
    where: Annotated[
        str | None, typer.Option(help="An SQL condition over rejects, e.g. \"stage = 'download'\".")
    ] = None,
) -> None:
    """Have the next build try rejected units again."""
    from pipeline.retry import retry as mark

    if (reason is None) == (where is None):
        raise ConfigError("give either --reason CODE or --where SQL")
    marked = mark(corpus, reason=reason, where=where)
    out.print(f"the next build tries {counted(marked, 'reject')} again")


@app.command()
def train(
    corpus: Corpus,
    recipe: CorpusRecipe = None,
    set_: Overrides = None,
    resume: Annotated[bool, typer.Option(help="Trust and resume from checkpoints of another user.")] = False,
    extend: Annotated[bool, typer.Option(help="Continue a run whose train.steps was raised.")] = False,
) -> None:
    """Train on the shards of a corpus; resumes from the last checkpoint."""
    from pipeline.report import show_training
    from pipeline.train import train as run

    show_training(run(corpus, recipe_of(corpus, recipe, set_).train, resume=resume, extend=extend), out)
