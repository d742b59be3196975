"""The store of a corpus: its JSON, Parquet and safetensors files, with checksums."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workers.storage.files import Files
from workers.storage.safetensors_file import Tensors, decode_tensors, encode_tensors

MAX_JSON_BYTES = 1 << 24  # its values may take 25 times as much memory
_ROWS = 4096  # read at once


class Store(Files):
    """Holds the files of a corpus. Every method that takes a path raises PathError, as `Files` does."""

    def read_json(self, path: str) -> Any:
        """Returns the value of a JSON file, which is untrusted. Raises ValueError if it has none, or is too large."""
        with self.open(path) as stream:
            if (size := stream.size()) > MAX_JSON_BYTES:
                raise ValueError(f"{path}: has {size} bytes; {MAX_JSON_BYTES} are allowed")
            data = stream.read()
        try:
            return json.loads(data)
        except RecursionError:
            raise ValueError(f"{path}: nested too deeply") from None

    def write_json(self, path: str, value: dict[str, Any]) -> None:
        """Writes a dict as a JSON file with sorted keys, one per line."""
        self.write_bytes(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())

    def read_table(self, path: str, columns: list[str] | None = None) -> pa.Table:
        """Reads a Parquet file or some of its columns, and verifies the checksums of the pages."""
        with self.open(path) as source:
            return pq.ParquetFile(source, page_checksum_verification=True).read(columns)

    def read_rows(self, path: str, columns: list[str] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Yields the rows of a Parquet file, or some columns of them, a few thousand at a time."""
        with self.open(path) as source:
            for batch in pq.ParquetFile(source, page_checksum_verification=True).iter_batches(_ROWS, columns=columns):
                yield batch.to_pylist()

    def row_groups(self, path: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yields a table per row group of a Parquet file, as `read_table` reads it; one is held in memory at a time."""
        with self.open(path) as source:
            file = pq.ParquetFile(source, page_checksum_verification=True)
            for number in range(file.num_row_groups):
                yield file.read_row_group(number, columns)

    def num_rows(self, path: str) -> int:
        """Returns the number of rows of a Parquet file, as its footer states it."""
        with self.open(path) as source:
            return int(pq.ParquetFile(source).metadata.num_rows)

    def write_tables(self, path: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Writes tables of one schema as one Parquet file with a row group per table; returns the number of rows.

        Metadata of the tables' schemas under keys that begin with `longvid.` becomes metadata of the file.
        """
        rows = 0
        with (
            self.writer(path) as stream,
            pq.ParquetWriter(stream, schema, compression="zstd", write_page_checksum=True) as writer,
        ):
            for table in tables:
                writer.write_table(table.select(schema.names).cast(schema))
                rows += table.num_rows
                own = {k: v for k, v in (table.schema.metadata or {}).items() if k.startswith(b"longvid.")}
                if own:
                    writer.add_key_value_metadata(own)
        return rows

    def read_metadata(self, path: str, key: str) -> bytes | None:
        """Returns the metadata that `write_tables` stored under a key, or None."""
        with self.open(path) as source:
            return (pq.ParquetFile(source).metadata.metadata or {}).get(key.encode())

    def read_tensors(self, path: str, sha256: str | None = None) -> Tensors:
        """Reads the named numpy arrays of a safetensors file.

        Raises:
            ValueError: the data differs from the checksum in the file or, if given, the file differs from `sha256`.
        """
        data = bytearray(self.size(path))  # not bytes: the arrays, which share its memory, may be written to
        with self.open(path) as stream:
            stream.readinto(data)
        try:
            if sha256 is not None and sha256 != hashlib.sha256(data).hexdigest():
                raise ValueError("the data differs from its checksum")
            return decode_tensors(data, verify=sha256 is None)[0]
        except ValueError as error:
            raise ValueError(f"{path}: {error}; delete the file and build again") from None

    def write_tensors(self, path: str, tensors: Tensors) -> str:
        """Writes named numpy arrays as a safetensors file with a checksum of the data; returns the file's SHA-256."""
        digest = hashlib.sha256()
        with self.writer(path) as stream:
            for chunk in encode_tensors(tensors, {})[0]:
                stream.write(chunk)
                digest.update(chunk)
        return digest.hexdigest()
