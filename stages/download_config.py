"""The settings of downloads: which addresses may be opened, and the limits of a download."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_serializer, field_validator

from schemas.config import Resources, StageConfig
from workers.fetch.access import Access
from workers.fetch.limits import FetchLimits, FetchSettings
from workers.fetch.redaction import format_value, redacted
from workers.fetch.urls import HttpUrl, UrlError, parse_url
from workers.media.media_limits import MediaLimits

# Query parameters of signatures: those of S3, Google, CloudFront and Azure, and of common web servers.
IGNORED_PARAMETERS = (
    *("X-Amz-*", "X-Goog-*", "Signature", "Expires", "sig", "token", "AWSAccessKeyId", "GoogleAccessId"),
    *("Key-Pair-Id", "Policy", "se", "st", "ske", "skt"),
)

Extractor = Callable[[str, Path, FetchLimits], Path]
"""Downloads an address into a folder within limits, and returns the path of the file."""


class DownloadConfig(StageConfig, FetchSettings):
    """Sets how videos are downloaded."""

    media: Literal["reference", "copy"] = "reference"
    """Whether local files are referenced in place, or copied into the corpus. Downloads are always stored in the
    corpus."""
    allow_private_addresses: bool = False
    """Whether private, loopback and link-local addresses may be reached (a media server of your own)."""
    buckets: tuple[str, ...] | None = None
    """Buckets and prefixes (`s3://bucket`, `gs://bucket/folder`) that are read with the credentials of the environment;
    all others are read anonymously. Default: the bucket that contains the manifest."""
    proxy: str = Field("", repr=False)
    """Proxy for http, https and s3, `http://[user:password@]host:port`; that of the environment is not used. Hosts that
    resolve to private addresses on this machine are refused; hosts that only the proxy can resolve are left to the
    proxy. The library for gs uses the proxy of the environment."""
    ca_bundle: str = ""
    """File of certificates, present on every node, that servers are verified against instead of those of certifi."""
    ignored_parameters: tuple[str, ...] = IGNORED_PARAMETERS
    """Patterns of query parameters that do not identify a file, such as those of signatures; case-insensitive. A row
    whose address differs only in these keeps its file."""
    allow_local_files: bool = False
    """Whether a manifest on `s3://` or `gs://` may name files of this machine."""
    root: str = ""
    """Folder that must contain all local files named by a manifest, after resolving symbolic links; also subtitles and
    events. Empty: no restriction."""
    extractors: dict[str, str] = {}
    """Host -> `module:function`, for web pages that contain a video (for example, a wrapper of yt-dlp). The function is
    called with the address, a folder and the FetchLimits instead of a download; it returns the path of the file that it
    wrote there, or raises Reject. Subdomains are included; the longest matching host wins."""
    limits: MediaLimits = MediaLimits()
    """Limits of the process that probes the file."""
    resources: Resources = Resources(cpus=0.25, workers=(1, 8))  # mostly waits for the network
    """Resources and number of workers of the stage."""

    def semantic(self) -> dict[str, Any]:
        """Returns the fields that a unit's content depends on; how a file is downloaded does not change it."""
        return {"media": self.media}

    def access(self, folder: str | None = None) -> Access:
        """Returns what the addresses of a manifest may reach.

        Args:
            folder: folder of the manifest. None: there is no manifest, and nothing may be reached.
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
        """Returns the limits of a download with these settings."""
        return FetchLimits(access=access, **{name: getattr(self, name) for name in FetchSettings.model_fields})

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
        """Removes the password, since a corpus contains its recipe."""
        return redacted(proxy)
