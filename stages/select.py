"""select: embeddings + questions -> the keyframes of each question, by differential keyframe selection (DKS).

Source: ViLaMP, arXiv 2504.02438, section 3.2. All questions of a video in one pass over its embeddings. A question that
names several events has a query for each; one that names seconds is answered from the frames in them.

Shapes: N frames, Q questions, K keyframes, D width of the joint space.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables import SELECTION
from workers.storage.arrow_vectors import to_matrix
from workers.storage.store import Store

if TYPE_CHECKING:
    import torch

Chosen = tuple[list[int], list[float]]
"""Positions of keyframes in the video's frames, ascending, and their relevance."""

READS = pa.schema([("video_id", pa.string()), ("embed_units", pa.list_(pa.string())), ("write_qa_unit", pa.string())])


class SelectConfig(StageConfig):
    """How keyframes are selected."""

    k: int = Field(32, ge=1, le=4096)
    """Keyframes a question, at most."""
    tau: float = Field(0.85, gt=-1, le=1)
    """A frame as similar as this (cosine) to a keyframe is no further keyframe."""
    mode: Literal["paper", "released", "recurrent"] = "paper"
    """`paper`: greedy by relevance, stops when nothing distinct is left. `released`: as the authors' code, which has a
    floor of relevance and fills free places from the gaps between keyframes. `recurrent`: as `paper`, but it keeps the
    later times of an event that comes back, for questions of how often."""
    relevance_floor: float = Field(0.2, ge=-1, le=1)
    """Mode `released` only: less relevant frames are not taken greedily."""
    dip: float = Field(0.5, gt=0)
    """Mode `recurrent` only: how far relevance must fall between two occurrences, as a share of the question's contrast
    (its best relevance less the median)."""
    # Q x N products with N embeddings of a few hundred numbers: a second on one core for an hour of video.
    resources: Resources = Resources(cpus=1, memory_mb=1000, workers=(1, 2))


def run(unit: dict[str, Any], config: SelectConfig, store: Store) -> Iterator[pa.Table]:
    """A row a QA pair, in the order of the QA unit; no QA pairs, no rows. Rejects a video without frames."""
    import torch  # costs seconds, and a driver declares stages without running them

    torch.set_num_threads(1)
    frames = pa.concat_tables(store.read_table(path, ["time_s", "embedding"]) for path in unit["embed_units"])
    questions = store.read_table(unit["write_qa_unit"], ["video_id", "qa_id", "window", "select_queries"])
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
    chosen = select_for_questions(frames_ND, frames["time_s"].to_numpy(), queries, windows, config)
    yield _rows(frames, questions, chosen)


def select_for_questions(
    frames_ND: torch.Tensor,
    times_N: np.ndarray,
    queries: Sequence[torch.Tensor],
    windows: Sequence[tuple[float, float] | None],
    config: SelectConfig,
) -> list[Chosen]:
    """Positions, ascending, and relevance of each question's keyframes, at most `config.k`.

    Args:
        frames_ND: embeddings of all frames.
        times_N: when they are shown, in seconds, ascending.
        queries: per question `[S, D]`; its queries take the places by turns, the most relevant frame of each first.
        windows: per question the seconds that it names: only frames in them are taken, or the one frame nearest to
            them; None: it names none.
    """
    import torch

    chosen: list[Chosen] = [([], [])] * len(queries)
    whole = [i for i, window in enumerate(windows) if window is None]
    if whole:
        found = _select(frames_ND, torch.cat([queries[i] for i in whole]), config)
        for i in whole:
            own, found = found[: len(queries[i])], found[len(queries[i]) :]
            chosen[i] = _by_turns(own, config.k)
    for i, window in enumerate(windows):
        if window is not None:
            inside = np.flatnonzero((times_N >= window[0]) & (times_N <= window[1]))
            if not len(inside):
                inside = np.array([np.abs(times_N - sum(window) / 2).argmin()])
            own = _select(frames_ND[torch.from_numpy(inside)], queries[i], config)
            positions, relevance = _by_turns(own, config.k)
            chosen[i] = ([int(inside[position]) for position in positions], relevance)
    return chosen


def _by_turns(found: Sequence[Chosen], k: int) -> Chosen:
    """Up to k positions of several queries: the best of each, then the second best of each, and so on."""
    if len(found) == 1:
        return found[0]
    ranked = [
        sorted(zip(positions, relevance, strict=True), key=lambda pick: -pick[1]) for positions, relevance in found
    ]
    taken: dict[int, float] = {}
    for turn in zip_longest(*ranked):
        for pick in turn:
            if pick is not None and len(taken) < k:
                taken[pick[0]] = max(pick[1], taken.get(pick[0], -1.0))
    positions = sorted(taken)
    return positions, [taken[position] for position in positions]


def _select(frames_ND: torch.Tensor, queries_SD: torch.Tensor, config: SelectConfig) -> list[Chosen]:
    """Positions and relevance of each query's keyframes."""
    from model.ops.dks.keyframes import select_keyframes

    chosen = select_keyframes(
        frames_ND,
        queries_SD,
        k=config.k,
        tau=config.tau,
        mode=config.mode,
        relevance_floor=config.relevance_floor,
        dip=config.dip,
    )
    taken = chosen.indices >= 0
    return [
        (indices[mask].tolist(), relevance[mask].tolist())
        for indices, relevance, mask in zip(chosen.indices, chosen.relevance, taken, strict=True)
    ]


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
    return Stage(
        name="select",
        reads=READS,
        writes=SELECTION,
        run=run,
        config=config,
        emits="unit",
        version=3,
    )
