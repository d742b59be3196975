"""The layout of samples in a shard.

A group is a video with its QA pairs, or a part of them, and one WebDataset sample. With `write_qa.clips: windows` it is
a window of a video: it has the frames in it alone, and its times count from its start. Its members, in this order:

    <sample_key>.json                 facts of the video, licence, source; `part` of `num_parts`; `sample_window`, null
                                      where the sample is the whole video
    <sample_key>.qa.json              list of QA pairs; entry i is row i of the Q axis below
    <sample_key>.tokens.safetensors   time_s [N] f8, sample_index [N] i8, keyframes [U] i4, keyframe_tokens [U, P, C]
                                      f2, query_keyframes [Q, K] i4, merged_tokens [Q, N, C] f2
    <sample_key>.clips.safetensors    clip_tokens [ceil(N / clip_frames), R, C] f2: in a video's first group, and only
                                      where the recipe has `distill.hico`

`keyframes` are positions in 0 .. N-1, ascending; `query_keyframes` are rows of `keyframes`, -1 pads. The groups of a
video follow each other in one shard. The metadata of a safetensors member holds `sha256` of its data and
`format_version`; that of the tokens also `qa_sha256`, of the `.qa.json` member.
"""

from collections.abc import Sequence

import numpy as np

from schemas.tables import FORMAT_VERSION
from workers.storage.safetensors_file import Shape, Tensors, encoded_bytes

# Which rows of a distill unit a part of the queries has: rows of the queries, rows of the keyframes, or all.
QUERY_TENSORS = ("query_keyframes", "merged_tokens")
KEYFRAME_TENSORS = ("keyframes", "keyframe_tokens")
SHARED_TENSORS = ("time_s", "sample_index")
TOKEN_TENSORS = (*SHARED_TENSORS, *KEYFRAME_TENSORS, *QUERY_TENSORS)
CLIP_TENSORS = ("clip_tokens",)
# Small tensors that determine how the tokens are divided into groups.
INDEX_TENSORS = (*SHARED_TENSORS, "keyframes", "query_keyframes")

Shapes = dict[str, Shape]


def clips_metadata() -> dict[str, str]:
    """Returns the metadata of a `.clips.safetensors` member, without its checksum."""
    return {"format_version": str(FORMAT_VERSION)}


def tokens_metadata(qa_sha256: str) -> dict[str, str]:
    """Returns the metadata of a `.tokens.safetensors` member, without its checksum."""
    return {"format_version": str(FORMAT_VERSION), "qa_sha256": qa_sha256}


def cut_groups(shapes: Shapes, query_keyframes: np.ndarray, qa_bytes: Sequence[int], group_bytes: int) -> list[slice]:
    """Returns the rows of the QA pairs of each group: as many as fit into `group_bytes`, and at least one.

    Args:
        shapes: of the token tensors of the whole video.
        query_keyframes: [Q, K], its tensor of this name.
        qa_bytes: size of each QA pair in `.qa.json`.
        group_bytes: most bytes of a group's `.qa.json` and `.tokens.safetensors` together.
    """
    row_bytes = {name: dtype.itemsize * int(np.prod(shape[1:])) for name, (dtype, shape) in shapes.items()}
    keyframe_bytes = sum(row_bytes[name] for name in KEYFRAME_TENSORS)
    query_bytes = sum(row_bytes[name] for name in QUERY_TENSORS)
    # Parts of a group that do not depend on its queries; the header of a part has at most as many digits as the whole.
    shared_bytes = encoded_bytes(_part_shapes(shapes, 0, 0), tokens_metadata("0" * 64)) + 16 * len(shapes)
    cuts, used, size = [0], set[int](), shared_bytes
    for row, keyframes in enumerate(query_keyframes):
        own = set(keyframes[keyframes >= 0].tolist())
        added = query_bytes + qa_bytes[row] + keyframe_bytes * len(own - used)
        if row > cuts[-1] and size + added > group_bytes:
            cuts.append(row)
            used, size = set(), shared_bytes
            added = query_bytes + qa_bytes[row] + keyframe_bytes * len(own)
        used |= own
        size += added
    return [slice(first, last) for first, last in zip(cuts, [*cuts[1:], len(query_keyframes)], strict=True)]


def frame_shapes(shapes: Shapes, num_frames: int) -> Shapes:
    """Returns the types and shapes of the token tensors of a stretch of so many frames."""
    cut = {name: (shapes[name][0], (num_frames, *shapes[name][1][1:])) for name in SHARED_TENSORS}
    dtype, (num_queries, _, *rest) = shapes["merged_tokens"]
    return {**shapes, **cut, "merged_tokens": (dtype, (num_queries, num_frames, *rest))}


def part_shapes(shapes: Shapes, query_keyframes: np.ndarray, rows: slice) -> Shapes:
    """Returns types and shapes of the tensors that `take_queries` returns for these rows."""
    part = query_keyframes[rows]
    return _part_shapes(shapes, len(part), len(np.unique(part[part >= 0])))


def _part_shapes(shapes: Shapes, num_queries: int, num_keyframes: int) -> Shapes:
    rows = dict.fromkeys(QUERY_TENSORS, num_queries) | dict.fromkeys(KEYFRAME_TENSORS, num_keyframes)
    return {
        name: (shapes[name][0], (rows.get(name, shapes[name][1][0]), *shapes[name][1][1:])) for name in TOKEN_TENSORS
    }


def take_queries(tensors: Tensors, rows: slice, frames: slice | None = None, origin_s: float = 0.0) -> Tensors:
    """Returns the token tensors of some queries: their rows, and only the keyframes that they use.

    Args:
        frames: the stretch of frames that they are about, which holds all their keyframes; None: all.
        origin_s: from which the times of the part count.
    """
    query_keyframes = tensors["query_keyframes"][rows]
    used = np.unique(query_keyframes[query_keyframes >= 0])
    # One more entry, so that the padding -1 is mapped to -1.
    renumber = np.full(len(tensors["keyframes"]) + 1, -1, query_keyframes.dtype)
    renumber[used] = np.arange(len(used))
    part = {name: tensors[name] for name in SHARED_TENSORS}
    part["query_keyframes"] = renumber[query_keyframes]
    part["merged_tokens"] = tensors["merged_tokens"][rows]
    for name in KEYFRAME_TENSORS:
        part[name] = tensors[name] if len(used) == len(tensors[name]) else tensors[name][used]
    if frames is not None and (frames.start, frames.stop) != (0, len(tensors["time_s"])):
        part |= {name: part[name][frames] for name in SHARED_TENSORS}
        part["merged_tokens"] = part["merged_tokens"][:, frames]
        part["keyframes"] = part["keyframes"] - part["keyframes"].dtype.type(frames.start)
    if origin_s:
        part["time_s"] = part["time_s"] - origin_s
    return part
