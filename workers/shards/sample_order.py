"""The order of the samples in an epoch: one sequence for all ranks, determined by the samples' ids alone.

A fixed number of videos is interleaved: the sequence takes one QA pair of each in turn, and a video that is finished is
replaced by the next one in shuffled order. With three interleaved videos A, B, C, then D:

    A2 B0 C1  A0 B1 C2  A1 D1 C0  ...      each begins at a random pair; D replaces B, which has two pairs

Hence neighbours belong to different videos. If the world size W divides the number of interleaved videos, a rank that
takes every W-th position reads from every W-th of them only: it reads each group once, and holds 1 / W of the groups.
"""

import hashlib
import heapq

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def epoch_order(
    video_ids: pa.ChunkedArray, seed: int, epoch: int, interleaved: int, shuffle: bool = True
) -> np.ndarray:
    """Returns the rows in the order of an epoch, int64 [samples].

    Each video begins at a random pair, so that neighbours do not all ask the same kind of question. All randomness
    comes from hashes of the ids.

    Args:
        video_ids: sorted ids, one per row; the rows of a video are in the order of its pairs.
        seed: seed of the order.
        epoch: number of the epoch.
        interleaved: number of interleaved videos.
        shuffle: False takes the videos in the order of their ids, each from its first pair.
    """
    videos = pc.run_end_encode(video_ids.combine_chunks())
    ends = videos.run_ends.to_numpy().astype(np.int64)
    counts = np.diff(ends, prepend=0)
    if shuffle:
        draws = np.array([_draw(seed, epoch, video_id) for video_id in videos.values.to_pylist()], np.uint64)
        sequence, begins_at = np.argsort(draws, kind="stable"), (draws % counts.astype(np.uint64)).astype(np.int64)
    else:
        sequence, begins_at = np.arange(len(counts)), np.zeros_like(counts)
    rounds, slot_of = np.empty_like(counts), np.empty_like(counts)
    free = [(0, slot) for slot in range(interleaved)]
    for video in sequence:
        rounds[video], slot_of[video] = free[0]
        heapq.heapreplace(free, (rounds[video] + counts[video], slot_of[video]))
    video = np.repeat(np.arange(len(counts)), counts)
    nth = (np.arange(ends[-1]) - (ends - counts)[video] - begins_at[video]) % counts[video]
    return np.argsort((rounds[video] + nth) * interleaved + slot_of[video])


def _draw(seed: int, epoch: int, video_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{epoch}:{video_id}".encode(), digest_size=8).digest(), "little")
