"""Notes in a corpus on the files that were fetched, so that none is fetched again."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workers.fetch.redaction import fingerprinted, redacted

if TYPE_CHECKING:  # the store takes its connections from this package
    from workers.storage.store import Store


class FetchNotes:
    """What is known of the file of a video.

    By address: another row may name the same one. By video: its address may change where its file does not.
    """

    def __init__(self, unit: dict, ignored: Sequence[str], store: "Store") -> None:
        """Args:
        unit: a row of the manifest, with `location`, `video_id` and `sha256`.
        ignored: patterns of the query parameters that do not identify a file.
        store: of the corpus.
        """
        self._store, self._unit = store, unit
        self._uri = unit["location"]
        self._address = fingerprinted(self._uri, ignored)
        self.key = _short_hash(self._address)
        """Of what is on its way here, however its address is signed."""
        self._by_address = f"media/fetched/{_short_hash(self._uri)}.json"
        self._by_video = f"media/fetched/video-{unit['video_id']}.json"

    def media(self) -> str | None:
        """The file in the media store, where there is no doubt that it is the one."""
        by_address, by_video = self._read(self._by_address), self.of_video()
        if by_address or by_video.get("address") == self._address:
            return (by_address or by_video)["media"]
        if sha256 := self._unit["sha256"]:
            return next((p for p in self._store.files(f"media/{sha256[:2]}") if Path(p).stem == sha256), None)
        return None

    def of_video(self) -> dict:
        """What was noted of the file that the video had last: `media`, `address`, `version`."""
        return self._read(self._by_video)

    def write(self, media: str, size: int, version: dict) -> None:
        note = {"media": media, "size_bytes": size, "uri": redacted(self._uri)}
        self._store.write_json(self._by_address, note)
        self._store.write_json(self._by_video, {**note, "address": self._address, "version": version})

    def _read(self, path: str) -> dict:
        """A note whose file is there, whole and the one that the manifest asks for; else empty."""
        if not self._store.exists(path):
            return {}
        note = self._store.read_json(path)
        media = note["media"]
        is_whole = self._store.exists(media) and self._store.size(media) == note["size_bytes"]
        return note if is_whole and self._unit["sha256"] in (None, Path(media).stem) else {}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
