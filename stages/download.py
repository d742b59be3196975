"""download: stores the file of a manifest row and probes it by demuxing it completely. Row -> video, 1:1."""

import hashlib
import importlib
import shutil
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from schemas.rejects import BuildStopped, Reject
from schemas.rows import Row
from schemas.stage import Stage
from schemas.tables.media import MANIFEST, VIDEO
from stages.download_config import DownloadConfig as DownloadConfig  # as other modules of stages have theirs
from stages.download_config import Extractor
from workers.fetch.access import Access, check, open_local, short_name
from workers.fetch.notes import FetchNotes
from workers.fetch.partial_file import PartialFile, State
from workers.fetch.redaction import redacted, scrub_secrets
from workers.fetch.urls import HttpUrl, LocalUrl, parse_url
from workers.media.sandboxed import probe_in_sandbox
from workers.storage.file_lock import locked
from workers.storage.files import COPY_BYTES
from workers.storage.local_media import required_location
from workers.storage.scratch import scratch_folder
from workers.storage.store import Store

# Extensions by the container that the demuxer found; untrusted names are never part of a path.
_EXTENSIONS = {
    "mov,mp4,m4a,3gp,3g2,mj2": ".mp4",
    "matroska,webm": ".mkv",
    "avi": ".avi",
    "mpegts": ".ts",
    "mpeg": ".mpg",
    "flv": ".flv",
    "asf": ".wmv",
    "rm": ".rm",
    "ogg": ".ogv",
}

# Folder of a corpus for incomplete downloads.
FETCHING = "media/fetching"


def run(unit: Row, config: DownloadConfig, store: Store, access: Access | None = None) -> Iterator[pa.Table]:
    """Yields a table of one VIDEO row.

    The file is read from `location`; `uri` is the address in the manifest, which may be relative to the manifest.
    Without `access`, that of a manifest on this machine applies.

    Raises:
        Reject: as `fetch` and `probe_in_sandbox`; also `checksum_mismatch`.
        BuildStopped: as `fetch`.
    """
    location, access = required_location(unit), access or config.access("")
    if isinstance(url := check(location, access), LocalUrl):
        media, sha256, size, facts = _local(url, unit, config, store)
    else:
        media, sha256, size, facts = _fetched(unit, config, store, access)
    row = {
        "video_id": unit["video_id"],
        "name": unit["id"],
        "uri": _published(unit["uri"]),
        "media": media,
        "sha256": sha256,
        "size_bytes": size,
        **{name: unit[name] for name in ("licence", "source", "split")},
        **facts,
    }
    yield pa.Table.from_pylist([row], schema=VIDEO)


def _published(uri: str) -> str:
    """Returns an address for tables, without secrets and folders of this machine."""
    return Path(uri).name if uri.startswith("/") else redacted(uri)


def _local(url: LocalUrl, unit: Row, config: DownloadConfig, store: Store) -> tuple[str | None, str, int, Row]:
    path = Path(url.path)
    try:
        open_local(url).close()
    except Reject as rejected:
        raise Reject(rejected.reason, f"{short_name(url.path)}: {rejected.detail}") from None
    if config.media == "reference":
        facts, sha256 = probe_in_sandbox(path, config.limits), _sha256(path, unit)
        return None, sha256, path.stat().st_size, facts
    if path.stat().st_size > config.max_bytes:
        raise Reject("too_large", f"{path.stat().st_size} bytes, above download.max_bytes = {config.max_bytes}")
    return _keep(path, unit, config, store)


def _fetched(unit: Row, config: DownloadConfig, store: Store, access: Access) -> tuple[str, str, int, Row]:
    """Fetches a file once, even if the stage runs several times or the address is signed again."""
    uri, notes = unit["location"], FetchNotes(unit, config.ignored_parameters, store)
    lock, folder = _fetching(store, f"{notes.key}.lock"), _fetching(store, notes.key)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock):
        media = notes.media()
        if media is None:
            known = notes.of_video()
            try:
                path = _get(uri, folder, config, access, known.get("version") or State())
                kept = _keep(path, unit, config, store) if path else None
            except Reject:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            version = PartialFile(folder, config.fetch_limits(access)).version() if path else known["version"]
            media = kept[0] if kept else known["media"]
            notes.write(media, store.size(media), version)
            shutil.rmtree(folder, ignore_errors=True)
            if kept:
                return kept
        with store.local(media) as path:
            return media, _sha256(path, unit), store.size(media), probe_in_sandbox(path, config.limits)


