"""How tokens are divided among groups and found again, against loops over the stored tensors."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.shards.shard_units import distill_tensors
from workers.shards.layout import TOKEN_TENSORS, cut_groups, part_shapes, take_queries, tokens_metadata
from workers.storage.safetensors_file import encode_tensors


@given(seed=st.integers(0, 999), num_queries=st.integers(1, 8), cuts=st.data())
@settings(max_examples=60, deadline=None)
def test_a_part_answers_for_its_queries_as_the_whole_does(seed, num_queries, cuts):
    tensors = distill_tensors(np.random.default_rng(seed), 12, num_queries, 4)
    first = cuts.draw(st.integers(0, num_queries - 1))
    rows = slice(first, cuts.draw(st.integers(first + 1, num_queries)))
    part = take_queries(tensors, rows)
    for row, query in enumerate(range(rows.start, rows.stop)):
        mine, whole = part["query_keyframes"][row], tensors["query_keyframes"][query]
        assert ((mine < 0) == (whole < 0)).all()
        mine, whole = mine[mine >= 0], whole[whole >= 0]
        assert np.array_equal(part["keyframes"][mine], tensors["keyframes"][whole])
        assert np.array_equal(part["keyframe_tokens"][mine], tensors["keyframe_tokens"][whole])
        assert np.array_equal(part["merged_tokens"][row], tensors["merged_tokens"][query])
    used = np.unique(part["query_keyframes"])
    assert np.array_equal(used[used >= 0], np.arange(len(part["keyframes"])))  # none but those it uses
    assert (np.diff(part["keyframes"]) > 0).all()


def shapes_of(tensors) -> dict:
    return {name: (array.dtype, array.shape) for name, array in tensors.items()}


def tokens_bytes(tensors, rows: slice) -> int:
    chunks, _ = encode_tensors(take_queries(tensors, rows), tokens_metadata("0" * 64))
    return sum(map(len, chunks))


@given(seed=st.integers(0, 999), num_queries=st.integers(1, 12), group_bytes=st.integers(1 << 10, 1 << 14))
@settings(max_examples=60, deadline=None)
def test_groups_are_as_large_as_they_may_be(seed, num_queries, group_bytes):
    tensors = distill_tensors(np.random.default_rng(seed), 20, num_queries, 5)
    qa_bytes = np.random.default_rng(seed).integers(100, 900, num_queries).tolist()
    groups = cut_groups(shapes_of(tensors), tensors["query_keyframes"], qa_bytes, group_bytes)
    assert [row for rows in groups for row in range(rows.start, rows.stop)] == list(range(num_queries))

    def size(rows: slice) -> int:
        return tokens_bytes(tensors, rows) + sum(qa_bytes[rows]) + 2

    for number, rows in enumerate(groups):
        assert size(rows) <= group_bytes or rows.stop - rows.start == 1
        if number + 1 < len(groups):
            assert size(slice(rows.start, rows.stop + 1)) > group_bytes - 256  # to the digits of a header


@given(seed=st.integers(0, 999), num_queries=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_shapes_of_a_part_are_those_of_its_tensors(seed, num_queries):
    tensors = distill_tensors(np.random.default_rng(seed), 12, num_queries, 4)
    rows = slice(num_queries // 2, num_queries)
    part = take_queries(tensors, rows)
    assert part_shapes(shapes_of(tensors), tensors["query_keyframes"], rows) == shapes_of(part)
    assert set(part) == set(TOKEN_TENSORS)
