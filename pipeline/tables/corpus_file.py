"""`corpus.json`, which says what a corpus was built with; and whether a build may replace what is there."""

import importlib.metadata
import platform
from typing import Any

import pyarrow as pa

from pipeline.not_built import require_built
from pipeline.tables.workspace import Workspace, read_batches
from schemas.config import Config, ConfigError
from schemas.tables import FORMAT_VERSION
from workers.fetch.redaction import redacted
from workers.storage.store import Store

VERSIONS = (
    "ray",
    "pyarrow",
    "torch",
    "torchvision",
    "open-clip-torch",
    "av",
    "decord",
    "webdataset",
    "safetensors",
    "pysubs2",
    "charset-normalizer",
)
CORPUS, MANIFEST = "corpus.json", "manifest.parquet"
_ID = pa.schema([("video_id", pa.string())])
_DROPPED = "select count(*) from before where video_id not in (select video_id from manifest)"


class OtherFormat(ConfigError):
    """A corpus of another format_version. The message says what to do."""


class RemovalRefused(ConfigError):
    """A manifest leaves out most of what a corpus holds. The message says what to do where that is meant."""


def describe(store: Store, recipe: Config) -> None:
    """Writes corpus.json: what the bytes of this corpus depend on, so no clock and no host name."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    versions |= {"python": platform.python_version(), "machine": platform.machine()}
    described = {"format_version": FORMAT_VERSION, "recipe": recipe.model_dump(mode="json"), "versions": versions}
    store.write_json(CORPUS, described)


def read_corpus_file(store: Store) -> dict[str, Any]:
    """What corpus.json says. Raises NotBuilt, OtherFormat, or ConfigError where it is damaged."""
    require_built(store, CORPUS, CORPUS)
    found = _read(store)
    if (version := found.get("format_version", 1)) != FORMAT_VERSION:
        raise _other_format(store, version)
    return found


def check_replaces(store: Store, work: Workspace, allow_removal: bool) -> None:
    """Raises before a build takes from a corpus what its user may want to keep.

    Args:
        store: of the corpus.
        work: has the table `manifest`, of the build.
        allow_removal: the user wants videos to go.

    Raises:
        OtherFormat: a later longvid has built it.
        RemovalRefused: the manifest leaves out more than half of its videos.
    """
    version = _version(store)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise _other_format(store, version)
    if allow_removal or not store.exists(MANIFEST):
        return
    with store.open(MANIFEST) as source:
        before = work.put("before", (table.select(["video_id"]) for table in read_batches(source)), _ID)
    dropped = work.count(_DROPPED)
    if 2 * dropped > before:
        raise RemovalRefused(
            f"the manifest leaves out {dropped} of the {before} videos of {redacted(store.root)}: give "
            "--allow-removal to have them removed from its tables and shards, or build into another folder"
        )


def _version(store: Store) -> Any:
    """The format_version of what is there; that of this longvid where nothing readable is, which a build may mend."""
    try:
        return _read(store).get("format_version", 1) if store.exists(CORPUS) else FORMAT_VERSION
    except ConfigError:
        return FORMAT_VERSION


def _read(store: Store) -> dict[str, Any]:
    try:
        found = store.read_json(CORPUS)
    except (ValueError, RecursionError):
        raise damaged(store) from None
    if not isinstance(found, dict):
        raise damaged(store)
    return found


def damaged(store: Store) -> ConfigError:
    """The error for a corpus.json that is not what describe wrote."""
    return ConfigError(f"{redacted(store.root)}/{CORPUS}: damaged; build the corpus again")


def _other_format(store: Store, version: Any) -> OtherFormat:
    root = redacted(store.root)
    if isinstance(version, int) and version < FORMAT_VERSION:
        remedy = f"run `longvid build --manifest MANIFEST --out {root}` on it, which keeps all units that it still can"
    else:
        remedy = "use the longvid that built it, or a later one"
    return OtherFormat(f"{root}: has format_version {version!r}, this longvid reads {FORMAT_VERSION}: {remedy}")
