"""select: selects the keyframes of each question of a video by differential keyframe selection (DKS). 1:1.

Source: ViLaMP, arXiv 2504.02438, section 3.2. All questions of a video together. A question that names several events
has a query for each; one that names seconds is answered from the frames in them (`stages/question_frames.py`).

Shapes: N frames, D width of the joint space.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables.shards import SELECTION
from stages.question_frames import Chosen, Question, select_for_questions
from stages.select_config import SelectConfig as SelectConfig  # as other modules of stages have theirs
from workers.storage.arrow_vectors import to_matrix
from workers.storage.store import Store

READS = pa.schema([("video_id", pa.string()), ("embed_units", pa.list_(pa.string())), ("write_qa_unit", pa.string())])
_QUESTION_COLUMNS = ["video_id", "qa_id", "window", "relation", "select_queries"]


def run(unit: dict[str, Any], config: SelectConfig, store: Store) -> Iterator[pa.Table]:
    """Yields one row of SELECTION per QA pair, in the order of the QA unit.

    Raises:
        Reject: `no_frames`.
        ValueError: frames and questions were embedded by different towers.
    """
    import torch  # takes seconds, and a driver declares stages without running them

    torch.set_num_threads(1)
    frames = pa.concat_tables(store.read_table(path, ["time_s", "embedding"]) for path in unit["embed_units"])
    questions = store.read_table(unit["write_qa_unit"], _QUESTION_COLUMNS)
    if not frames.num_rows:
        raise Reject("no_frames", f"{len(unit['embed_units'])} segments, and not one frame in them")
    if not questions.num_rows:
        yield SELECTION.empty_table()
        return
    frames_ND = torch.from_numpy(to_matrix(frames["embedding"]))
    queries = [torch.tensor(np.array(rows, np.float16)) for rows in questions["select_queries"].to_pylist()]
    if frames_ND.shape[1] != queries[0].shape[1]:
        raise ValueError(
            f"frames are embedded in {frames_ND.shape[1]} numbers, questions in {queries[0].shape[1]}: "
            "use one tower for both (embed.tower, write_qa.select_tower)"
        )
    windows = [window and (window["start_s"], window["end_s"]) for window in questions["window"].to_pylist()]
    asked = [Question(*row) for row in zip(queries, windows, questions["relation"].to_pylist(), strict=True)]
    chosen = select_for_questions(frames_ND, frames["time_s"].to_numpy(), asked, config)
    yield _rows(frames, questions, chosen)


def _rows(frames: pa.Table, questions: pa.Table, chosen: list[Chosen]) -> pa.Table:
    time_s = frames["time_s"].to_numpy()
    columns = {
        "video_id": questions["video_id"],
        "qa_id": questions["qa_id"],
        "keyframes": [indices for indices, _ in chosen],
        "time_s": [time_s[indices].tolist() for indices, _ in chosen],
        "relevance": [relevance for _, relevance in chosen],
    }
    return pa.table(columns, schema=SELECTION)


def stage(config: SelectConfig) -> Stage:
    """Declares the stage."""
    return Stage(
        name="select",
        reads=READS,
        writes=SELECTION,
        run=run,
        config=config,
        emits="unit",
        version=5,
    )
