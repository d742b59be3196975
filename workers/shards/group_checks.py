"""Checks that the members of a group have the contents that layout.py describes: shards are untrusted files, and their
checksums come from who wrote them.
"""

import json
import math
from typing import Any

import numpy as np

from schemas.messages import is_text
from workers.shards.layout import TOKEN_TENSORS
from workers.storage.safetensors_file import Tensors

# Number of axes, and type.
_AXES = {
    "time_s": (1, "<f8"),
    "sample_index": (1, "<i8"),
    "keyframes": (1, "<i4"),
    "keyframe_tokens": (3, "<f2"),
    "query_keyframes": (2, "<i4"),
    "merged_tokens": (3, "<f2"),
    "clip_tokens": (3, "<f2"),
}
_PAD = -1
_F2_EXPONENT = 0x7C00  # all its bits are set in infinities and NaN alone
_CHUNK = 1 << 16  # values that fit into a cache


def parse_pairs(qa: bytes | memoryview) -> list[dict[str, Any]]:
    """Parses the QA pairs of a member `.qa.json`.

    Raises ValueError where one lacks its id or turns of text, or has an answer or evidence that cannot be one.
    """
    try:
        pairs = json.loads(bytes(qa))
    except RecursionError:
        raise ValueError("the QA pairs are nested too deeply") from None
    if not isinstance(pairs, list) or not all(isinstance(p, dict) and isinstance(p.get("qa_id"), str) for p in pairs):
        raise ValueError("the QA pairs are no list of JSON objects, each with a qa_id")
    for pair in pairs:
        try:
            fault = _fault(pair)
        except (KeyError, TypeError, AttributeError):
            fault = "a field of another type than the table qa has, or none"
        if fault:
            raise ValueError(f"QA pair {pair['qa_id'][:100]!r} has {fault}")
    return pairs


def _fault(pair: dict[str, Any]) -> str | None:
    turns, options, answer = pair["conversations"], pair.get("options") or [], pair.get("answer_index")
    if not isinstance(turns, list) or not all(is_text(turn[name]) for turn in turns for name in ("from", "value")):
        return "conversations that are no list of turns, each with the texts `from` and `value`"
    if answer is not None and not (type(answer) is int and 0 <= answer < len(options)):
        return f"answer_index = {str(answer)[:20]}, of {len(options)} options"
    if not all(-math.inf < span["start_s"] <= span["end_s"] < math.inf for span in pair.get("evidence") or []):
        return "evidence that is no span of time"
    if shadowed := _AXES.keys() & pair.keys():
        return f"a field {min(shadowed)}, the name of a tensor"
    return None


def check_tokens(tensors: Tensors, num_pairs: int) -> None:
    """Raises ValueError unless the tensors are finite, have the axes of layout.py and refer to existing rows."""
    check_axes({name: tensors[name] for name in TOKEN_TENSORS})
    num_frames, num_keyframes = len(tensors["time_s"]), len(tensors["keyframes"])
    width = tensors["merged_tokens"].shape[2]
    lengths = {
        "sample_index": (len(tensors["sample_index"]), num_frames),
        "keyframe_tokens": (tensors["keyframe_tokens"].shape[::2], (num_keyframes, width)),
        "query_keyframes": (len(tensors["query_keyframes"]), num_pairs),
        "merged_tokens": (tensors["merged_tokens"].shape[:2], (num_pairs, num_frames)),
    }
    if not (num_frames and width):
        raise ValueError("merged_tokens has no frames, or tokens of no values")
    for name, (found, wanted) in lengths.items():
        if found != wanted:
            raise ValueError(f"{name} has {found} entries, not {wanted}")
    for name, least, end in (("keyframes", 0, num_frames), ("query_keyframes", _PAD, num_keyframes)):
        values = tensors[name]
        if values.size and not least <= values.min() <= values.max() < end:
            raise ValueError(f"{name} has values that are not in {least} .. {end - 1}")
    for name in ("time_s", "keyframes", "query_keyframes"):
        later, earlier = tensors[name][..., 1:], tensors[name][..., :-1]
        if not ((later > earlier) | (later == _PAD)).all():
            raise ValueError(f"{name} does not ascend")


def check_axes(tensors: Tensors) -> None:
    """Raises ValueError for a tensor with other axes than those of layout.py, another type, or values like NaN."""
    for name, array in tensors.items():
        ndim, dtype = _AXES[name]
        if array.ndim != ndim or array.dtype != dtype:
            raise ValueError(f"{name} has {array.ndim} axes of {array.dtype}, not {ndim} of {np.dtype(dtype)}")
        if not _is_finite(array):
            raise ValueError(f"{name} has values that are not finite")


def _is_finite(array: np.ndarray) -> bool:
    if array.dtype != np.float16:
        return bool(np.isfinite(array).all())
    # Seven times as fast as numpy's own, which does not compute with this type.
    bits = array.reshape(-1).view(np.uint16)
    parts = (bits[start : start + _CHUNK] for start in range(0, len(bits), _CHUNK))
    return all(int((part & 0x7FFF).max()) < _F2_EXPONENT for part in parts)
