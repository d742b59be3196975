"""How many of a video's pairs may be of one kind: a task, a number of hops, a length of evidence, without an answer."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from stages.qa.event import overlap_s
from stages.qa.plan import Plan
from stages.qa.timeline import Timeline

# Of a video's pairs, as long as other kinds are left, and at most.
_TASK_SHARE, _MOST_TASK_SHARE = 0.4, 0.6
_KIND_SHARE = 0.5
_SHORT, _LONG = 0.05, 0.25  # of the video


class Quotas:
    """Counts the pairs that were taken of a video.

    Attributes:
        target: as many pairs as its events and its length are worth.
    """

    def __init__(self, timeline: Timeline) -> None:
        config = timeline.config
        told = sum(e.kind != "speech" for e in timeline.events)
        self._duration_s, self._counting_share = timeline.duration_s, config.max_counting_share
        self._most_said = math.ceil(config.speech_pairs_per_minute * timeline.duration_s / 60)
        said = min(self._most_said, len(timeline.lines))
        self.target = min(config.max_pairs, round(config.pairs_per_event * told) + said)
        self._taken: Counter[object] = Counter()
        # From a start that is drawn, so that the share holds over videos of few questions as well.
        self._absent_share, self._start = config.absent_share, timeline.rng("absent_share").random()
        self._kept_free = int(self.target * config.absent_share + self._start) if timeline.not_here else 0

    @property
    def are_full(self) -> bool:
        """Returns whether the video has all its pairs, but for those that ask for events of other videos."""
        return self._taken["all"] >= self.target - self._kept_free

    @property
    def absent(self) -> int:
        """Returns how many of a video's pairs are to ask for events of other videos, beside those that were taken."""
        taken = self._taken["all"]
        return min(self.target - taken, int(taken * self._absent_share / (1 - self._absent_share) + self._start))

    def allow(self, plan: Plan, *, strictly: bool) -> bool:
        """Returns whether a plan may be taken; `strictly`: while other kinds are left."""
        if plan.needs_speech and self._taken["said"] >= self._most_said:
            return False
        if self._taken[plan.task] >= self._most(plan.task, strictly):
            return False
        most_of_a_kind = max(1, round(_KIND_SHARE * self.target))
        return not strictly or all(self._taken[kind] < most_of_a_kind for kind in self._kinds(plan))

    def is_closed(self, task: str) -> bool:
        """Returns whether a task has all the pairs that it may have."""
        return self._taken[task] >= self._most(task, strictly=False)

    def add(self, plan: Plan) -> None:
        """Counts a plan that was taken."""
        self._taken.update(["all", plan.task, *(["said"] if plan.needs_speech else []), *self._kinds(plan)])

    def _most(self, task: str, strictly: bool) -> int:
        share = _TASK_SHARE if strictly else _MOST_TASK_SHARE
        if task == "event_counting":
            share = self._counting_share
        return max(1, round(share * self.target)) if share else 0

    def _kinds(self, plan: Plan) -> Iterator[tuple[str, int]]:
        """The number of hops, up to three, and how much of the video the evidence fills."""
        yield "hops", min(plan.hops, 3)
        whole = (0.0, self._duration_s)
        share = sum(overlap_s(e.span, whole) for e in plan.evidence) / self._duration_s
        yield "evidence", (share > _SHORT) + (share > _LONG)


# Where "None of these" may be right or wrong: not where the options are all numbers, or all events of a list, nor where
# it says nothing about an event somewhere between two others, for which no keyframe could be selected then.
_NONE_FORMS = """neighbour what_at scene_of in_scene next_scene in_window when order cause
said_next said_order said_when while_said said_while"""


# Which of the options comes next, one of them tells whatever happens in between that nobody annotated; where none of
# them may, what comes next has to be certain.
_STEP_FORMS = ("neighbour", "next_scene")


class NoneShare:
    """Keeps the share of multiple-choice questions whose answer is "None of these" at `none_share`.

    The option is offered `num_options` times as often, and is right in one of so many: offering it says nothing. It is
    counted over the video from a start that is drawn, so that the share holds over videos of few questions as well.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._rng = timeline.rng("none")
        self._every = timeline.config.num_options
        self._share = timeline.config.none_share * self._every
        self._due = self._rng.random()
        self._forms = frozenset(_NONE_FORMS.split())
        self._touch_s = timeline.config.touch_s

    def offer(self, plan: Plan) -> Plan:
        """Returns the plan, with the option "none" where one is due."""
        if not self._fits(plan) or len(plan.wrong) < self._every - 1 or self._due + self._share < 1:
            return plan
        if self._rng.random() < 1 / self._every:
            return replace(plan, is_none=True)
        return replace(plan, wrong=plan.wrong[:-1], offers_none=True)

    def _fits(self, plan: Plan) -> bool:
        if plan.form in _STEP_FORMS:
            first, second, *more = plan.evidence
            return not more and second.start_s - first.end_s <= self._touch_s
        return plan.form in self._forms

    def add(self, plan: Plan) -> None:
        """Counts a plan that was taken."""
        if plan.wrong:
            self._due += self._share - plan.may_be_none