def _fetching(store: Store, name: str) -> Path:
    """Returns the path of a partial file or its lock: in the corpus if that is on a disk, else on the node."""
    return Path(store.full(f"{FETCHING}/{name}")) if store.is_local else scratch_folder("fetching") / name


def _get(uri: str, folder: Path, config: DownloadConfig, access: Access, known: State) -> Path | None:
    """Downloads the file by an extractor or the fetcher; returns None if it is still the version `known`.

    Error messages do not contain the secrets of the address.
    """
    limits = config.fetch_limits(access)
    try:
        if extract := _extractor(uri, config):
            return extract(uri, folder, limits)
        from workers.fetch.fetcher import fetch  # with an HTTP client, which commands do not need

        return fetch(uri, folder, limits, known)
    except Reject as rejected:
        raise Reject(rejected.reason, scrub_secrets(rejected.detail, uri)) from None
    except BuildStopped:
        raise
    except Exception:  # noqa: BLE001  # any message or traceback may contain the address
        raise RuntimeError(scrub_secrets(traceback.format_exc(), uri)) from None


def _extractor(uri: str, config: DownloadConfig) -> Extractor | None:
    url = parse_url(uri)
    host = f".{url.host}" if isinstance(url, HttpUrl) else ""
    for known in sorted(config.extractors, key=len, reverse=True):
        if host.endswith(f".{known.lower()}"):
            module, _, name = config.extractors[known].partition(":")
            extractor: Extractor = getattr(importlib.import_module(module), name)
            return extractor
    return None


def _keep(path: Path, unit: Row, config: DownloadConfig, store: Store) -> tuple[str, str, int, Row]:
    """Stores a file in the media store under its hash. Equal files are stored once."""
    facts, sha256, size = probe_in_sandbox(path, config.limits), _sha256(path, unit), path.stat().st_size
    media = f"media/{sha256[:2]}/{sha256}{_EXTENSIONS.get(facts['container'], '.bin')}"
    if not store.exists(media) or store.size(media) != size:
        with path.open("rb") as source, store.writer(media) as target:
            shutil.copyfileobj(source, target, COPY_BYTES)
    return media, sha256, size, facts


def _sha256(path: Path, unit: Row) -> str:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    wanted = (unit["sha256"] or "").strip().lower()
    if wanted and wanted != found:
        raise Reject("checksum_mismatch", f"sha256 is {found}, the manifest says {wanted[:64]}")
    return found


def is_complete(unit: Row, store: Store) -> bool:
    """Returns whether the media file of a committed unit exists."""
    row = store.read_table(unit["unit_path"], ["media", "size_bytes"]).to_pylist()[0]
    if row["media"] is None:
        return True  # referenced in place: the unit's path depends on source_stamp
    return store.exists(row["media"]) and store.size(row["media"]) == row["size_bytes"]


def stage(config: DownloadConfig, access: Access | None = None) -> Stage:
    """Declares the stage. Without `access`, it reads neither files of this machine nor buckets with credentials."""
    known = [MANIFEST.field(name) for name in ("id", "uri", "sha256", "licence", "source", "split")]
    reads = pa.schema([VIDEO.field("video_id"), *known, ("source_stamp", pa.string()), ("location", pa.string())])
    return Stage(
        name="download",
        version=7,
        reads=reads,
        writes=VIDEO,
        run=partial(run, access=access or config.access()),
        config=config,
        emits="rows",
        # `source_stamp` changes with the file; its location and the signature of its address do not matter.
        cache_key_excludes=("location", "uri"),
        is_complete=is_complete,
        kind="video",
    )
