"""Checks that the media files of a corpus, and those that it references in place, are those that were read."""

import hashlib

from pipeline.inputs.addresses import resolve
from schemas.rejects import Reject
from workers.fetch.access import Access, check, open_local
from workers.fetch.redaction import redacted
from workers.fetch.urls import LocalUrl
from workers.storage.store import Store


def media_problem(store: Store, folder: str, access: Access, row: dict) -> str | None:
    """Returns what is wrong with the file of a video, with the remedy; None: nothing.

    Args:
        folder: of the manifest that names files in place.
        row: name, media (path in the corpus, if it is there), sha256 and uri.
    """
    shown = row["media"] or redacted(row["uri"])
    try:
        found = store.sha256(row["media"]) if row["media"] else _sha256(resolve(row["uri"], folder), access)
    except (FileNotFoundError, Reject) as error:
        if isinstance(error, Reject) and error.reason != "not_found":
            return f"{shown}: the file of video {row['name']!r} is not read: {error.detail}"
        return f"{shown}: the file of video {row['name']!r} is gone. Put it back, or drop its manifest row."
    except (OSError, ValueError) as error:
        return f"{shown}: the file of video {row['name']!r} cannot be read: {error}"
    if found != row["sha256"]:
        return f"{shown}: the file of video {row['name']!r} has changed since it was read. Run the build again."
    return None


def _sha256(location: str, access: Access) -> str:
    url = check(location, access)
    if not isinstance(url, LocalUrl):
        raise Reject("refused", "what was fetched lies in the corpus")
    with open_local(url) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
