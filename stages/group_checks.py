"""Checks that the units of a video fit together before they are grouped."""

import numpy as np

from schemas.rejects import Reject
from schemas.rows import Row, Selected
from workers.shards.layout import QUERY_TENSORS, SHARED_TENSORS, Shapes
from workers.storage.safetensors_file import Tensors


def check_order(tensors: Tensors) -> None:
    """Rejects a video whose frames are not in order, as in untrusted files that have several frames of one time."""
    for axis in ("time_s", "sample_index"):
        if (np.diff(tensors[axis]) <= 0).any():
            raise Reject("unpackable", f"{axis} of the frames is not ascending")


def check_belong_together(
    video: Row, pairs: list[Row], selected: list[Selected], shapes: Shapes, tensors: Tensors
) -> None:
    """Raises ValueError unless QA pairs, selection and tokens belong to this video and, row by row, to one question."""
    where = f"video {video['name']!r} ({video['video_id']}): {video['distill_unit']}"
    if not pairs:
        raise ValueError(f"{where}: there are no QA pairs; leave the video out of the plan")
    if strange := {pair["video_id"] for pair in pairs} - {video["video_id"]}:
        raise ValueError(f"{video['write_qa_unit']} holds QA pairs of other videos: {sorted(strange)}")
    if [pair["qa_id"] for pair in pairs] != [row["qa_id"] for row in selected]:
        raise ValueError(f"{where}: {video['select_unit']} is not row by row of the QA pairs")
    num_rows = {name: shape[0] for name, (_, shape) in shapes.items()}
    for name in QUERY_TENSORS:
        if num_rows[name] != len(pairs):
            raise ValueError(f"{where}: {name} has {num_rows[name]} rows for {len(pairs)} QA pairs")
    num_frames = num_rows["time_s"]
    if shapes["merged_tokens"][1][1] != num_frames or any(num_rows[name] != num_frames for name in SHARED_TENSORS):
        raise ValueError(f"{where}: merged_tokens, time_s and sample_index differ in their number of frames")
    if (np.diff(tensors["keyframes"]) <= 0).any():
        raise ValueError(f"{where}: keyframes is not ascending")
    for row, query_keyframes in zip(selected, tensors["query_keyframes"], strict=True):
        found = tensors["keyframes"][query_keyframes[query_keyframes >= 0]]
        if found.tolist() != row["keyframes"]:
            raise ValueError(
                f"{where}: {row['qa_id']} has keyframes {found.tolist()}, selected were {row['keyframes']}"
            )
