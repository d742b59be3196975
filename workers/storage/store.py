"""A corpus on a local path, `s3://` or `gs://`, through pyarrow.fs. A file appears whole or not at all.

Paths come from tables and units, which someone else may have written: each is checked here, whatever it is used for.
"""

import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from workers.fetch.object_store import named_folder
from workers.storage.disk_cache import DiskCache
from workers.storage.safetensors_file import decode_tensors, encode_tensors

# Files being written. In one folder, so that what a killed process left is found without a search.
TEMPORARY = ".tmp"


class PathError(ValueError):
    """A path that does not lie below the root of its store. The message names both."""


class Store:
    """Files below one root, by relative path with forward slashes. Cheap to pickle: the root is all it holds.

    Every method that takes a path raises PathError for one that is absolute, has empty parts, `.` or `..`, or leads
    out of the root by a symbolic link. The root itself may be a link.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root) if "://" in str(root) else str(Path(root).absolute())
        self._fs, self._base = _filesystem(self.root)
        self._real_base = os.path.realpath(self._base or "/") if self.is_local else self._base

    def __reduce__(self) -> tuple:
        return Store, (self.root,)

    @property
    def is_local(self) -> bool:
        return isinstance(self._fs, fs.LocalFileSystem)

    @property
    def filesystem(self) -> fs.FileSystem:
        return self._fs

    def full(self, path: str) -> str:
        """The path as `filesystem` takes it."""
        full = f"{self._base}/{path}"
        if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise PathError(f"{path!r}: no file of {self.root}: use a relative path without empty parts, '.' and '..'")
        if self.is_local and os.path.commonpath([self._real_base, os.path.realpath(full)]) != self._real_base:
            raise PathError(f"{path!r}: a symbolic link leads out of {self.root}: put the file itself there")
        return full

    def exists(self, path: str) -> bool:
        return self._fs.get_file_info(self.full(path)).type == fs.FileType.File

    def size(self, path: str) -> int:
        """Bytes of a file. Raises FileNotFoundError."""
        info = self._fs.get_file_info(self.full(path))
        if info.type != fs.FileType.File:
            raise FileNotFoundError(path)
        return info.size

    def has_folder(self, path: str) -> bool:
        """Whether there is such a folder; in an object store, whether anything lies below it."""
        return self._fs.get_file_info(self.full(path)).type == fs.FileType.Directory

    def files(self, prefix: str) -> Iterator[str]:
        """Relative paths of all files below a folder, sorted; none where there is no such folder.

        Linked folders are not entered.
        """
        folder = self.full(prefix)
        if self.is_local:
            # Arrow's own listing follows links, out of the corpus as well.
            found = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
            paths = [str(path) for path in found if path.is_file()]
        else:
            selector = fs.FileSelector(folder, recursive=True, allow_not_found=True)
            paths = [info.path for info in self._fs.get_file_info(selector) if info.type == fs.FileType.File]
        for path in sorted(paths):
            yield path[len(self._base) + 1 :]

    def delete(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.delete_file(self.full(path))

    def delete_folder(self, path: str) -> None:
        """Deletes a folder and all below it, if it is there."""
        with suppress(FileNotFoundError):
            self._fs.delete_dir(self.full(path))

    @contextmanager
    def writer(self, path: str) -> Iterator[pa.NativeFile]:
        """A stream whose bytes become the file at `path` when the block ends, and leave nothing when it raises."""
        target = self.full(path)
        if self.is_local:
            temporary = self.full(f"{TEMPORARY}/{uuid.uuid4().hex}")
            Path(temporary).parent.mkdir(parents=True, exist_ok=True)
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            try:
                with self._fs.open_output_stream(temporary) as stream:
                    yield stream
                Path(temporary).replace(target)
            finally:
                Path(temporary).unlink(missing_ok=True)
        else:
            # An object appears when its upload completes, and a stream completes it when it's closed, come what may:
            # none is opened before all that it will hold is there.
            with tempfile.TemporaryFile() as spool:
                yield pa.PythonFile(spool, "w")
                spool.seek(0)
                self._upload(spool, target)

    def _upload(self, spool: IO[bytes], target: str) -> None:
        try:
            with self._fs.open_output_stream(target) as stream:
                while block := spool.read(1 << 22):
                    stream.write(block)
        except OSError:
            raise  # an upload that failed is not completed
        except BaseException:
            # An interrupt: closing the stream has completed the object with what was written so far.
            self._fs.delete_file(target)
            raise

    def read_bytes(self, path: str) -> bytes:
        with self._fs.open_input_stream(self.full(path)) as stream:
            return stream.read()

    def write_bytes(self, path: str, data: bytes) -> None:
        with self.writer(path) as stream:
            stream.write(data)

    def open(self, path: str) -> pa.NativeFile:
        """A seekable stream over a file."""
        return self._fs.open_input_file(self.full(path))

    def sha256(self, path: str) -> str:
        """SHA-256 of a file's content, in hex."""
        with self.open(path) as source:
            return sha256_of(source)

    def read_json(self, path: str) -> dict:
        return json.loads(self.read_bytes(path))

    def write_json(self, path: str, value: dict) -> None:
        self.write_bytes(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())

    def read_table(self, path: str, columns: list[str] | None = None) -> pa.Table:
        """A Parquet file, page checksums verified."""
        with self.open(path) as source:
            return pq.ParquetFile(source, page_checksum_verification=True).read(columns)

    def num_rows(self, path: str) -> int:
        """Rows of a Parquet file, as its end tells."""
        with self.open(path) as source:
            return pq.ParquetFile(source).metadata.num_rows

    def write_tables(self, path: str, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Writes tables of one schema as one Parquet file, a row group each; gives the number of rows.

        Metadata of the tables' schemas under keys that begin with `longvid.` becomes the file's.
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
        """What `write_tables` kept under a key; None: nothing."""
        with self.open(path) as source:
            return (pq.ParquetFile(source).metadata.metadata or {}).get(key.encode())

    def read_tensors(self, path: str, sha256: str | None = None) -> dict:
        """Named numpy arrays of a safetensors file.

        Raises ValueError where the data differs from the checksum in the file or, if given, the file from `sha256`.
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

    def write_tensors(self, path: str, tensors: dict) -> str:
        """Writes named numpy arrays as safetensors, the SHA-256 of the data in the metadata; gives that of the file."""
        digest = hashlib.sha256()
        with self.writer(path) as stream:
            for chunk in encode_tensors(tensors, {})[0]:
                stream.write(chunk)
                digest.update(chunk)
        return digest.hexdigest()

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """A local path of a file whose content never changes, for libraries that need one, while the block lasts."""
        if self.is_local:
            yield Path(self.full(path))
            return

        def fetch(target: IO[bytes]) -> None:
            with self._fs.open_input_stream(self.full(path)) as source:
                while block := source.read(1 << 22):
                    target.write(block)

        # The size: a damaged file is replaced by the build.
        key = hashlib.sha256(f"{self.root}\0{path}\0{self.size(path)}".encode()).hexdigest()[:32]
        with DiskCache().use(key, fetch) as copy:
            yield copy


def sha256_of(stream: Any) -> str:
    """SHA-256 of what is left of a binary stream, in hex."""
    found = hashlib.sha256()
    while block := stream.read(1 << 22):
        found.update(block)
    return found.hexdigest()


def open_file(folder: str, name: str) -> pa.NativeFile:
    """A seekable stream over a file that the user named, which may be a link: on a disk, `s3://` or `gs://`."""
    filesystem, base = _filesystem(folder)
    return filesystem.open_input_file(f"{base}/{name}")


def _filesystem(root: str) -> tuple[fs.FileSystem, str]:
    if "://" not in root:
        return fs.LocalFileSystem(), root.rstrip("/")
    return named_folder(root)
