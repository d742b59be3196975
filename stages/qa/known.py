"""What write_qa is told of a video: its annotation, and some events of other videos."""

from typing import NamedTuple

from schemas.flags import PARTLY_ANNOTATED
from schemas.rows import AnnotationRow, EventRow, LeftOutRow, Row
from stages.qa.cuts import at_cuts
from stages.qa.other_events import rows_to_look_at
from workers.storage.store import Store


class Known(NamedTuple):
    """Holds what the pairs of one video are written from.

    Attributes:
        events: rows of EVENT.
        is_whole: whether all its segments could be annotated.
        clips: start and end of the rows of a clip list.
        left_out: rows of the annotation that are no events, by reason.
        others: rows of EVENT of each other video whose events may be asked for where they do not happen.
    """

    events: list[EventRow]
    is_whole: bool
    clips: list[list[float]]
    left_out: list[LeftOutRow]
    others: list[list[EventRow]]


def read_known(unit: Row, store: Store, snap_to_cuts_s: float) -> Known:
    """Returns what the units that a unit of write_qa reads tell. Starts and ends of events are moved to cuts."""
    read = ["events", "clips", "annotation_flags", "rows_left_out"]
    annotation: AnnotationRow
    [annotation] = store.read_table(unit["annotate_unit"], read).to_pylist()
    events = annotation["events"]
    if snap_to_cuts_s and unit["find_shots_unit"]:
        starts = store.read_table(unit["find_shots_unit"], ["start_s"])["start_s"].to_pylist()
        events = list(at_cuts(events, sorted(starts)[1:], snap_to_cuts_s))
    clips = [[c["start_s"], c["end_s"]] for c in annotation["clips"]]
    is_whole = PARTLY_ANNOTATED not in annotation["annotation_flags"]
    # What nobody annotated may happen nevertheless.
    paths = unit.get("other_annotate_units") or [] if is_whole and events else []
    others = [store.read_table(path, ["events"]).to_pylist()[0]["events"] for path in paths if path]
    return Known(events, is_whole, clips, annotation["rows_left_out"], [rows_to_look_at(rows) for rows in others])
