"""Writers of plans, one file per task. `WRITERS` lists the forms of each."""

from collections.abc import Callable, Iterator

from stages.qa.plan import Plan
from stages.qa.tasks import (
    captioning,
    event_counting,
    event_relationship,
    false_premise,
    scene_relationship,
    temporal_grounding,
)
from stages.qa.timeline import Timeline

Writer = Callable[[Timeline], Iterator[Plan]]

WRITERS: dict[str, tuple[Writer, ...]] = {
    "captioning": captioning.WRITERS,
    "temporal_grounding": (*temporal_grounding.WRITERS, false_premise.missing_occurrence),
    "event_relationship": (*event_relationship.WRITERS, false_premise.after_before),
    "scene_relationship": scene_relationship.WRITERS,
    "event_counting": event_counting.WRITERS,
}
