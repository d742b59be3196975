"""`longvid audit`: whether the pairs of a corpus hold its gates, from its tables alone.

What a text-only model guesses and the problems of pairs were found when it was built (`audit_qa`, table `qa`); single
rules, shares and the pairs in the shards are looked at anew.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import duckdb

from pipeline.inputs.recipe import recorded_recipe
from pipeline.not_built import require_tables
from pipeline.tables.catalog import open_catalog
from pipeline.tables.closed_duckdb import dict_rows
from pipeline.tables.corpus_file import CORPUS
from pipeline.terminal import Terminal, folded_table
from schemas.config import ConfigError
from schemas.messages import counted, message
from stages.audit_qa import AuditQaConfig, choice_of
from stages.qa.audit.blind import rule_guesses
from stages.qa.audit.checks import PROBLEMS
from stages.qa.audit.features import Choice
from workers.fetch.redaction import redacted
from workers.storage.store import Store

_CHOICES = """
    select video_id, form, question, options, answer_index, option_times, asked_times, duration_s
    from qa join videos using (video_id)
    where dropped is null and len(options) > 1 and answer_index between 0 and len(options) - 1
    order by form, video_id, qa_id"""
_BLIND = """
    select form, avg(blind_guess::int - 1.0 / len(options)), count(blind_guess), count(*) from qa
    where dropped is null and len(options) > 1 group by form order by form"""
_PROBLEMS = "select unnest(problems) as problem, count(*) from qa where dropped is null group by 1"
_DROPPED = "select dropped, count(*) from qa where dropped is not null group by 1 order by 2 desc, 1"
_COUNTING = "select count(*) filter (where task = 'event_counting'), count(*) from qa where dropped is null"
_NOT_AUDITED = "select count(*) filter (where problems is null), count(*) from qa"
_IN_SHARDS = "select count(*) from samples join qa using (video_id, qa_id) where dropped is not null"
_NEEDED = {"problems", "dropped", "blind_guess", "option_times"}


@dataclass(frozen=True)
class Gate:
    """Holds one line of the audit.

    Attributes:
        limit: above which `value` fails; None: it is only told.
        pairs: that the value is of.
        least: pairs that a verdict takes; with fewer, the gate neither holds nor fails.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    pairs: int
    least: int = 0

    @property
    def is_judged(self) -> bool:
        """Returns whether there are enough pairs for a verdict."""
        return self.pairs >= self.least

    @property
    def holds(self) -> bool:
        """Returns whether the value is within the limit; also where there is no limit, or no verdict."""
        return not self.is_judged or self.limit is None or self.value <= self.limit + 1e-9


def audit(corpus: str) -> list[Gate]:
    """Returns all gates of a corpus; those without a limit come last.

    Raises NotBuilt, or ConfigError for a corpus that was built before its pairs were audited.
    """
    store = Store(corpus)
    require_tables(store, "qa", "videos", "samples")
    config = recorded_recipe(store).audit_qa if store.exists(CORPUS) else AuditQaConfig()
    with open_catalog(corpus) as catalog:
        if missing := _NEEDED - {row[0] for row in catalog.sql("describe qa").fetchall()}:
            raise ConfigError(
                f"{redacted(store.root)}: the table qa has no column {', '.join(sorted(missing))}: it was built before "
                "pairs were audited; run `longvid build` on it"
            )
        return [*_guessable(catalog, config), *_shares(catalog, config), *_told(catalog)]


def _guessable(catalog: duckdb.DuckDBPyConnection, config: AuditQaConfig) -> Iterator[Gate]:
    """Yields a gate per form for the blind model, and one for the best rule if the form has enough pairs."""
    margin, least = config.blind.margin, config.blind.min_pairs
    for form, gain, guessed, kept in catalog.sql(_BLIND).fetchall():
        value = math.nan if gain is None else 100 * gain
        yield Gate(f"{form}: blind model over chance", value, "points", margin, min(guessed or kept, kept), least)
    rows = dict_rows(catalog.sql(_CHOICES))
    for form, group in groupby(rows, key=lambda row: row["form"]):
        choices = [choice_of(row, row["duration_s"] or 1.0) for row in group]
        if len(choices) >= least and (found := [*_rules(choices, least)]):
            name, points, count = max(found, key=lambda rule: rule[1])
            yield Gate(f"{form}: best single rule ({name}) over chance", points, "points", margin, count)


def _rules(choices: list[Choice], least: int) -> Iterator[tuple[str, float, int]]:
    for name, guesses in rule_guesses(choices).items():
        gains = [
            (g == c.answer_index) - 1 / len(c.options) for g, c in zip(guesses, choices, strict=True) if g is not None
        ]
        if len(gains) >= least:
            yield name, 100 * sum(gains) / len(gains), len(gains)


def _shares(catalog: duckdb.DuckDBPyConnection, config: AuditQaConfig) -> Iterator[Gate]:
    ((counting, kept),) = catalog.sql(_COUNTING).fetchall()
    found = dict(catalog.sql(_PROBLEMS).fetchall())
    for problem in PROBLEMS:
        limit = None if problem in config.noted_only else 100 * config.gates.max_problem_share
        yield Gate(problem, 100 * found.get(problem, 0) / max(1, kept), "% of the kept", limit, kept)
    limit = 100 * config.gates.max_counting_share
    yield Gate("pairs that ask for a number", 100 * counting / max(1, kept), "% of the kept", limit, kept)
    ((unaudited, written),) = catalog.sql(_NOT_AUDITED).fetchall()
    yield Gate("pairs that were not audited", unaudited, "pairs", 0, written)
    ((leaked,),) = catalog.sql(_IN_SHARDS).fetchall()
    yield Gate("pairs that were left out and are in shards", leaked, "pairs", 0, written)


def _told(catalog: duckdb.DuckDBPyConnection) -> Iterator[Gate]:
    for reason, count in catalog.sql(_DROPPED).fetchall():
        yield Gate(f"left out: {reason}", count, "pairs", None, count)


def show_gates(gates: list[Gate], out: Terminal) -> None:
    """Prints one row per gate, the number of failed gates, and that of the forms that were not judged."""
    table = folded_table("gate", "value", "", "at most", "pairs", "", box=None)
    for gate in gates:
        limit, verdict = ("", "") if gate.limit is None else (f"{gate.limit:g}", "ok" if gate.holds else "FAILED")
        value = "" if math.isnan(gate.value) else f"{gate.value:.4g}"
        table.add_row(
            message(gate.name), value, gate.unit, limit, str(gate.pairs), verdict if gate.is_judged else "not judged"
        )
    out.print(table)
    for gate in gates:
        if gate.name in PROBLEMS and gate.value:
            out.print(f"{gate.name}: {PROBLEMS[gate.name]} (column problems of the table qa)")
    out.print("blind model: guesses the right option from the texts alone; a rule: e.g. always the longest option")
    judged = [gate for gate in gates if gate.limit is not None and gate.is_judged]
    failed = sum(not gate.holds for gate in judged)
    out.print(f"{failed} of {len(judged)} gates failed" if failed else f"all {len(judged)} gates that were judged hold")
    if skipped := [gate for gate in gates if not gate.is_judged]:
        pairs = sum(gate.pairs for gate in skipped)
        out.print(
            f"not judged: {counted(len(skipped), 'form')} with {counted(pairs, 'pair')}: what a text-only model "
            f"guesses of fewer than {skipped[0].least} pairs (audit_qa.blind.min_pairs) is mostly chance"
        )
