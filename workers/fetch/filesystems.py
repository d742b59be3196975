"""File systems of pyarrow for s3:// and gs://, with credentials if configured, else anonymous."""

import os
import re
from datetime import timedelta
from functools import lru_cache
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from schemas.config_error import ConfigError
from workers.fetch.access import Access, uses_credentials
from workers.fetch.redaction import redacted, scrub_secrets
from workers.fetch.urls import ObjectUrl

_OPTIONS = re.compile(r"\?[a-z_]+=.*$")


def named_folder(address: str) -> tuple[fs.FileSystem, str]:
    """Returns the file system of an `s3://`, `gs://` or `file://` folder named by the user, and the path in it.

    The credentials of the environment are used. A key is taken literally; Arrow options (`?endpoint_override=...`) may
    follow.

    Raises:
        ConfigError: the address cannot be used.
    """
    scheme, _, rest = address.partition("://")
    key = ""
    if scheme in ("s3", "gs"):
        options = _OPTIONS.search(rest)
        bucket, slash, key = rest[: options.start() if options else None].partition("/")
        key, rest = slash + key, f"{bucket}{options[0] if options else ''}"
    try:
        filesystem, base = fs.FileSystem.from_uri(f"{scheme}://{rest}")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(f"{redacted(address)}: cannot be used: {scrub_secrets(str(error), address)}") from None
    return filesystem, f"{base}{key}".rstrip("/")


def filesystem_of(url: ObjectUrl, access: Access) -> fs.FileSystem:
    """Returns the file system that contains an object, with credentials if they are configured for its bucket."""
    if url.scheme == "gs":
        return _gcs(uses_credentials(url, access))
    # Only the environment can set another service; a manifest cannot.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return _s3(url.bucket, uses_credentials(url, access), access.proxy, access.ca_bundle, endpoint)


@lru_cache(maxsize=256)
def _gcs(credentials: bool) -> fs.FileSystem:
    return fs.GcsFileSystem(anonymous=not credentials, retry_time_limit=timedelta(seconds=30))


@lru_cache(maxsize=256)
def _s3(bucket: str, credentials: bool, proxy: str, ca_bundle: str, endpoint: str) -> fs.FileSystem:
    server = urlsplit(endpoint)
    return fs.S3FileSystem(
        anonymous=not credentials,
        # The region lookup does not use the proxy; behind one, set AWS_REGION.
        region=None if endpoint or proxy else fs.resolve_s3_region(bucket),
        scheme=server.scheme or None,
        endpoint_override=server.netloc + server.path.rstrip("/") or None,
        proxy_options=proxy or None,
        tls_ca_file_path=ca_bundle or None,
    )
