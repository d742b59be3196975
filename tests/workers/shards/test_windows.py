"""Which frames and pairs make the sample of a window."""

import numpy as np

from tests.workers.shards.shard_units import distill_tensors
from workers.shards.layout import part_shapes, take_queries
from workers.shards.windows import cut_parts, on_own_clock

FRAMES = 40  # at 0, 0.5, ... 19.5 s


def unit(keyframes):
    tensors = distill_tensors(np.random.default_rng(0), FRAMES, len(keyframes), 2, clips=False)
    union = np.unique(np.concatenate(keyframes)).astype("<i4")
    tensors["keyframes"] = union
    tensors["keyframe_tokens"] = np.zeros((len(union), 4, 8), "<f2")
    tensors["query_keyframes"] = np.stack([np.searchsorted(union, row) for row in keyframes]).astype("<i4")
    return tensors, {name: (array.dtype, array.shape) for name, array in tensors.items()}


def window(start, end):
    return {"start_s": float(start), "end_s": float(end)}


def test_a_part_has_the_frames_of_its_window_and_its_own_clock():
    tensors, shapes = unit([[4, 6], [5, 7], [30, 33], [2, 35]])
    windows = [window(2, 4), window(2, 4), window(15, 17), None]
    parts = cut_parts(windows, [10] * 4, shapes, tensors, group_bytes=1 << 20)
    assert [(part.rows, part.frames) for part in parts] == [
        (slice(0, 2), slice(4, 9)),
        (slice(2, 3), slice(30, 35)),
        (slice(3, 4), slice(0, FRAMES)),
    ]
    part = take_queries(tensors, parts[1].rows, parts[1].frames, 15.0)
    assert part["time_s"].tolist() == [0, 0.5, 1, 1.5, 2]
    assert part["sample_index"].tolist() == [30, 31, 32, 33, 34]
    assert part["keyframes"].tolist() == [0, 3]
    assert np.array_equal(part["merged_tokens"], tensors["merged_tokens"][2:3, 30:35])
    assert {name: array.shape for name, array in part.items()} == {
        name: shape
        for name, (_, shape) in part_shapes(
            {**shapes, **{n: (shapes[n][0], (5,)) for n in ("time_s", "sample_index")}}
            | {"merged_tokens": (shapes["merged_tokens"][0], (4, 5, 8))},
            tensors["query_keyframes"],
            parts[1].rows,
        ).items()
    }


def test_a_window_between_two_frames_has_the_one_that_was_taken():
    tensors, shapes = unit([[9, 9]])
    [part] = cut_parts([window(4.6, 4.9)], [10], shapes, tensors, group_bytes=1 << 20)
    assert part.frames == slice(9, 10)
    tensors, shapes = unit([[10, 10]])
    assert cut_parts([window(4.6, 4.9)], [10], shapes, tensors, group_bytes=1 << 20)[0].frames == slice(10, 11)


def test_a_large_window_is_cut_as_a_large_video_is():
    tensors, shapes = unit([[n, n + 1] for n in range(10)])
    parts = cut_parts([window(0, 19)] * 10, [10] * 10, shapes, tensors, group_bytes=4000)
    assert len(parts) > 1
    assert [row for part in parts for row in range(part.rows.start, part.rows.stop)] == list(range(10))


def test_times_of_a_pair_count_from_its_window():
    pair = {
        "sample_window": window(10, 20),
        "window": window(12, 14),
        "evidence": [window(12, 13)],
        "option_times": [12.5, 15.0],
        "asked_times": None,
    }
    assert on_own_clock(pair) == {
        "sample_window": window(10, 20),
        "window": window(2, 4),
        "evidence": [window(2, 3)],
        "option_times": [2.5, 5.0],
        "asked_times": None,
    }
    assert on_own_clock({**pair, "sample_window": None})["evidence"] == [window(12, 13)]
