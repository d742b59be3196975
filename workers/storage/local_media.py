"""Finds the file of a video: in the corpus, or where the manifest of the running build refers to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.rejects import Reject
from workers.storage.store import Store


@contextmanager
def local_media(store: Store, unit: Mapping[str, Any]) -> Iterator[Path]:
    """Yields a local path of a video's file, valid inside the block.

    Args:
        store: store of the corpus.
        unit: `media`, a path in the corpus, or null if the file is referenced in place at `location`. `location` comes
            from the manifest of the running build and never from the corpus, which is untrusted.
    """
    if unit["media"] is None:
        yield Path(required_location(unit))
        return
    with store.local(unit["media"]) as path:
        yield path


def required_location(unit: Mapping[str, Any]) -> str:
    """Returns the location of a video's file given by the manifest.

    Raises:
        Reject: `refused` if the file may not be read there.
    """
    if unit["location"] is None:
        raise Reject("refused", "the file lies outside download.root")
    return str(unit["location"])
