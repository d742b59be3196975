"""Which frames a question's keyframes are looked for among, and how its queries share its places.

Nothing is used but what a user's question tells as well: the events and seconds that it names, the options, and whether
it asks for what comes after, before or between events.

Shapes: N frames, S queries of one question, K keyframes, D width of the joint space.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, product, zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stages.select_config import SelectConfig

if TYPE_CHECKING:
    import torch

Chosen = tuple[list[int], list[float]]
"""Positions of keyframes in the video's frames, ascending, and their relevance."""
_Ranked = list[tuple[int, float]]
"""Position and relevance of one query's keyframes, the most relevant first."""

_NEAR_KEYFRAMES = 2  # of each option, before others are looked for beyond `select.reach_s`


class Question(NamedTuple):
    """Tells the selection what one question asks for.

    Attributes:
        queries: `[S, D]`; where there is a relation, the named events come first, then what is looked for: the
            options, or the event that is counted.
        window: seconds that it names; None: it names none.
        relation: column `relation` of QA.
    """

    queries: torch.Tensor
    window: tuple[float, float] | None = None
    relation: str | None = None

    @property
    def num_anywhere(self) -> int:
        """Returns how many of its queries are looked for in the whole video."""
        if self.window is not None:
            return 0
        return {None: len(self.queries), "between": 2}.get(self.relation, 1)


def select_for_questions(
    frames_ND: torch.Tensor, times_N: np.ndarray, questions: Sequence[Question], config: SelectConfig
) -> list[Chosen]:
    """Returns positions, ascending, and relevance of each question's keyframes, at most `config.k`.

    A question's queries take its places by turns, the most relevant frame of each first. Of a question that names
    seconds only frames in them are taken, or the one frame nearest to them. Of one that asks for what comes after,
    before or between events, the frames of these bound where the rest is looked for.

    Args:
        frames_ND: embeddings of all frames.
        times_N: when they are shown, in seconds, ascending.
        questions: of one video.
        config: of the stage select.
    """
    import torch

    anywhere = torch.cat([question.queries[: question.num_anywhere] for question in questions])
    found = iter(_ranked(frames_ND, np.arange(len(times_N)), anywhere, config))
    chosen = []
    for question in questions:
        ranked = list(islice(found, question.num_anywhere))
        if question.window is not None:
            ranked = _ranked(frames_ND, _in_window(times_N, question.window), question.queries, config)
        elif question.relation is not None:
            if question.relation == "between":
                ranked = _in_order(ranked)
            ranked += _related(frames_ND, times_N, question, ranked, config)
        chosen.append(_by_turns(ranked, config.k))
    return chosen


def _in_window(times_N: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    inside = np.flatnonzero((times_N >= window[0]) & (times_N <= window[1]))
    return inside if len(inside) else np.array([np.abs(times_N - sum(window) / 2).argmin()])


def _in_order(named: list[_Ranked]) -> list[_Ranked]:
    """Puts first the two frames that are most like two events in the order of time, in which a question names them.

    Either event may happen more than once: its most relevant frame alone may lie on the wrong side of the other.
    """
    pairs = [(a, b) for a, b in product(*named) if a[0] < b[0]]
    if not pairs:
        return named
    best = max(pairs, key=lambda pair: pair[0][1] + pair[1][1])
    return [[first, *(r for r in ranked if r != first)] for first, ranked in zip(best, named, strict=True)]


def _related(
    frames_ND: torch.Tensor, times_N: np.ndarray, question: Question, named: list[_Ranked], config: SelectConfig
) -> list[_Ranked]:
    """Keyframes of the options on the side of the named events that the question asks about."""
    options = question.queries[len(named) :]
    found = sorted(ranked[0][0] for ranked in named if ranked)
    first, last = (found[0], found[-1]) if found else (-1, len(times_N))
    relation = question.relation or ""
    if relation == "between":
        inside = np.arange(first + 1, last)
    else:
        inside = np.arange(first + 1, len(times_N)) if relation.endswith("after") else np.arange(last)
    if not len(inside):
        inside = np.arange(len(times_N))
    ranked = _ranked(frames_ND, inside, options, config)
    if not relation.startswith("soon_") or not found:
        return ranked
    near = inside[np.abs(times_N[inside] - times_N[first]) <= config.reach_s]
    nearest = _ranked(frames_ND, near, options, config)
    return [list(dict([*n[:_NEAR_KEYFRAMES], *r]).items()) for n, r in zip(nearest, ranked, strict=True)]


def _by_turns(ranked: Sequence[_Ranked], k: int) -> Chosen:
    """Up to k positions of several queries: the best of each, then the second best of each, and so on."""
    taken: dict[int, float] = {}
    for turn in zip_longest(*ranked):
        for selected in turn:
            if selected is not None and len(taken) < k:
                taken[selected[0]] = max(selected[1], taken.get(selected[0], -1.0))
    positions = sorted(taken)
    return positions, [taken[position] for position in positions]


def _ranked(
    frames_ND: torch.Tensor, positions: np.ndarray, queries_SD: torch.Tensor, config: SelectConfig
) -> list[_Ranked]:
    """Returns the keyframes of each query among the frames at some positions, the most relevant first."""
    import torch

    from model.ops.dks.keyframes import select_keyframes

    if not len(positions) or not len(queries_SD):
        return [[] for _ in queries_SD]
    chosen = select_keyframes(
        frames_ND if len(positions) == len(frames_ND) else frames_ND[torch.from_numpy(positions)],
        queries_SD,
        k=config.k,
        tau=config.tau,
        mode=config.mode,
        relevance_floor=config.relevance_floor,
        dip=config.dip,
    )
    ranked = []
    for indices, relevance in zip(chosen.indices.numpy(), chosen.relevance.tolist(), strict=True):
        selected = [(int(positions[i]), value) for i, value in zip(indices, relevance, strict=True) if i >= 0]
        ranked.append(sorted(selected, key=lambda one: -one[1]))
    return ranked
