"""Files on a local path, `s3://` or `gs://`, through pyarrow.fs. A file appears completely or not at all.

Paths come from tables and units, which are untrusted: each path is checked here, whatever it is used for.
"""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow import fs

from workers.fetch.filesystems import named_folder
from workers.storage.disk_cache import DiskCache

# Folder of incomplete files; a single one, so that files left by a killed process are found without a search.
TEMPORARY = ".tmp"
COPY_BYTES = 1 << 22  # per read of a copy: few requests to an object store


class PathError(ValueError):
    """A path does not lie below the root of its store. The message names both."""


class Files:
    """Holds files below one root, by relative paths with forward slashes. Only the root is pickled.

    Every method that takes a path raises PathError if the path is absolute, contains empty parts, `.` or `..`, or leads
    out of the root through a symbolic link. The root itself may be a link.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root) if "://" in str(root) else str(Path(root).absolute())
        self._fs, self._base = _filesystem(self.root)
        self._real_base = os.path.realpath(self._base or "/") if self.is_local else self._base

    def __reduce__(self) -> tuple[type["Files"], tuple[str]]:
        return type(self), (self.root,)

    @property
    def is_local(self) -> bool:
        """Returns whether the root is a folder of this machine."""
        return isinstance(self._fs, fs.LocalFileSystem)

    @property
    def filesystem(self) -> fs.FileSystem:
        """Returns the pyarrow file system that contains the root; it takes the paths that `full` returns."""
        return self._fs

    def full(self, path: str) -> str:
        """Checks a path and returns it in the form that `filesystem` takes."""
        full = f"{self._base}/{path}"
        if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise PathError(f"{path!r}: no file of {self.root}: use a relative path without empty parts, '.' and '..'")
        if self.is_local and os.path.commonpath([self._real_base, os.path.realpath(full)]) != self._real_base:
            raise PathError(f"{path!r}: a symbolic link leads out of {self.root}: put the file itself there")
        return full

    def exists(self, path: str) -> bool:
        """Returns whether there is a file of this path; a folder does not count."""
        return bool(self._info(path).is_file)

    def size(self, path: str) -> int:
        """Returns the size of a file in bytes. Raises FileNotFoundError."""
        info = self._info(path)
        if not info.is_file:
            raise FileNotFoundError(path)
        return int(info.size)

    def has_folder(self, path: str) -> bool:
        """Returns whether there is such a folder; in an object store, whether there are objects below it."""
        return bool(self._info(path).type == fs.FileType.Directory)

    def _info(self, path: str) -> fs.FileInfo:
        return self._fs.get_file_info(self.full(path))

    def files(self, prefix: str) -> Iterator[str]:
        """Yields the relative paths of all files below a folder, sorted; none if there is no such folder.

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
        """Deletes a file, if it exists."""
        with suppress(FileNotFoundError):
            self._fs.delete_file(self.full(path))

    def delete_folder(self, path: str) -> None:
        """Deletes a folder with its content, if it exists."""
        with suppress(FileNotFoundError):
            self._fs.delete_dir(self.full(path))

    @contextmanager
    def writer(self, path: str) -> Iterator[pa.NativeFile]:
        """Yields a stream; its bytes become the file `path` when the block ends, and are discarded if it raises."""
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
            # Closing the stream of an object completes its upload even after an error, so it is opened only when all
            # data is available.
            with tempfile.TemporaryFile() as spool:
                yield pa.PythonFile(spool, "w")
                spool.seek(0)
                self._upload(spool, target)

    def _upload(self, spool: IO[bytes], target: str) -> None:
        try:
            with self._fs.open_output_stream(target) as stream:
                shutil.copyfileobj(spool, stream, COPY_BYTES)
        except OSError:
            raise  # an upload that failed is not completed
        except BaseException:
            # After an interrupt, closing the stream has completed the object with the data written so far.
            self._fs.delete_file(target)
            raise

    def read_bytes(self, path: str) -> bytes:
        """Returns the content of a file."""
        with self._fs.open_input_stream(self._plain(path)) as stream:
            return bytes(stream.read())

    def write_bytes(self, path: str, data: bytes) -> None:
        """Writes a file, replacing an existing one."""
        with self.writer(path) as stream:
            stream.write(data)

    def open(self, path: str) -> pa.NativeFile:
        """Opens a file as a seekable stream."""
        return self._fs.open_input_file(self._plain(path))

    def _plain(self, path: str) -> str:
        """Returns `full`. Raises PathError for what is there and is no file."""
        if _waits(self._fs, full := self.full(path)):
            raise PathError(f"{path!r}: is no plain file of {self.root}: delete it")
        return full

    def sha256(self, path: str) -> str:
        """Returns the SHA-256 of a file's content, in hex."""
        with self.open(path) as source:
            return hashlib.file_digest(source, "sha256").hexdigest()

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """Yields a local path of a file whose content never changes, valid inside the block."""
        if self.is_local:
            yield Path(self.full(path))
            return

        def fetch(target: IO[bytes]) -> None:
            with self._fs.open_input_stream(self._plain(path)) as source:
                shutil.copyfileobj(source, target, COPY_BYTES)

        # The size is part of the key since the build replaces damaged files.
        key = hashlib.sha256(f"{self.root}\0{path}\0{self.size(path)}".encode()).hexdigest()[:32]
        with DiskCache().use(key, fetch) as copy:
            yield copy


def open_file(folder: str, name: str) -> pa.NativeFile:
    """Opens a file named by the user (on a disk, `s3://` or `gs://`; links are followed) as a seekable stream.

    Raises:
        PathError: something other than a file is there, such as a named pipe.
        ConfigError: see `named_folder`.
        OSError: the file is missing or cannot be read.
    """
    filesystem, base = _filesystem(folder)
    if _waits(filesystem, path := f"{base}/{name}"):
        raise PathError(f"{path}: is no plain file")
    return filesystem.open_input_file(path)


def _waits(filesystem: fs.FileSystem, path: str) -> bool:
    """Returns whether something other than a file is there: a named pipe would be waited for when it is opened."""
    return isinstance(filesystem, fs.LocalFileSystem) and Path(path).exists() and not Path(path).is_file()


def _filesystem(root: str) -> tuple[fs.FileSystem, str]:
    if "://" not in root:
        return fs.LocalFileSystem(), root.rstrip("/")
    return named_folder(root)
