"""How many of a video's pairs may be of one kind: a task, a number of hops, a length of evidence."""

import math
from collections import Counter
from collections.abc import Iterator

from stages.qa.event import overlap_s
from stages.qa.plan import Plan
from stages.qa.timeline import Timeline

# Of a video's pairs, as long as other kinds are left, and at most.
_TASK_SHARE, _MOST_TASK_SHARE = 0.4, 0.6
_ALIKE_SHARE = 0.5
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

    @property
    def are_full(self) -> bool:
        """Whether the video has all its pairs."""
        return self._taken["all"] >= self.target

    def allow(self, plan: Plan, *, strictly: bool) -> bool:
        """Whether a plan may be taken; `strictly`: while other kinds are left."""
        if plan.needs_speech and self._taken["said"] >= self._most_said:
            return False
        if self._taken[plan.task] >= self._most(plan.task, strictly):
            return False
        most_of_a_kind = max(1, round(_ALIKE_SHARE * self.target))
        return not strictly or all(self._taken[kind] < most_of_a_kind for kind in self._kinds(plan))

    def is_closed(self, task: str) -> bool:
        """Whether a task has all the pairs that it may have."""
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
