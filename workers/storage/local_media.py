"""Where a video's file is read from: the corpus, or the place that the manifest of the running build names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.rejects import Reject
from workers.storage.store import Store


@contextmanager
def local_media(store: Store, unit: Mapping[str, Any]) -> Iterator[Path]:
    """A local path of a video's file, for as long as the block lasts.

    Args:
        store: of the corpus.
        unit: `media`, a path in the corpus; or null for a file that is referenced in place, which lies at `location`.
            `location` comes from the manifest of the running build and never from the corpus, which someone else may
            have written.
    """
    if unit["media"] is None:
        yield Path(required_location(unit))
        return
    with store.local(unit["media"]) as path:
        yield path


def required_location(unit: Mapping[str, Any]) -> str:
    """Where the manifest says that a video's file lies. Raises Reject: `refused` where it may not be read there."""
    if unit["location"] is None:
        raise Reject("refused", "the file lies outside download.root")
    return unit["location"]
