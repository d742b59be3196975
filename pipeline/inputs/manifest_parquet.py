"""Manifests in Parquet: lengths are looked at before values are made, since a few kB may stand for gigabytes."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.inputs.manifest_rows import CELL_BYTES as CELL
from pipeline.inputs.manifest_rows import ManifestError, Row, check_distinct, too_long

ROWS_AT_ONCE = 256
_MAX_DEPTH = 64
# Of one column in one row group, by the file's own account.
_MAX_VALUES = 1 << 26
_MAX_BYTES, _MAX_RATIO = 1 << 28, 200


def parquet_rows(source: BinaryIO, name: str) -> Iterator[tuple[str, Row]]:
    """Rows of a Parquet file. Raises ManifestError that names the file and what cannot be read."""
    number = 0
    try:
        for row in _rows(source, name):
            number += 1
            yield f"{name}, row {number}", row
    except (ManifestError, MemoryError):
        raise
    except Exception as error:  # of a damaged file: Arrow and Python raise some dozen kinds
        where = f"{name}, after row {number}" if number else name
        raise ManifestError(f"{where}: not Parquet that can be read: {' '.join(str(error).split())}") from None


def _rows(source: BinaryIO, name: str) -> Iterator[Row]:
    metadata = pq.read_metadata(source)
    leaves = [metadata.schema.column(i) for i in range(metadata.num_columns)]
    if any(leaf.path.count(".") > _MAX_DEPTH or leaf.length > CELL for leaf in leaves):
        raise ManifestError(f"{name}: no manifest: a column nested too deeply, or of values of too many bytes")
    _check_account(metadata, name)
    # As dictionaries, so that a text that comes a thousand times is held once.
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
    """Names of all columns but the index of pandas, unless that has a name of its own."""
    check_distinct(schema.names, name)
    try:
        index = (schema.pandas_metadata or {}).get("index_columns", ())
    except (ValueError, RecursionError, AttributeError):
        index = ()  # whoever wrote it, it is no word of pandas
    unnamed = [column for column in index if isinstance(column, str) and column.startswith("__index_level_")]
    return [column for column in schema.names if column not in unnamed]


def _check_account(metadata: pq.FileMetaData, name: str) -> None:
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
    """Bytes of a column of a batch; raises ManifestError for a cell above the limit."""
    size = _text_bytes(array)
    if size > CELL:
        for i in range(len(array)):
            if _text_bytes(array.slice(i, 1)) > CELL:
                raise too_long(f"{name}, row {first + i}", column)
    return size


def _text_bytes(array: pa.Array) -> int:
    """Bytes of all values of an array as its rows would hold them."""
    if isinstance(array, pa.DictionaryArray):
        import pyarrow.compute as pc

        return pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
    if isinstance(array, pa.StructArray):
        return sum(map(_text_bytes, array.flatten()))
    if hasattr(array, "flatten"):  # lists and maps
        items = array.flatten()
        return 8 * len(items) + _text_bytes(items)
    return max(8 * len(array), array.nbytes)
