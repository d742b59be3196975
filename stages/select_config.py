"""The settings of the selection of keyframes: how many, by which mode, and what counts as distinct."""

from typing import Literal

from pydantic import Field

from schemas.config import Resources, StageConfig


class SelectConfig(StageConfig):
    """Sets how keyframes are selected."""

    k: int = Field(32, ge=1, le=4096)
    """Maximum number of keyframes per question."""
    tau: float = Field(0.85, gt=-1, le=1)
    """Suppression threshold: a frame whose cosine similarity to a keyframe is at least this is not selected."""
    mode: Literal["paper", "released", "recurrent"] = "paper"
    """`paper`: greedy by relevance, until no distinct frame is left. `released`: as the authors' code, with a minimum
    relevance and with keyframes from the gaps to fill up to `k`. `recurrent`: as `paper`, but it keeps the later
    occurrences of a recurring event, for questions about counts."""
    relevance_floor: float = Field(0.2, ge=-1, le=1)
    """Mode `released` only: minimum relevance of frames that are selected greedily."""
    dip: float = Field(0.5, gt=0)
    """Mode `recurrent` only: how far relevance must fall between two occurrences, as a share of the question's contrast
    (its best relevance less the median)."""
    reach_s: float = Field(45.0, ge=0)
    """What a question asks for right after or before an event is looked for within this many seconds of it first."""
    # Q x N products with N embeddings of a few hundred numbers: a second on one core for an hour of video.
    resources: Resources = Resources(cpus=1, memory_mb=1000, workers=(1, 2))
