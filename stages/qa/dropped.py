"""Why events and pairs are left out, and the counts of a video as rows of the schema DROPPED."""

from collections.abc import Mapping
from typing import Any

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
REASONS = {"event": EVENT_REASONS, "pair": PAIR_REASONS}


def dropped_rows(video_id: str, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Returns rows of DROPPED, sorted; `counts` by reason, as `stages.qa.writing.write_pairs` gives them."""
    told = [("event" if reason in EVENT_REASONS else "pair", reason, count) for reason, count in counts.items()]
    return [
        {"video_id": video_id, "what": what, "reason": reason, "count": count}
        for what, reason, count in sorted(told)
        if count
    ]
