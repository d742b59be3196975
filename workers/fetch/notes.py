"""Records in a corpus which files were downloaded, so that no file is downloaded twice."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.rows import Row
from workers.fetch.partial_file import State
from workers.fetch.redaction import fingerprinted, redacted

if TYPE_CHECKING:  # the store imports this package
    from workers.storage.store import Store


class FetchNotes:
    """Records what was found out about a video's file.

    A record is found by address, since another row may name the same address, and by video, since the address of a
    video may change while its file does not.
    """

    def __init__(self, unit: Row, ignored: Sequence[str], store: "Store") -> None:
        """Creates the records of one video.

        Args:
            unit: row of the manifest with `location`, `video_id` and `sha256`.
            ignored: patterns of query parameters that do not identify a file.
            store: store of the corpus.
        """
        self._store, self._unit = store, unit
        self._uri = unit["location"]
        self._address = fingerprinted(self._uri, ignored)
        self.key = _short_hash(self._address)
        """Name of the folder of the partial file; independent of how the address is signed."""
        self._by_address = f"media/fetched/{_short_hash(self._uri)}.json"
        self._by_video = f"media/fetched/video-{unit['video_id']}.json"

    def media(self) -> str | None:
        """Returns the path in the media store, if it is certain that the file is the requested one."""
        by_address, by_video = self._read(self._by_address), self.of_video()
        if by_address or by_video.get("address") == self._address:
            return str((by_address or by_video)["media"])
        if sha256 := self._unit["sha256"]:
            return next((p for p in self._store.files(f"media/{sha256[:2]}") if Path(p).stem == sha256), None)
        return None

    def of_video(self) -> dict[str, Any]:
        """Returns the record of the file that the video had last: `media`, `address`, `version`; {} if none."""
        return self._read(self._by_video)

    def write(self, media: str, size: int, version: State) -> None:
        """Records a downloaded file."""
        note = {"media": media, "size_bytes": size, "uri": redacted(self._uri)}
        self._store.write_json(self._by_address, note)
        self._store.write_json(self._by_video, {**note, "address": self._address, "version": version})

    def _read(self, path: str) -> dict[str, Any]:
        """Returns a record if its file exists, is complete and has the requested checksum; else an empty dict."""
        if not self._store.exists(path):
            return {}
        note: dict[str, Any] = self._store.read_json(path)
        media = note["media"]
        is_whole = self._store.exists(media) and self._store.size(media) == note["size_bytes"]
        return note if is_whole and self._unit["sha256"] in (None, Path(media).stem) else {}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
