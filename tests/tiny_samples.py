"""Samples as the shard reader gives them, whose answers can only be told from their visual tokens."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from model.config import VideoLMConfig
from workers.training.sample_stream import SampleSet

WIDTH = 8
TINY = VideoLMConfig(width=32, layers=2, heads=2, feedforward_width=64)


def tiny_sample(
    number: int, *, num_frames: int = 7, num_keyframes: int = 2, patches: int = 3, shows: str = "merged"
) -> dict[str, Any]:
    """Sample `number` of an endless set: odd ones are answered "yes", even ones "no".

    The answer is the sign of the first channel of the tokens that `shows` names ("merged", "keyframe"), the rest noise.
    """
    chance = np.random.default_rng(number)
    keyframes = np.sort(chance.choice(num_frames, num_keyframes, replace=False))
    keyframe_tokens = chance.standard_normal((num_keyframes, patches, WIDTH))
    merged_tokens = chance.standard_normal((num_frames, WIDTH))
    answer = number % 2
    telling = merged_tokens if shows == "merged" else keyframe_tokens
    telling[..., 0] = 2.0 if answer else -2.0
    merged_tokens[keyframes] = 0
    return {
        "qa_id": f"{number:08d}",
        "conversations": [
            {"from": "human", "value": "<image>\nIs it on?"},
            {"from": "gpt", "value": "yes" if answer else "no"},
        ],
        "time_s": np.arange(num_frames) * 0.5,
        "keyframes": keyframes,
        "keyframe_tokens": keyframe_tokens.astype(np.float16),
        "merged_tokens": merged_tokens.astype(np.float16),
    }


def tiny_set(num_samples: int) -> SampleSet:
    return SampleSet(num_samples=num_samples, sha256="0" * 64, token_width=WIDTH)


def reads(num_samples: int, **settings: Any):
    """A `Read` over `num_samples` samples, each epoch in an order of its own."""

    def read(epoch: int, first: int, stride: int) -> Iterator[dict[str, Any]]:
        order = np.random.default_rng(epoch).permutation(num_samples)
        for position in range(first, num_samples, stride):
            yield tiny_sample(int(order[position]), **settings) | {"epoch": epoch, "position": position}

    return read
