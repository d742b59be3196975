"""Manifest row -> video: the file in the media store, and what demuxing all of it found."""

import hashlib
import importlib
import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from pydantic import Field

from schemas.config import Resources, StageConfig
from schemas.rejects import Reject
from schemas.stage import Stage
from schemas.tables import MANIFEST, VIDEO
from workers.fetch.fetcher import fetch
from workers.fetch.partial_file import FetchLimits, locked
from workers.fetch.urls import redacted, without_secrets
from workers.media_process import MediaLimits, media_process, probe_apart
from workers.node_folder import node_folder
from workers.storage import Store, sha256_of

# Extensions by what the demuxer found; a name given by a stranger is never part of a path.
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


class DownloadConfig(StageConfig):
    """Config of the download stage."""

    media: Literal["reference", "copy"] = "reference"
    """Local files stay where they are, or are copied into the corpus. What is fetched always lies in the corpus."""
    max_bytes: int = Field(64 << 30, ge=1)
    """Largest file that is fetched or copied."""
    max_seconds: float = Field(6 * 3600.0, gt=0)
    """Longest time a fetch may take, all attempts together."""
    attempts: int = Field(6, ge=1, le=100)
    """Attempts of a fetch; each goes on where the last one stopped."""
    backoff_s: float = Field(1.0, ge=0)
    """First wait between attempts; doubles, with jitter. A server's Retry-After goes before it."""
    timeout_s: float = Field(30.0, gt=0)
    """To connect, and between two packets."""
    min_bytes_per_s: int = Field(1024, ge=0)
    """A slower source is given up."""
    per_host: int = Field(4, ge=1, le=1000)
    """Fetches from one host at once, of all workers on a node."""
    allow_private_addresses: bool = False
    """Fetch from private, loopback and link-local addresses too (an own media server)."""
    any_content_type: bool = False
    """Fetch what a server calls a page, a picture or a document too: the probe says what it is."""
    allow_local_files: bool = False
    """Let a manifest that lies elsewhere (`s3://`, `gs://`) name files of this machine."""
    extractors: dict[str, str] = {}
    """Host -> `module:function`, for pages that hold a video (an own wrapper of yt-dlp, say): called with the address,
    a folder and the FetchLimits in place of fetching, it gives the path of the file it put there or raises Reject.
    Subdomains count; the longest host goes first."""
    user_agent: str = "longvid"
    """How the fetcher names itself to servers; an address to complain to belongs in it."""
    limits: MediaLimits = MediaLimits()
    """Of the process that probes the file."""
    resources: Resources = Resources(cpus=0.25, workers=(1, 8))  # waits for the network nearly all of the time
    """Where and how wide it runs."""

    def semantic(self) -> dict[str, Any]:
        """Only what the rows depend on: how a file was fetched doesn't change it."""
        return {"media": self.media}

    def fetch_limits(self) -> FetchLimits:
        known: dict[str, Any] = {field.name: getattr(self, field.name, field.default) for field in fields(FetchLimits)}
        return FetchLimits(**known)


def run(unit: dict, config: DownloadConfig, store: Store) -> Iterator[pa.Table]:
    """A table of one VIDEO row. Raises Reject, as `fetch` and `probe_apart` do.

    The file is read from `location`; `uri` is what the manifest says of it, which may be relative to the manifest.
    """
    uri = unit["location"]
    scheme = urlsplit(uri).scheme.lower() if "://" in uri else ""
    if scheme in ("", "file"):
        media, sha256, size, facts = _local(Path(unquote(urlsplit(uri).path) if scheme else uri), unit, config, store)
    else:
        media, sha256, size, facts = _fetched(unit, config, store)
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
    """An address as a table holds it: no secrets, and no folder of this machine."""
    return Path(uri).name if uri.startswith("/") else redacted(uri)


def _local(path: Path, unit: dict, config: DownloadConfig, store: Store) -> tuple[str | None, str, int, dict]:
    path = path.absolute()
    if not path.is_file():
        raise Reject("not_found", f"{path.name}: no such file")
    if config.media == "reference":
        facts, sha256 = _probe(path, config), _sha256(path, unit)
        return None, sha256, path.stat().st_size, facts
    if path.stat().st_size > config.max_bytes:
        raise Reject("too_large", f"{path.stat().st_size} bytes, above download.max_bytes = {config.max_bytes}")
    return _keep(path, unit, config, store)


