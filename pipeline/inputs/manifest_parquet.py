"""Reads manifests in Parquet. Sizes are checked before values are created, since a few kB may expand to gigabytes."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.inputs.manifest_rows import CELL_BYTES as CELL
from pipeline.inputs.manifest_rows import ManifestError, check_distinct, too_long
from schemas.rows import Row

ROWS_AT_ONCE = 256
_MAX_DEPTH = 64
# Limits of one column in one row group, according to the metadata of the file.
_MAX_VALUES = 1 << 26
_MAX_BYTES, _MAX_RATIO = 1 << 28, 200


def parquet_rows(source: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    """Yields the rows of a Parquet file. Raises ManifestError that names the file and the fault."""
    number = 0
    try:
        for row in _rows(source, name):
            number += 1
            yield f"{name}, row {number}", row
    except (ManifestError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # a damaged file causes dozens of types of errors in Arrow and Python
        where = f"{name}, after row {number}" if number else name
        raise ManifestError(f"{where}: cannot be read as Parquet: {' '.join(str(error).split())}") from None


def _rows(source: BinaryIO, name: str) -> Iterator[Row]:
    metadata = pq.read_metadata(source)
    leaves = [metadata.schema.column(i) for i in range(metadata.num_columns)]
    if any(leaf.path.count(".") > _MAX_DEPTH or leaf.length > CELL for leaf in leaves):
        raise ManifestError(f"{name}: not a manifest: a column is nested too deeply, or its values are too large")
    _check_sizes(metadata, name)
    # Dictionaries hold a repeated text only once.
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    file = pq.ParquetFile(source, metadata=metadata, read_dictionary=texts)
    first = 1
    for batch in file.iter_batches(ROWS_AT_ONCE, columns=_wanted(file.schema_arrow, name), use_threads=False):
        batch.validate(full=True)
        size = sum(
            _check_cells(array, column, first, name)
            for column, array in zip(batch.schema.names, batch.columns, strict=True)
        )
        step = max(1, batch.num_rows) if size <= CELL else 1
        for start in range(0, batch.num_rows, step):
            yield from batch.slice(start, step).to_pylist()
        first += batch.num_rows


def _wanted(schema: pa.Schema, name: str) -> list[str]:
    """Returns the names of all columns except an unnamed index of pandas."""
    check_distinct(schema.names, name)
    try:
        index = (schema.pandas_metadata or {}).get("index_columns", ())
    except (ValueError, RecursionError, AttributeError):
        index = ()  # it was not written by pandas
    unnamed = [column for column in index if isinstance(column, str) and column.startswith("__index_level_")]
    return [column for column in schema.names if column not in unnamed]


def _check_sizes(metadata: pq.FileMetaData, name: str) -> None:
    for group in range(metadata.num_row_groups):
        for i in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(i)
            size, stored = chunk.total_uncompressed_size, chunk.total_compressed_size
            if chunk.num_values > _MAX_VALUES or (size > _MAX_BYTES and size > stored * _MAX_RATIO):
                raise ManifestError(
                    f"{name}: row group {group}, {chunk.path_in_schema}: {chunk.num_values:,} values of {size:,} bytes "
                    f"in {stored:,}; write smaller row groups"
                )


def _check_cells(array: pa.Array, column: str, first: int, name: str) -> int:
    """Returns the bytes of a column of a batch. Raises ManifestError for a cell above the limit."""
    size = _text_bytes(array)
    if size > CELL:
        for i in range(len(array)):
            if _text_bytes(array.slice(i, 1)) > CELL:
                raise too_long(f"{name}, row {first + i}", column)
    return size


def _text_bytes(array: pa.Array) -> int:
    """Returns the bytes that the values of an array need as rows."""
    if isinstance(array, pa.DictionaryArray):
        import pyarrow.compute as pc

        return pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
    if isinstance(array, pa.StructArray):
        return sum(map(_text_bytes, array.flatten()))
    if hasattr(array, "flatten"):  # lists and maps
        items = array.flatten()
        return 8 * len(items) + _text_bytes(items)
    return max(8 * len(array), array.nbytes)
