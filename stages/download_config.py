"""The settings of downloads: what is fetched, from where, and with what patience."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_serializer, field_validator

from schemas.config import Resources, StageConfig
from workers.fetch.access import Access
from workers.fetch.partial_file import FetchLimits
from workers.fetch.redaction import format_value, redacted
from workers.fetch.urls import HttpUrl, UrlError, parse_url
from workers.media.sandboxed import MediaLimits

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
