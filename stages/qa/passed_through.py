"""Conversations that are given with a video become QA pairs unchanged, and are audited like all others."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.rows import EventRow, Row
from stages.annotations.conversations import question_and_answer
from stages.annotations.origin import origin_columns
from stages.qa.audit.words import answer_in_question, without_options
from stages.qa.language import language_of

# Null here: columns that tell how a pair was planned, and of what.
_OF_PLANNED_PAIRS = dict.fromkeys(
    ("window", "relation", "sample_window", "other_video_id", "answer_index", "option_times", "asked_times", "hops")
    + ("solver_agrees", "evidence_necessary", "evidence_sufficient", "realizer", "seed")
)


def passed_through(rows: Iterable[EventRow], counts: Counter[str]) -> Iterator[Row]:
    """Yields rows of QA without the query columns. Pairs whose question contains the answer are counted and dropped."""
    for row in rows:
        if row["kind"] != "conversation":
            continue
        question, answer = question_and_answer(row["text"])
        if answer_in_question(without_options(question), answer):
            counts["answer_in_question"] += 1
            continue
        yield {
            **_OF_PLANNED_PAIRS,
            "video_id": row["video_id"],
            "qa_id": hashlib.sha256(f"{row['video_id']}:{row['text']}".encode()).hexdigest()[:16],
            "task": "conversation",
            "form": "conversation",
            "question": question,
            "queries": [question],
            "answer": answer,
            "options": [],
            "evidence": [],
            "event_ids": [row["event_id"]],
            "language": language_of([question, answer]),
            "provenance": "conversation",
            **origin_columns([row]),
            "conversations": row["text"],
            "flags": [],
        }
