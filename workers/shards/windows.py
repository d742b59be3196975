"""Windows of a video as samples of their own: their frames, and their pairs on their own clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from workers.shards.layout import Shapes, cut_groups, frame_shapes
from workers.storage.safetensors_file import Tensors

Window = Mapping[str, float]
"""start_s, end_s on the video's timeline."""


@dataclass(frozen=True)
class Part:
    """Holds QA pairs that make a group."""

    rows: slice
    """Of the video's pairs."""
    frames: slice
    """Of the video's frames, those that the sample has."""
    window: Window | None
    """That the sample is; None: the whole video."""


def cut_parts(
    windows: Sequence[Window | None], qa_bytes: Sequence[int], shapes: Shapes, tensors: Tensors, group_bytes: int
) -> list[Part]:
    """Divides the pairs of a video into groups: one per run of pairs with the same window, or several for large runs.

    Args:
        windows: of each pair, its `sample_window`.
        tensors: those of INDEX_TENSORS.
        qa_bytes, shapes, group_bytes: see `cut_groups`.
    """
    parts: list[Part] = []
    first = 0
    for window, same in groupby(windows):
        after = first + len(list(same))
        queries = tensors["query_keyframes"][first:after]
        frames = _frames_in(window, tensors, queries)
        own = frame_shapes(shapes, frames.stop - frames.start)
        cut = cut_groups(own, queries, qa_bytes[first:after], group_bytes)
        parts += [Part(slice(first + rows.start, first + rows.stop), frames, window) for rows in cut]
        first = after
    return parts


def _frames_in(window: Window | None, tensors: Tensors, query_keyframes: np.ndarray) -> slice:
    """Frames in a window, and the keyframes of its questions: a window between two frames has the nearest one."""
    if window is None:
        return slice(0, len(tensors["time_s"]))
    first = int(np.searchsorted(tensors["time_s"], window["start_s"]))
    after = int(np.searchsorted(tensors["time_s"], window["end_s"], side="right"))
    own = tensors["keyframes"][query_keyframes[query_keyframes >= 0]]
    return slice(min(first, int(own.min())), max(after, int(own.max()) + 1)) if len(own) else slice(first, after)


def on_own_clock(pair: dict[str, Any]) -> dict[str, Any]:
    """Returns a QA pair whose times count from the start of its window, as those of the window's frames do.

    Its `sample_window` tells where the window lies in the video.
    """
    if not (own := pair["sample_window"]):
        return pair
    start_s = own["start_s"]

    def earlier(span: Window) -> Window:
        return {name: time - start_s for name, time in span.items()}

    return {
        **pair,
        "window": pair["window"] and earlier(pair["window"]),
        "evidence": [earlier(span) for span in pair["evidence"]],
        **{name: pair[name] and [time - start_s for time in pair[name]] for name in ("option_times", "asked_times")},
    }
