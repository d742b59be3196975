"""Commands that examine a corpus, or this machine."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.app import Corpus, CorpusRecipe, Overrides, app, out, recipe_of
from schemas.config_error import ConfigError
from schemas.messages import counted, message
from schemas.table_names import TABLES


@app.command()
def plan(
    corpus: Corpus,
    manifest: Annotated[
        str | None, typer.Option("--manifest", "-m", help="Default: the manifest of the last build.")
    ] = None,
    recipe: CorpusRecipe = None,
    set_: Overrides = None,
) -> None:
    """Show what a build would run, how many units, how many bytes, and why. Runs nothing."""
    from pipeline.plan import plan as make_plan
    from pipeline.report import show_plan

    show_plan(make_plan(corpus, recipe_of(corpus, recipe, set_), manifest), out)


@app.command()
def status(corpus: Corpus) -> None:
    """Show what is done, what was rejected and what is missing."""
    from pipeline.status import status as show

    show(corpus, out)


@app.command()
def verify(
    corpus: Corpus,
    manifest: Annotated[
        str | None, typer.Option("--manifest", "-m", help="Also read the videos that it references in place.")
    ] = None,
) -> None:
    """Read all units, shards, media files and tables. Exit code 1: something is damaged."""
    from pipeline.verify import verify as check

    verdict = check(corpus, manifest)
    for problem in verdict.problems:
        out.print(message(problem))
    counts = ((verdict.units, "unit"), (verdict.shards, "shard"), (verdict.media, "video"))
    read = ", ".join(counted(number, noun) for number, noun in counts)
    out.print(f"{read} read: {counted(len(verdict.problems), 'problem') if verdict.problems else 'no problems'}")
    for note in verdict.notes:
        out.print(message(note))
    if verdict.notes:
        sound = "its shards and tables are sound" if verdict.is_partial else "is sound"
        state = "has the problems above" if verdict.problems else sound
        out.print(
            f"the corpus was built by another version of longvid and {state}; the next build makes the units of these "
            f"stages, and of those that depend on them, anew: longvid plan {shlex.quote(corpus)} shows how many"
        )
    if verdict.is_published_only:
        out.print("the corpus has no units and videos, so these were not checked")
    if verdict.unread_media:
        outside = counted(verdict.unread_media, "video")
        out.print(f"{outside} outside the corpus not read: give --manifest to read them as well")
    raise typer.Exit(1 if verdict.problems else 0)


@app.command()
def doctor() -> None:
    """Show what this machine offers (sandbox, decoders, GPU) and what is missing."""
    from pipeline.doctor import examine, show

    show(examine(), lambda line: out.print(line, highlight=False, markup=False))


@app.command()
def audit(corpus: Corpus) -> None:
    """Show which QA pairs can be guessed without the video, and their problems. Exit code 1: a gate fails."""
    from pipeline.audit import audit as examine
    from pipeline.audit import show_gates

    gates = examine(corpus)
    show_gates(gates, out)
    raise typer.Exit(0 if all(gate.holds for gate in gates) else 1)


@app.command()
def decontaminate(
    corpus: Corpus,
    against: Annotated[
        list[str],
        typer.Option(help="Benchmarks: annotation files, folders of videos, or corpora; may be repeated."),
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="FILES", help="More benchmarks, after --against.")] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Have the next build leave these videos and pairs out of the shards.")
    ] = False,
    sheet: Annotated[Path | None, typer.Option(help="CSV file to which the result is written.")] = None,
    recipe: CorpusRecipe = None,
    set_: Overrides = None,
) -> None:
    """Find videos and questions of benchmarks in a corpus, and list them in its table `contamination`."""
    from pipeline.decontaminate import decontaminate as find
    from pipeline.decontaminate import summary, what_follows

    named = recipe_of(corpus, recipe, set_) if recipe or set_ else None
    rows = find(corpus, [*against, *(more or [])], drop, sheet, lambda line: out.print(message(line)), named)
    for way, (videos, pairs) in summary(rows).items():
        out.print(message(f"{way}: {counted(videos, 'video')}" + (f", {counted(pairs, 'QA pair')}" if pairs else "")))
    out.print(
        f"{counted(len(rows), 'find')}: {what_follows(corpus, drop)}"
        if rows
        else "nothing of the benchmarks is in the corpus"
    )


@app.command()
def review(
    corpus: Corpus,
    sheet: Annotated[Path, typer.Argument(help="CSV file of the pairs and verdicts.")],
    draw: Annotated[int | None, typer.Option(min=1, help="Write the sheet: this many pairs, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(help="Of --draw: another seed draws other pairs.")] = 0,
    frames: Annotated[
        Path | None,
        typer.Option(help="With --draw: also write the frames of their evidence into this folder, as JPEG."),
    ] = None,
) -> None:
    """Have people judge QA pairs: `--draw 200` writes a sheet; without it, its verdicts are taken.

    Verdicts: ok, minor (right, with a blemish), fault, source (its annotation is wrong; wrong_rows says which rows).
    The next build leaves out what is wrong, and all pairs made from the same wrong rows.
    """
    from pipeline.review import draw as draw_pairs
    from pipeline.review import record

    if draw is not None:
        number = draw_pairs(corpus, sheet, draw, seed, frames)
        then = f"fill in the column verdict, then: longvid review {shlex.quote(corpus)} {shlex.quote(str(sheet))}"
        out.print(message(f"{sheet}: {counted(number, 'pair')}; {then}"))
        return
    if frames or seed:
        raise ConfigError(f"{'--frames' if frames else '--seed'}: needs --draw, which writes the sheet")
    for line in record(corpus, sheet, lambda line: out.print(message(line))).lines():
        out.print(line)


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
