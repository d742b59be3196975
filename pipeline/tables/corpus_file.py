"""`corpus.json` describes how a corpus was built. Also checks whether a build may replace an existing corpus."""

import importlib.metadata
import platform
import shlex
from typing import Any

import pyarrow as pa

from pipeline.not_built import require_built
from pipeline.tables.damage import naming
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
    "pillow",
    "simplejpeg",
)
CORPUS, MANIFEST = "corpus.json", "manifest.parquet"
_ID = pa.schema([("video_id", pa.string())])
_DROPPED = "select count(*) from before where video_id not in (select video_id from manifest)"


class OtherFormat(ConfigError):
    """The corpus has another format_version. The message contains the remedy."""


class RemovalRefused(ConfigError):
    """A manifest lacks most of the videos of the corpus. The message says how to proceed if this is intended."""


def describe(store: Store, recipe: Config) -> None:
    """Writes corpus.json: all that the bytes of this corpus depend on, therefore no time and no host name."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    versions |= {"python": platform.python_version(), "machine": platform.machine()}
    described = {"format_version": FORMAT_VERSION, "recipe": recipe.model_dump(mode="json"), "versions": versions}
    store.write_json(CORPUS, described)


def read_corpus_file(store: Store) -> dict[str, Any]:
    """Returns the contents of corpus.json. Raises NotBuilt, OtherFormat, or ConfigError if it is damaged."""
    require_built(store, CORPUS, CORPUS)
    found = _read(store)
    if (version := found.get("format_version", 1)) != FORMAT_VERSION:
        raise _other_format(store, version)
    return found


def check_replaces(store: Store, work: Workspace, allow_removal: bool) -> None:
    """Raises an error before a build deletes parts of a corpus that the user may want to keep.

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
    with naming(MANIFEST), store.open(MANIFEST) as source:
        before = work.put("before", (table.select(["video_id"]) for table in read_batches(source)), _ID)
    dropped = work.count(_DROPPED)
    if 2 * dropped > before:
        raise RemovalRefused(
            f"the manifest leaves out {dropped} of the {before} videos of {redacted(store.root)}: give "
            "--allow-removal to have them removed from its tables and shards, or build into another folder"
        )


def _version(store: Store) -> Any:
    """Returns the format_version of the corpus; the current one if it cannot be read, since a build may repair it."""
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
    """Returns the error for a corpus.json that `describe` did not write."""
    return ConfigError(f"{redacted(store.root)}/{CORPUS}: damaged; build the corpus again")


def _other_format(store: Store, version: Any) -> OtherFormat:
    root = redacted(store.root)
    if isinstance(version, int) and version < FORMAT_VERSION:
        command = f"longvid build --manifest MANIFEST --out {shlex.quote(root)}"
        remedy = f"run `{command}` on it, which keeps all units that it still can"
    else:
        remedy = "use the longvid that built it, or a later one"
    return OtherFormat(f"{root}: has format_version {version!r}, this longvid reads {FORMAT_VERSION}: {remedy}")
