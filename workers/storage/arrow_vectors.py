"""Converts matrices to Arrow list columns and back, without a Python object per number."""

import numpy as np
import pyarrow as pa


def to_column(matrix: np.ndarray) -> pa.ListArray:
    """Converts [rows, width] to a column of `rows` lists with `width` numbers of the same type."""
    rows, width = matrix.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(matrix.reshape(-1)))


def to_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """Converts a list column to float32 [rows, length]; without rows: [0, 0].

    Raises:
        ValueError: the lists have different lengths, or values are missing.
    """
    lists = column.combine_chunks()
    lengths = np.diff(lists.offsets.to_numpy()) if len(lists) else np.zeros(1, np.int32)
    if lists.null_count or (lengths != lengths[0]).any():
        raise ValueError(
            f"vectors of {lengths.min()} to {lengths.max()} numbers, {lists.null_count} missing; need one length"
        )
    flat: np.ndarray = lists.flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float32).reshape(len(lists), lengths[0])
