"""Checks the settings of downloads before a build starts, and finds unused settings of the environment."""

import os
import ssl
from pathlib import Path

from schemas.config import ConfigError
from stages.download import DownloadConfig

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def check_network_settings(settings: DownloadConfig) -> None:
    """Raises ConfigError if the folder `root` or the file `ca_bundle` does not exist or cannot be used."""
    if settings.root and not Path(settings.root).is_dir():
        raise ConfigError(f"download.root = {settings.root!r}: no such folder")
    if settings.ca_bundle:
        try:
            ssl.create_default_context(cafile=settings.ca_bundle)
        except OSError as error:
            cause = "no such file" if isinstance(error, FileNotFoundError) else "no certificates in PEM form"
            raise ConfigError(f"download.ca_bundle = {settings.ca_bundle!r}: {cause}") from None


def unused_environment(settings: DownloadConfig) -> list[str]:
    """Returns a line for each variable of the environment that downloads ignore, without its value."""
    found = []
    for names, field, value, schemes in (
        (_PROXIES, "proxy", settings.proxy, "http, https and s3"),
        (_CERTIFICATES, "ca_bundle", settings.ca_bundle, "http and https"),
    ):
        given = [name for name in names if os.environ.get(name) or os.environ.get(name.lower())]
        if given and not value:
            found.append(f"not used for {schemes}: {', '.join(given)} of the environment; set download.{field} instead")
    return found
