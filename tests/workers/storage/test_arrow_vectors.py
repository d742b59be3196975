"""Matrices as list columns: there and back, whatever the chunks."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workers.storage.arrow_vectors import to_column, to_matrix


@given(
    arrays.arrays(np.float16, st.tuples(st.integers(0, 9), st.integers(1, 5))),
    st.integers(0, 9),
)
@settings(deadline=None)
def test_a_matrix_survives_in_any_slicing(matrix, cut):
    column = pa.chunked_array([to_column(matrix)[:cut], to_column(matrix)[cut:]])
    back = to_matrix(column)
    assert back.dtype == np.float32
    assert np.array_equal(back.astype(np.float16), matrix if len(matrix) else np.empty((0, 0)), equal_nan=True)


def test_it_is_the_column_that_the_schemas_ask_for():
    column = to_column(np.ones((2, 3), np.float16))
    assert column.type.value_type == pa.float16()
    assert column.to_pylist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("lists", [[[1.0], [1.0, 2.0]], [[1.0], None]], ids=["ragged", "missing"])
def test_vectors_of_different_lengths_are_an_error(lists):
    with pytest.raises(ValueError, match="need one length"):
        to_matrix(pa.chunked_array([lists], pa.list_(pa.float16())))
