"""Rows of the table `qa`, as far as the audits read them."""

from typing import Any


def row(**columns: Any) -> dict[str, Any]:
    """A good pair of a video of 60 seconds."""
    options = ["the dog runs away", "a cat climbs the roof", "two boys wash a car"]
    return {
        "video_id": "v",
        "qa_id": "v-0",
        "task": "event_relationship",
        "form": "neighbour",
        "question": 'What happens next after the following event: "a man opens the door"?',
        "answer": options[0],
        "options": options,
        "answer_index": 0,
        "option_times": [10.0, 20.0, 30.0],
        "asked_times": [5.0],
        "evidence": [{"start_s": 4.0, "end_s": 12.0}],
        "language": "en",
        "realizer": "templates",
        "flags": [],
        **columns,
    }
