"""The command line: `longvid COMMAND --help`."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from pipeline.stop_signals import ended_by_signals
from pipeline.terminal import Terminal, allow_all_characters
from schemas.config import ConfigError
from schemas.messages import counted, message
from schemas.tables import TABLES
from workers.fetch.redaction import scrub_text

if TYPE_CHECKING:
    from pipeline.inputs.recipe import Recipe

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
out = Terminal()

RecipeName = Annotated[str, typer.Option("--recipe", "-r", help="A recipe's name, or the path of a YAML file.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="FIELD=VALUE, e.g. embed.batch_frames=64.")]
Corpus = Annotated[str, typer.Argument(help="Folder of the corpus, or s3://... or gs://...")]
ManifestFile = Annotated[str, typer.Option("--manifest", "-m", help="JSONL, CSV or Parquet: one row per video.")]
RESUMABLE = "What is committed stays: run the same command again to go on."


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
        typer.Option(help="A file of annotations of any known format, or a folder of them; may be repeated."),
    ] = None,
    annotation_format: Annotated[
        str, typer.Option(help="Of all these files; default: found from their content. docs/annotations.md lists them.")
    ] = "",
    annotation_licence: Annotated[
        list[str] | None,
        typer.Option(help="Licence of these files, in their order; one for all. Without --annotations: of all events."),
    ] = None,
    only_annotated: Annotated[bool, typer.Option(help="Leave out videos that no annotation file names.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a manifest that is there already.")] = False,
) -> None:
    """Write a manifest of all video files below FOLDER, with the subtitles and events beside them.

    Annotation files of data sets are joined by the ids of their videos; events go to files in a folder beside the
    manifest.
    """
    from pipeline.inputs.manifest_writer import check_output, make_manifest, write_manifest

    check_output(to, replace=replace)
    licences = annotation_licence or []
    if len(licences) not in (0, 1, len(annotations or [""])):
        raise ConfigError(f"--annotation-licence: given {len(licences)} times: give it once, or once per --annotations")
    if only_annotated and not annotations:
        raise ConfigError("--only-annotated: needs --annotations FILE, which names the videos to keep")
    if annotation_format and not annotations:
        raise ConfigError("--annotation-format: needs --annotations FILE, whose format it names")
    rows = make_manifest(folder, say=lambda line: out.print(message(line)))
    if annotations:
        from pipeline.inputs.annotation_join import write_joined_manifest

        joined = write_joined_manifest(rows, to, annotations, annotation_format, only_annotated, licences)
        written = joined.written
        for line in joined.lines():
            out.print(message(line))
    else:
        written = write_manifest(({**row, "annotation_licence": next(iter(licences), None)} for row in rows), to)
    out.print(message(f"{to}: {counted(written, 'video')}"))


@app.command()
def build(
    manifest: ManifestFile,
    to: Annotated[str, typer.Option("--out", "-o", help="Folder of the corpus, or s3://... or gs://...")],
    recipe: RecipeName = "longvid",
    set_: Overrides = None,
    allow_removal: Annotated[
        bool, typer.Option("--allow-removal", help="Let the manifest leave out most videos that the corpus has.")
    ] = False,
) -> None:
    """Build a corpus, or go on with one: what is committed stays. Exit code 1: the code failed on a unit, named."""
    from pipeline.build import build
    from pipeline.inputs.recipe import load_recipe
    from pipeline.report import show_summary

    summary = build(manifest, to, load_recipe(recipe, set_), say=out.print, allow_removal=allow_removal)
    show_summary(summary, to, out)
    raise typer.Exit(1 if summary.failures else 0)


@app.command()
def demo(to: Annotated[Path, typer.Option("--out", "-o")] = Path("demo_corpus"), set_: Overrides = None) -> None:
    """Render a small world of long videos, build a corpus of it and train on its shards. No network, no GPU."""
    from pipeline.demo.run import run_demo
    from pipeline.inputs.recipe import load_recipe

    run_demo(to, load_recipe("demo", set_), out)


@app.command()
def plan(
    corpus: Corpus,
    manifest: Annotated[
        str | None, typer.Option("--manifest", "-m", help="Default: the one it was built from.")
    ] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", "-r", help="Default: the one it was built with.")] = None,
    set_: Overrides = None,
) -> None:
    """Show what a build would run, how many units, how many bytes, and why. Runs nothing."""
    from pipeline.inputs.recipe import load_recipe, override
    from pipeline.plan import plan as make_plan
    from pipeline.report import show_plan

    chosen = load_recipe(recipe, set_) if recipe else override(_recorded(corpus), set_)
    show_plan(make_plan(corpus, chosen, manifest), out)


@app.command()
def status(corpus: Corpus) -> None:
    """Show what is done, what was rejected and what is missing."""
    from pipeline.plan import plan as make_plan
    from pipeline.report import show_dropped, show_published, show_rejects, show_status
    from pipeline.tables.published import is_published_only
    from workers.storage.store import Store

    if is_published_only(Store(corpus)):
        show_published(corpus, out)
    else:
        show_status(make_plan(corpus, _recorded(corpus)), out)
    show_dropped(corpus, out)
    show_rejects(corpus, out)


@app.command()
def retry(
    corpus: Corpus,
    reason: Annotated[str | None, typer.Option(help="A reason code of the table rejects.")] = None,
    where: Annotated[
        str | None, typer.Option(help="An SQL condition over rejects, e.g. \"stage = 'download'\".")
    ] = None,
) -> None:
    """Give rejected units another try in the next build."""
    from pipeline.retry import retry as mark

    if (reason is None) == (where is None):
        raise ConfigError("give either --reason CODE or --where SQL")
    marked = mark(corpus, reason=reason, where=where)
    out.print(f"the next build tries {counted(marked, 'reject')} again")


@app.command()
def verify(
    corpus: Corpus,
    manifest: Annotated[
        str | None, typer.Option("--manifest", "-m", help="Read the videos that it references in place, too.")
    ] = None,
) -> None:
    """Read every unit, shard, video and table back. Exit code 1: something is damaged, and named."""
    from pipeline.verify import verify as check

    verdict = check(corpus, manifest)
    for problem in verdict.problems:
        out.print(message(problem))
    counts = ((verdict.units, "unit"), (verdict.shards, "shard"), (verdict.media, "video"))
    read = ", ".join(counted(number, noun) for number, noun in counts)
    out.print(f"{read} read: {counted(len(verdict.problems), 'problem') if verdict.problems else 'no problems'}")
    if verdict.is_published_only:
        out.print("units and videos are not there, so they were not checked")
    if verdict.unread_media:
        outside = counted(verdict.unread_media, "video")
        out.print(f"{outside} outside the corpus not read: give --manifest to have them read, too")
    raise typer.Exit(1 if verdict.problems else 0)


@app.command()
def doctor() -> None:
    """Show what this machine offers (sandbox, decoders, GPU), what it lacks and what that means."""
    from pipeline.doctor import examine, show

    show(examine(), lambda line: out.print(line, highlight=False, markup=False))


@app.command()
def audit(corpus: Corpus) -> None:
    """Show what can be guessed without the videos and what is wrong with QA pairs. Exit code 1: a gate fails."""
    from pipeline.audit import audit as examine
    from pipeline.report import show_gates

    gates = examine(corpus)
    show_gates(gates, out)
    raise typer.Exit(0 if all(gate.holds for gate in gates) else 1)


@app.command()
def decontaminate(
    corpus: Corpus,
    against: Annotated[
        list[str],
        typer.Option(help="Of benchmarks: an annotation file, a folder of videos, or a corpus; may be repeated."),
    ],
    drop: Annotated[
        bool, typer.Option("--drop", help="Have the next build leave out of the shards what is found.")
    ] = False,
    sheet: Annotated[Path | None, typer.Option(help="A CSV file to write what is found to.")] = None,
) -> None:
    """Find videos and questions of benchmarks in a corpus, and list them in its table `contamination`."""
    from pipeline.decontaminate import decontaminate as find
    from pipeline.decontaminate import summary

    rows = find(corpus, against, drop, sheet, lambda line: out.print(message(line)))
    for found, (videos, pairs) in summary(rows).items():
        out.print(message(f"{found}: {counted(videos, 'video')}" + (f", {counted(pairs, 'QA pair')}" if pairs else "")))
    advice = (
        "the next build leaves them out of the shards" if drop else "they stay in the shards; --drop leaves them out"
    )
    out.print(f"{counted(len(rows), 'find')}: {advice}" if rows else "nothing of the benchmarks is in the corpus")


@app.command()
def datasheet(
    corpus: Corpus,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a README.md that was not written by this command.")
    ] = False,
) -> None:
    """Write README.md into a corpus: a data card (Hugging Face form) with licences, tasks, and how to read it."""
    from pipeline.datasheet import write_datasheet

    out.print(message(f"wrote {write_datasheet(corpus, force)}"))


@app.command(help=f"Ask the tables of a corpus with SQL (DuckDB): {', '.join(TABLES)}.")
def query(
    corpus: Corpus,
    sql: str,
    format_: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
    safe_csv: Annotated[
        bool, typer.Option("--safe-csv", help="Put ' before text that a spreadsheet takes for a formula.")
    ] = False,
) -> None:
    """Prints the result of a query; its help is generated above, since it lists the tables."""
    from pipeline.query import query as ask

    ask(corpus, sql, format=format_, safe_csv=safe_csv)


@app.command()
def show(
    corpus: Corpus,
    sample: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A qa_id, or a video's id. Default: the first sample.")
    ] = None,
    frames: Annotated[Path | None, typer.Option(help="Write the keyframes into this folder, as JPEG files.")] = None,
) -> None:
    """Show one sample of the shards: question, options, answer, evidence, keyframes, shapes of the tokens."""
    from pipeline.show import find_sample, show_sample, write_keyframes

    found = find_sample(corpus, sample)
    show_sample(found, out)
    if frames:
        for path in write_keyframes(corpus, found, frames):
            out.print(str(path))


@app.command()
def train(
    corpus: Corpus,
    recipe: Annotated[str | None, typer.Option("--recipe", "-r", help="Default: the one it was built with.")] = None,
    set_: Overrides = None,
    resume: Annotated[bool, typer.Option(help="Trust and go on from checkpoints that someone else wrote.")] = False,
    extend: Annotated[bool, typer.Option(help="Go on with a run whose train.steps was raised.")] = False,
) -> None:
    """Train on the shards of a corpus; goes on from the last checkpoint."""
    from pipeline.inputs.recipe import load_recipe, override
    from pipeline.train import train as run

    chosen = load_recipe(recipe, set_) if recipe else override(_recorded(corpus), set_)
    report = run(corpus, chosen.train, resume=resume, extend=extend)
    from pipeline.report import show_training

    show_training(report, out)


def _recorded(corpus: str) -> "Recipe":
    from pipeline.inputs.recipe import recorded_recipe
    from workers.storage.store import Store

    return recorded_recipe(Store(corpus))


def _run(words: list[str]) -> int:
    """Runs a command and gives its exit code. Raises ConfigError for words that it does not take."""
    try:
        code = app(words or ["--help"], prog_name="longvid", standalone_mode=False)
    except TyperException as error:
        context, name = getattr(error, "ctx", None), getattr(error, "option_name", "")
        said = getattr(error, "format_message", error.__str__)().rstrip(".")
        command = context.command_path if context else f"longvid {words[0]}"
        is_value = name.startswith("-") and not name.startswith("--")
        advice = "; put -- before an argument that begins with -" if is_value else ""
        raise ConfigError(f"{said}: see `{command} --help`{advice}") from None
    return (code or 0) if words else 2


def _refuse_empty(words: list[str]) -> None:
    """Raises ConfigError for an empty argument or option, such as an unset variable of a script; as a path, it would be
    the current folder.
    """
    for before, word in zip(["", *words], words, strict=False):
        if not word.strip() or re.fullmatch("--[a-z-]+=\\s*", word):
            name = word.strip(" =") or (before if before.startswith("-") else "an argument")
            raise ConfigError(f"{name}: is empty; give it a value, or leave it out")


def main() -> None:
    """Runs the command line. A signal or an error in the user's input or in storage becomes one line, no traceback."""
    allow_all_characters()
    advice = RESUMABLE if {"build", "demo", "train"} & {*sys.argv[1:2]} else ""
    if {"status", "plan", "query", "config"} & {*sys.argv[1:2]}:
        from pipeline.arrow_start import skip_pandas

        skip_pandas()
    try:
        _refuse_empty(sys.argv[1:])
        with ended_by_signals(advice):
            code = _run(sys.argv[1:])
    except (ValueError, OSError) as error:
        if type(error) in (ValueError,):  # ours are subclasses that speak to the user; a bare one is a bug to be seen
            raise
        # By the line, since some errors have several: one for each field that is wrong.
        lines = f"error: {scrub_text(str(error))}".split("\n")
        Terminal(stderr=True).print("\n".join(map(message, lines)), style="red")
        sys.exit(2)
    sys.exit(code)
