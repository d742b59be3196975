"""The order in which an epoch takes the samples: one sequence for all ranks, from the samples' ids alone.

Videos are taken in shuffled order by `lanes`, of which each works through the QA pairs of one video; the sequence
goes round the lanes. So neighbours are of different videos, and where the world size W divides `lanes`, a rank that
takes every W-th position meets only every W-th lane: it reads each group once and holds lanes / W of them.
"""

import hashlib
import heapq

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def epoch_order(video_ids: pa.ChunkedArray, seed: int, epoch: int, lanes: int, shuffle: bool = True) -> np.ndarray:
    """Rows in the order of an epoch, int64 [samples]; `video_ids` is sorted, a video's rows in the order of its pairs.

    Each lane takes the next video when it has done with one, and begins it at a pair drawn by chance: so lanes that
    begin together do not all ask the same kind of question. All chance comes from hashes of the ids.
    """
    videos = pc.run_end_encode(video_ids.combine_chunks())
    ends = videos.run_ends.to_numpy().astype(np.int64)
    counts = np.diff(ends, prepend=0)
    if shuffle:
        draws = np.array([_draw(seed, epoch, video_id) for video_id in videos.values.to_pylist()], np.uint64)
        sequence, begins_at = np.argsort(draws, kind="stable"), (draws % counts.astype(np.uint64)).astype(np.int64)
    else:
        sequence, begins_at = np.arange(len(counts)), np.zeros_like(counts)
    rounds, lane_of = np.empty_like(counts), np.empty_like(counts)
    free = [(0, lane) for lane in range(lanes)]
    for video in sequence:
        rounds[video], lane_of[video] = free[0]
        heapq.heapreplace(free, (rounds[video] + counts[video], lane_of[video]))
    video = np.repeat(np.arange(len(counts)), counts)
    nth = (np.arange(ends[-1]) - (ends - counts)[video] - begins_at[video]) % counts[video]
    return np.argsort((rounds[video] + nth) * lanes + lane_of[video])


def _draw(seed: int, epoch: int, video_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{epoch}:{video_id}".encode(), digest_size=8).digest(), "little")
