"""Prints builds, plans and corpora on a terminal."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING, Any

from pipeline.stage_plan import OTHER_SETTINGS
from pipeline.tables.closed_duckdb import EXAMPLE
from pipeline.tables.damage import naming
from pipeline.terminal import Terminal, folded_table
from schemas.messages import counted, message, size_text
from workers.storage.store import Store

if TYPE_CHECKING:
    from pipeline.build import Summary
    from pipeline.stage_plan import StagePlan
    from pipeline.train import TrainReport


_AUDITED = "audited pair"
_REJECT = ".reject.json"


def show_summary(summary: Summary, corpus: str, out: Terminal) -> None:
    """Prints the result of a build, failures last."""
    ran = ", ".join(f"{stage} {n}" for stage, n in summary.ran.items())
    nothing = "nothing, all units are done" + (" or rejected" if summary.rows.get("rejects") else "")
    out.print(f"ran: {ran or nothing}")
    out.print("tables: " + ", ".join(f"{name} {n}" for name, n in summary.rows.items()))
    for reason, n in sorted(summary.rejects.items()):
        out.print(f"rejected: {counted(n, 'video')}, {reason}")
    for reason, n, _ in _dropped_by_audit(Store(corpus)):
        out.print(message(f"left out of the shards: {counted(n, 'pair')}, {reason}"))
    if summary.rejects:
        out.print(f"longvid status {shlex.quote(corpus)} shows why, with an example of each reason")
    for note in summary.notes:
        out.print(message(f"note: {note}"))
    for failure in summary.failures:
        out.print(message(f"FAILED: {failure}"))
    if summary.failures:
        out.print("The tracebacks are beside the units as *.error.json; the next build tries these units again.")
    out.print(f'corpus: {corpus} (longvid query {shlex.quote(corpus)} "{EXAMPLE}")')


def show_training(report: TrainReport, out: Terminal) -> None:
    """Prints the result of a training run, and the samples that were left out."""
    heldout = "" if report.heldout_loss is None else f" (held-out {report.heldout_loss:.2f})"
    out.print(
        f"trained: run {report.run}, steps {report.resumed_at} to {report.step}, loss {report.first_loss:.2f} -> "
        f"{report.last_loss:.2f}{heldout}; checkpoint {report.checkpoint}",
    )
    if report.questions_cut:
        out.print(f"the questions of {report.questions_cut} samples read were cut: raise train.model.max_text_tokens")
    if report.left_out:
        out.print(f"left out: {len(report.left_out)} samples without a target, each named in the run's log, such as")
        for sample, reason in list(report.left_out.items())[:3]:
            out.print(message(f"  {sample}: {reason}"))


def show_plan(plans: list[StagePlan], out: Terminal) -> None:
    """Prints one row per stage; `+ about` estimates the units whose number depends on units that are not done yet."""
    table = folded_table("stage", "done", "rejected", "to run", "about", "why", box=None)
    for p in plans:
        todo = f"{p.run}" + (f" + about {p.later}" if p.later else "")
        table.add_row(p.stage, str(p.done), str(p.rejected), todo, size_text(p.bytes) if p.bytes else "", p.why)
    out.print(table)
    if frames := sum(p.frames_to_decode for p in plans):
        out.print(f"decode: {frames:,} frames to decode")
    for p in plans:
        if p.cost:
            out.print(f"{p.stage}: {_cost(p)}", highlight=False)
    if not any(p.run or p.later for p in plans):
        out.print("Nothing to run: the corpus is whole.")


def show_status(plans: list[StagePlan], out: Terminal) -> None:
    """Prints one row per stage with the numbers of done, rejected and missing units."""
    table = folded_table("stage", "done", "rejected", "missing", box=None)
    for p in plans:
        table.add_row(p.stage, str(p.done), str(p.rejected), f"{p.run}" + (f" + about {p.later}" if p.later else ""))
    out.print(table)
    if changed := [f"{p.stage} ({p.why})" for p in plans if p.why.startswith(("version ", OTHER_SETTINGS))]:
        out.print(
            f"changed since the last build: {', '.join(changed)}; longvid verify says whether the corpus is sound"
        )
    done, to_do = (sum(frames) for frames in zip(*((p.frames_decoded, p.frames_to_decode) for p in plans), strict=True))
    if done or to_do:
        out.print(f"decode: {done:,} frames decoded" + (f", {to_do:,} to decode" if to_do else ""))


def show_published(corpus: str, out: Terminal) -> None:
    """Prints the tables of a corpus without units, for which the remaining work cannot be determined."""
    from pipeline.tables.published import table_rows

    table = folded_table("table", "rows", box=None)
    for name, rows in table_rows(Store(corpus)).items():
        table.add_row(name, str(rows))
    out.print(table)
    out.print("only shards and tables are there: what a build would run cannot be told without units and corpus.json")


def show_rejects(corpus: str, out: Terminal) -> None:
    """Prints the rejects by stage and reason with an example each; nothing before the first build has finished.

    Rejects that `longvid retry` has marked, or that were made since the table was written, are only counted.
    """
    store, path = Store(corpus), "tables/rejects.parquet"
    if not store.exists(path):
        return
    again = 0
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    # Without DuckDB's catalogue, which takes a quarter of a second to import.
    with naming(path), ThreadPoolExecutor(16) as pool:
        for rows in store.read_rows(path, ["stage", "reason", "unit", "detail", "path"]):
            are_marked = pool.map(lambda row: _is_tried_again(store, row.get("path")), rows)
            for row, is_marked in zip(rows, are_marked, strict=True):
                if is_marked:
                    again += 1
                    continue
                key = f"{row.get('stage')}", f"{row.get('reason')}"
                counts[key] += 1
                examples.setdefault(key, _example(row))
    if counts:
        table = folded_table("stage", "reason", "units", "for example", box=None)
        for (stage, reason), count in counts.most_common():
            table.add_row(stage, reason, str(count), message(examples[stage, reason]))
        out.print(table)
    if again:
        out.print(f"{counted(again, 'reject')} of the last build not shown: marked by longvid retry, or made since")


def _example(row: dict[str, Any]) -> str:
    unit, detail = row.get("unit"), f"{row.get('detail') or ''}"
    return detail if detail.startswith(f"{unit}: ") else f"{unit}: {detail}" if detail else f"{unit}"


def _is_tried_again(store: Store, path: Any) -> bool:
    """Returns whether a reject is marked, or its unit was made; False for a path that no build writes."""
    if not (isinstance(path, str) and path.startswith("units/") and path.endswith(_REJECT)):
        return False
    try:
        if store.exists(path):
            return store.read_json(path).get("retry") is True
        return store.exists(path.removesuffix(_REJECT))
    except (OSError, ValueError, AttributeError):  # tables are untrusted, and so are these files
        return False


def _cost(p: StagePlan) -> str:
    """Formats the cost of a stage at the endpoint of models."""
    parts = [f"about {p.cost['calls']:,} calls to the endpoint at most"]
    if tokens := p.cost["tokens_in"] + p.cost["tokens_out"]:
        parts.append(f"{tokens:,} tokens ({p.cost['tokens_out']:,} of answers)")
    if p.cost["minutes"]:
        parts.append(f"{p.cost['minutes']:,} minutes of sound")
    return ", ".join(parts) + (f"; {p.price:,.2f} by the prices of annotate.endpoint" if p.price else "")


def show_dropped(corpus: str, out: Terminal) -> None:
    """Prints the dropped events and pairs by reason, last those that the audit of all pairs left out.

    Before a build has written them, nothing is printed.
    """
    store, path = Store(corpus), "tables/dropped.parquet"
    numbers: Counter[tuple[str, str]] = Counter()
    videos: Counter[tuple[str, str]] = Counter()
    with naming(path):
        read = store.read_rows(path, ["what", "reason", "count"]) if store.exists(path) else ()
        for row in chain.from_iterable(read):
            key = f"{row.get('what')}", f"{row.get('reason')}"
            numbers[key] += count if isinstance(count := row.get("count"), int) else 0
            videos[key] += 1
    for reason, pairs, concerned in _dropped_by_audit(store):
        numbers[_AUDITED, reason], videos[_AUDITED, reason] = pairs, concerned
    if numbers:
        table = folded_table("left out", "reason", "number", "videos", box=None)
        for (what, reason), number in numbers.most_common():
            table.add_row(message(what), message(reason), str(number), str(videos[what, reason]))
        out.print(table)


def _dropped_by_audit(store: Store) -> list[tuple[str, int, int]]:
    """Returns why pairs of the table `qa` are in no shard, and how many pairs and videos that concerns."""
    path = "tables/qa.parquet"
    pairs: Counter[str] = Counter()
    videos: dict[str, set[str]] = defaultdict(set)
    with naming(path):
        for rows in store.read_rows(path, ["video_id", "dropped"]) if store.exists(path) else ():
            for row in rows:
                if (reason := row.get("dropped")) is not None:  # before audits, pairs were only written
                    pairs[f"{reason}"] += 1
                    videos[f"{reason}"].add(f"{row['video_id']}")
    return [(reason, number, len(videos[reason])) for reason, number in sorted(pairs.items())]