def _fetched(unit: dict, config: DownloadConfig, store: Store) -> tuple[str, str, int, dict]:
    """Fetches a file once, however often the stage is run: a finished fetch leaves a note of where its file lies."""
    uri = unit["location"]
    key = hashlib.sha256(uri.encode()).hexdigest()[:32]
    note = f"media/fetched/{key}.json"
    lock, folder = _fetching(store, f"{key}.lock"), _fetching(store, key)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock):
        if store.exists(note):
            known = store.read_json(note)
            if store.exists(known["media"]) and store.size(known["media"]) == known["size_bytes"]:
                with store.local(known["media"]) as path:
                    return known["media"], _sha256(path, unit), known["size_bytes"], _probe(path, config)
        try:
            kept = _keep(_get(uri, folder, config), unit, config, store)
        except Reject as rejected:
            if rejected.reason not in ("incomplete", "unreachable"):  # nothing to go on with
                shutil.rmtree(folder, ignore_errors=True)
            raise
        store.write_json(note, {"media": kept[0], "size_bytes": kept[2], "uri": redacted(uri)})
        shutil.rmtree(folder, ignore_errors=True)
        return kept


def _fetching(store: Store, name: str) -> Path:
    """Where something lies while a file is fetched: in a corpus on a disk, else on the node."""
    return Path(store.full(f"media/fetching/{name}")) if store.is_local else node_folder("fetching") / name


def _get(uri: str, folder: Path, config: DownloadConfig) -> Path:
    """The file, by an extractor or the fetcher. What goes wrong is said without the address' secrets."""
    try:
        return (_extractor(uri, config) or fetch)(uri, folder, config.fetch_limits())
    except Reject as rejected:
        raise Reject(rejected.reason, without_secrets(rejected.detail, uri)) from None
    except Exception:
        raise RuntimeError(without_secrets(traceback.format_exc(), uri)) from None


def _extractor(uri: str, config: DownloadConfig) -> Callable[[str, Path, FetchLimits], Path] | None:
    host = f".{urlsplit(uri).hostname}"
    for known in sorted(config.extractors, key=len, reverse=True):
        if host.endswith(f".{known.lower()}"):
            module, _, name = config.extractors[known].partition(":")
            return getattr(importlib.import_module(module), name)
    return None


def _keep(path: Path, unit: dict, config: DownloadConfig, store: Store) -> tuple[str, str, int, dict]:
    """Puts a file into the media store under its hash. Equal files are kept once."""
    facts, sha256, size = _probe(path, config), _sha256(path, unit), path.stat().st_size
    media = f"media/{sha256[:2]}/{sha256}{_EXTENSIONS.get(facts['container'], '.bin')}"
    if not store.exists(media) or store.size(media) != size:
        with path.open("rb") as source, store.writer(media) as target:
            while block := source.read(1 << 22):
                target.write(block)
    return media, sha256, size, facts


def _probe(path: Path, config: DownloadConfig) -> dict:
    return probe_apart(media_process(config.limits), path)


def _sha256(path: Path, unit: dict) -> str:
    with path.open("rb") as file:
        found = sha256_of(file)
    wanted = (unit["sha256"] or "").strip().lower()
    if wanted and wanted != found:
        raise Reject("checksum_mismatch", f"sha256 is {found}, the manifest says {wanted[:64]}")
    return found


def stands(unit: dict, store: Store) -> bool:
    """Whether the media file of a committed unit is there."""
    row = store.read_table(unit["unit_path"], ["media", "size_bytes"]).to_pylist()[0]
    if row["media"] is None:
        return True  # referenced in place: source_stamp, which the unit's path holds, says so
    return store.exists(row["media"]) and store.size(row["media"]) == row["size_bytes"]


def stage(config: DownloadConfig) -> Stage:
    """The declaration."""
    known = [MANIFEST.field(name) for name in ("id", "uri", "sha256", "licence", "source", "split")]
    reads = pa.schema([VIDEO.field("video_id"), *known, ("source_stamp", pa.string()), ("location", pa.string())])
    return Stage(
        name="download",
        version=4,
        reads=reads,
        writes=VIDEO,
        run=run,
        config=config,
        passes="rows",
        located_by=("location",),
        stands=stands,
        kind="video",
    )
