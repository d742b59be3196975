"""Why events and pairs are left out, and the counts of a video as rows of the schema DROPPED."""

from collections.abc import Mapping, Sequence

from schemas.rows import DroppedRow, LeftOutRow
from stages.annotations.left_out import REASONS as ROW_REASONS
from stages.qa.audit.words import PROBLEMS
from stages.qa.faults import FAULTS

EVENT_REASONS = {
    "outside_video": "wholly outside the video",
    "no_event": "tells of no event: music, camera talk, marks of doubt, a text that is cut off",
    "other_language": "in a language that is not asked in (write_qa.languages)",
    "no_sentences": "speech that is not in sentences, as that of automatic captions, or is in several tracks",
    "outside_window": "in no row of the clip list (write_qa.clips: windows)",
    "merged": "a repeat that touches the event before: put together with it",
    **FAULTS,
}
PAIR_REASONS = {
    **{reason: text for reason, text in PROBLEMS.items() if reason not in EVENT_REASONS},
    "solver": "the solver does not agree, or the evidence is missing or needless",
    "repeats": "asks for what another pair asks for",
    "needs_speech": "only speech answers it, and there is no transcript of it, or write_qa.speech is visual_only",
    "not_reworded": "in a language that only a model asks in, and it did not (write_qa.realizer)",
}
REASONS = {"row": ROW_REASONS, "event": EVENT_REASONS, "pair": PAIR_REASONS}
"""The codes of the column `reason`, by `what`: the reference that tests hold the rows against."""


def dropped_rows(video_id: str, counts: Mapping[str, int], left_out: Sequence[LeftOutRow] = ()) -> list[DroppedRow]:
    """Returns rows of DROPPED, sorted.

    Args:
        video_id: of the video.
        counts: events and pairs by reason, as `stages.qa.writing.write_pairs` gives them.
        left_out: `rows_left_out` of the annotation.
    """
    told: list[tuple[str, str, int, str | None]]
    told = [("event" if reason in EVENT_REASONS else "pair", reason, count, None) for reason, count in counts.items()]
    told += [("row", row["reason"], row["count"], row["example"]) for row in left_out]
    return [
        {"video_id": video_id, "what": what, "reason": reason, "count": count, "example": example}
        for what, reason, count, example in sorted(told, key=lambda row: row[:2])
        if count
    ]
