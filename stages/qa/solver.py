"""Answers a plan from a table of events, written apart from the writers of plans.

`check` is the audit of a plan: the solver must give the stated answer, reject every wrong one, no longer give the
answer when an event of the evidence is taken away, and give it from the evidence alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from stages.qa.answers import may_be_right, same
from stages.qa.event import Event
from stages.qa.plan import Answer, Plan
from stages.qa.solver_forms import SOLVERS
from stages.qa.solver_table import Table


@dataclass(frozen=True)
class Verdict:
    """Holds what the solver says of a plan."""

    agrees: bool
    """It gives the stated answer, and rejects all wrong ones."""
    necessary: bool
    """Without any one event of the evidence it no longer gives it."""
    sufficient: bool
    """From the evidence alone it gives it."""

    @property
    def holds(self) -> bool:
        """Returns whether the plan passes the audit in all three respects."""
        return self.agrees and self.necessary and self.sufficient


def check(plan: Plan, events: Sequence[Event]) -> Verdict:
    """Audits a plan against all events of its video.

    Captions are exempt from the last two respects: they have no evidence that could be left out.
    """
    table = _table(tuple(events))
    found = solve(plan, table)
    agrees = (
        found is not None
        and same(found, plan.answer)
        and not any(same(found, w) or may_be_right(w, found, plan.error_s) for w in plan.wrong)
    )
    if plan.is_caption or not agrees:
        return Verdict(agrees, agrees, agrees)
    necessary = all(
        (left := solve(plan, table.without(gone))) is None or not same(left, plan.answer) for gone in plan.evidence
    )
    alone = solve(plan, plan.evidence)
    return Verdict(True, necessary, alone is not None and same(alone, plan.answer))


def solve(plan: Plan, events: Sequence[Event]) -> Answer | None:
    """Answers a plan's question from a table of events; None where they do not tell."""
    return SOLVERS[plan.form](plan, events if isinstance(events, Table) else Table(events))


@lru_cache(maxsize=1)  # one video after the other
def _table(events: tuple[Event, ...]) -> Table:
    return Table(events)
