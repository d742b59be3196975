"""Manifest row -> video: the file in the media store, and what demuxing all of it found."""

import hashlib
import importlib
import re
import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, field_serializer, field_validator

from schemas.config import Resources, StageConfig
from schemas.rejects import BuildStopped, Reject
from schemas.stage import Stage
from schemas.tables import MANIFEST, VIDEO
from workers.fetch.access import Access, check, open_local, short_name
from workers.fetch.fetcher import fetch_changed
from workers.fetch.partial_file import FetchLimits, PartialFile, locked
from workers.fetch.redaction import fingerprinted, format_value, redacted, scrub_secrets
from workers.fetch.urls import HttpUrl, LocalUrl, UrlError, parse_url
from workers.local_media import required_location
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


# Folder of a corpus for what is on its way here.
FETCHING = "media/fetching"
# Of signatures: of S3, Google, CloudFront and Azure, and of the usual web server.
IGNORED_PARAMETERS = (
    *("X-Amz-*", "X-Goog-*", "Signature", "Expires", "sig", "token", "AWSAccessKeyId", "GoogleAccessId"),
    *("Key-Pair-Id", "Policy", "se", "st", "ske", "skt"),
)


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
    max_retry_after_s: float = Field(300.0, ge=0, le=7 * 86400.0)
    """Longest pause that a host may ask for and be waited for. A host that asks for more is left alone for that long:
    its videos are rejected as `unreachable`, without being asked for."""
    timeout_s: float = Field(30.0, gt=0)
    """To connect, and between two packets."""
    min_bytes_per_s: int = Field(1024, ge=0)
    """A slower source is given up."""
    max_partial_bytes: int = Field(1 << 40, ge=1)
    """Of all files that are being fetched into a corpus on a disk, or else on a node. What killed builds left goes
    first, the oldest before others."""
    per_host: int = Field(4, ge=1, le=1000)
    """Fetches from one host at once, of all workers on a node."""
    allow_private_addresses: bool = False
    """Fetch from private, loopback and link-local addresses too (an own media server)."""
    buckets: tuple[str, ...] | None = None
    """Buckets and prefixes (`s3://bucket`, `gs://bucket/folder`) that are read with the credentials of the environment;
    all others are read anonymously. Default: the bucket that the manifest lies in."""
    proxy: str = Field("", repr=False)
    """`http://[user:password@]host:port` that http, https and s3 go through; that of the environment is not used. Hosts
    that are known here to be private are refused as ever; one that only the proxy can look up is the proxy's to
    refuse. The library for gs takes the environment's proxy by itself."""
    ca_bundle: str = ""
    """A file of certificates that servers are checked by, on every node, in place of those of certifi."""
    ignored_parameters: tuple[str, ...] = IGNORED_PARAMETERS
    """Patterns of the query parameters that do not identify a file, as those of a signature: a row whose address
    differs in them alone keeps its file. Upper and lower case are the same."""
    any_content_type: bool = False
    """Fetch what a server calls a page, a picture or a document too: the probe says what it is."""
    allow_local_files: bool = False
    """Let a manifest that lies elsewhere (`s3://`, `gs://`) name files of this machine."""
    root: str = ""
    """A folder that the local files of a manifest lie in, subtitles and events too, symbolic links followed; others
    are refused. Empty: anywhere."""
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

    def access(self, folder: str | None = None) -> Access:
        """What the addresses of a manifest may reach.

        Args:
            folder: that the manifest lies in. None: no manifest is at hand, and nothing may be reached.
        """
        own = "/".join(folder.split("/")[:3]) if folder and "://" in folder else ""
        return Access(
            local_files=folder is not None and (not own or self.allow_local_files),
            root=str(Path(self.root).absolute()) if self.root else "",
            buckets=tuple(filter(None, [own])) if self.buckets is None else self.buckets,
            allow_private_addresses=self.allow_private_addresses,
            proxy=self.proxy,
            ca_bundle=self.ca_bundle,
        )

    def fetch_limits(self, access: Access) -> FetchLimits:
        names = {field.name for field in fields(FetchLimits)} & {*type(self).model_fields}
        return FetchLimits(access=access, **{name: getattr(self, name) for name in names})

    @field_validator("buckets")
    @classmethod
    def _check_buckets(cls, buckets: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if bad := [b for b in buckets or () if not re.fullmatch(r"(s3|gs)://[A-Za-z0-9][A-Za-z0-9._-]*(/.*)?", b)]:
            raise ValueError(f"{format_value(bad[0])} is no bucket: write s3://bucket or gs://bucket/folder")
        return buckets

    @field_validator("proxy")
    @classmethod
    def _check_proxy(cls, proxy: str) -> str:
        try:
            assert not proxy or isinstance(parse_url(proxy), HttpUrl)
        except (UrlError, AssertionError):
            raise ValueError("write http://host:port or https://host:port") from None
        return proxy

    @field_serializer("proxy", when_used="json")
    def _redact_proxy(self, proxy: str) -> str:
        """A corpus keeps its recipe, and no password."""
        return redacted(proxy)


def run(unit: dict, config: DownloadConfig, store: Store, access: Access | None = None) -> Iterator[pa.Table]:
    """A table of one VIDEO row. Raises Reject and BuildStopped, as `fetch` and `probe_apart` do.

    The file is read from `location`; `uri` is what the manifest says of it, which may be relative to the manifest.
    Without `access`, that of a manifest of this machine.
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
    """An address as a table holds it: no secrets, and no folder of this machine."""
    return Path(uri).name if uri.startswith("/") else redacted(uri)


def _local(url: LocalUrl, unit: dict, config: DownloadConfig, store: Store) -> tuple[str | None, str, int, dict]:
    path = Path(url.path)
    try:
        open_local(url).close()
    except Reject as rejected:
        raise Reject(rejected.reason, f"{short_name(url.path)}: {rejected.detail}") from None
    if config.media == "reference":
        facts, sha256 = _probe(path, config), _sha256(path, unit)
        return None, sha256, path.stat().st_size, facts
    if path.stat().st_size > config.max_bytes:
        raise Reject("too_large", f"{path.stat().st_size} bytes, above download.max_bytes = {config.max_bytes}")
    return _keep(path, unit, config, store)


def _fetched(unit: dict, config: DownloadConfig, store: Store, access: Access) -> tuple[str, str, int, dict]:
    """Fetches a file once, however often the stage is run and its address is signed anew."""
    uri, notes = unit["location"], _Notes(unit, config, store)
    lock, folder = _fetching(store, f"{notes.key}.lock"), _fetching(store, notes.key)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock):
        media = notes.media()
        if media is None:
            known = notes.of_video()
            try:
                path = _get(uri, folder, config, access, known.get("version") or {})
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
            return media, _sha256(path, unit), store.size(media), _probe(path, config)


class _Notes:
    """What a corpus notes of the files that were fetched, so that none is fetched again.

    By address: another row may name the same one. By video: its address may change where its file does not.
    """

    def __init__(self, unit: dict, config: DownloadConfig, store: Store) -> None:
        self._store, self._unit = store, unit
        self._uri = unit["location"]
        self._address = fingerprinted(self._uri, config.ignored_parameters)
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


def _fetching(store: Store, name: str) -> Path:
    """Where something lies while a file is fetched: in a corpus on a disk, else on the node."""
    return Path(store.full(f"{FETCHING}/{name}")) if store.is_local else node_folder("fetching") / name


def _get(uri: str, folder: Path, config: DownloadConfig, access: Access, known: dict) -> Path | None:
    """The file, by an extractor or the fetcher; None where it is still the one of the version `known`.

    What goes wrong is said without the address' secrets.
    """
    limits = config.fetch_limits(access)
    try:
        if extract := _extractor(uri, config):
            return extract(uri, folder, limits)
        return fetch_changed(uri, folder, limits, known)
    except Reject as rejected:
        raise Reject(rejected.reason, scrub_secrets(rejected.detail, uri)) from None
    except BuildStopped:
        raise
    except Exception:
        raise RuntimeError(scrub_secrets(traceback.format_exc(), uri)) from None


def _extractor(uri: str, config: DownloadConfig) -> Callable[[str, Path, FetchLimits], Path] | None:
    url = parse_url(uri)
    host = f".{url.host}" if isinstance(url, HttpUrl) else ""
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


def stage(config: DownloadConfig, access: Access | None = None) -> Stage:
    """The declaration. Without `access`, no file of this machine is read and no bucket with credentials."""
    known = [MANIFEST.field(name) for name in ("id", "uri", "sha256", "licence", "source", "split")]
    reads = pa.schema([VIDEO.field("video_id"), *known, ("source_stamp", pa.string()), ("location", pa.string())])
    return Stage(
        name="download",
        version=6,
        reads=reads,
        writes=VIDEO,
        run=partial(run, access=access or config.access()),
        config=config,
        passes="rows",
        # The stamp tells of a change in the file; where it lies, and who signed for it, makes no difference.
        located_by=("location", "uri"),
        stands=stands,
        kind="video",
    )
