"""Decides which IP addresses are public, by the IANA registries of special-purpose addresses.

The list is kept here, since that of Python's `ipaddress` differs between versions.
"""

import ipaddress
import socket

from schemas.rejects import Reject

_IPV4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # Azure's host agent, which provides certificates and settings to virtual machines
    )
]
# Global unicast. Everything else (loopback, fc00::/7, fe80::/10, fec0::/10, ff00::/8, ...) is outside.
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV6 = [
    ipaddress.IPv6Network(network)
    # IETF protocols (Teredo, ORCHID, benchmarks), then two documentation ranges.
    for network in ("2001::/23", "2001:db8::/32", "3fff::/20")
]
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_6TO4 = ipaddress.IPv6Network("2002::/16")
_ISATAP = (0x00005EFE, 0x02005EFE)


def resolve(host: str, port: int, allow_private: bool) -> str:
    """Resolves a host to one IP address.

    The caller must connect to it, since a second DNS lookup could return another one.

    Raises:
        Reject: `refused` if any address of the host is not public, unless `allow_private` is set.
        OSError: the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label of more than 63 characters
        raise Reject("refused", "the host name is invalid") from None
    addresses = [str(info[4][0]) for info in found]
    if not allow_private and not all(map(is_public, addresses)):
        raise Reject(
            "refused", f"{host} has no public address; set download.allow_private_addresses to allow private ones"
        )
    return addresses[0]


def is_public(address: str) -> bool:
    """Returns whether an IP address is public. IPv6 addresses that embed an IPv4 address are judged by that address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _IPV4)
    embedded = _embedded(ip)
    if embedded is not None and not is_public(str(embedded)):
        return False
    if ip in _MAPPED or ip in _NAT64:
        return True
    return ip in _IPV6_UNICAST and not any(ip in network for network in _IPV6)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Returns the IPv4 address to which a packet for this IPv6 address would be forwarded."""
    bits = int(ip)
    if ip in _MAPPED or ip in _NAT64 or (bits >> 32) & 0xFFFFFFFF in _ISATAP:
        return ipaddress.IPv4Address(bits & 0xFFFFFFFF)
    if ip in _6TO4:
        return ipaddress.IPv4Address(bits >> 80 & 0xFFFFFFFF)
    return None
