"""Which addresses a manifest may lead to, and how they are written where others read them."""

import ipaddress
import socket
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from schemas.rejects import Reject


def redacted(uri: str) -> str:
    """The URI without credentials, query and fragment."""
    if "://" not in uri:
        return uri
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def shown(value: Any) -> str:
    """A value of a manifest as a message shows it: short, and redacted, as an address may stand in any column."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value[:10]))}]"
    if not isinstance(value, str):
        return repr(value) if isinstance(value, int | float) else type(value).__name__
    return repr(redacted(value)[:200]) if can_be_parted(value) else "an address"


def can_be_parted(address: str) -> bool:
    """Whether an address has the parts of one: without, nobody knows where its secrets stand."""
    try:
        urlsplit(address)
    except ValueError:
        return False
    return True


def without_secrets(text: str, uri: str) -> str:
    """A text in which a URI, its credentials and the values of its query may stand, without them."""
    parts = urlsplit(uri)
    values = [value for _, value in parse_qsl(parts.query)]
    secrets = {parts.query, parts.fragment, parts.netloc.rpartition("@")[0], parts.password or "", *values}
    text = text.replace(uri, redacted(uri))
    for secret in sorted({*secrets, *map(unquote, secrets), *map(quote, secrets)}, key=len, reverse=True):
        text = text.replace(secret, "***") if len(secret) > 3 else text
    return text


def resolve(host: str, port: int, allow_private: bool) -> str:
    """One IP address of a host, which the caller connects to: a second look-up could answer otherwise.

    Raises:
        Reject: `refused` where any of its addresses is private, loopback, link-local or otherwise not public.
        OSError: the name cannot be resolved.
    """
    addresses = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in addresses:
        if not allow_private and not is_public(address):
            raise Reject(
                "refused", f"{host} is no public address; set download.allow_private_addresses if it is one of yours"
            )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet. IPv6 that stands for IPv4 is judged by that."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour or _nat64(ip)
        if embedded is not None:
            ip = embedded
    return ip.is_global and not ip.is_multicast


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None
