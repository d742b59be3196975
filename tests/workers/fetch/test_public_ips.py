import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.fetch.public_ips import is_public

# The IANA IPv4 and IPv6 special-purpose address registries (and those of multicast and reserved space): what they call
# not globally reachable.
NOT_REACHABLE = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "224.0.0.0/4",
    "168.63.129.16/32",
    "::1/128",
    "::/128",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "::ffff:0:0:0/96",
    "::/96",
]
IPV4 = [ipaddress.ip_network(n) for n in NOT_REACHABLE if ":" not in n]
REACHABLE = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"),
    *("169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.31.196.1", "192.52.193.1", "192.175.48.1"),
    *("168.63.129.15", "168.63.129.17", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2606:4700::1111", "2001:200::1", "2a00:1450::1", "2620:4f:8000::1", "2400:cb00::1"),
]


def inside(networks):
    def of(network):
        return st.integers(0, network.num_addresses - 1).map(lambda n: network[n])

    return st.sampled_from(networks).flatmap(of)


@given(inside([ipaddress.ip_network(n) for n in NOT_REACHABLE]))
def test_no_address_of_a_special_registry_is_public(address):
    assert not is_public(str(address))


FORMS = [
    "::ffff:{}",
    "64:ff9b::{}",
    "::{}",
    "::ffff:0:{}",
    "2606:4700::5efe:{}",
    "2606:4700::200:5efe:{}",
    "64:ff9b:1::{}",
]


def forms(address):
    high, low = int(address) >> 16, int(address) & 0xFFFF
    hidden = int(address) ^ 0xFFFFFFFF
    return [
        *(form.format(address) for form in FORMS),
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:808:808::{hidden >> 16:x}:{hidden & 0xFFFF:x}",  # Teredo: the client
        f"2001:0:{high:x}:{low:x}::f7f7:f7f7",  # Teredo: the server
    ]


@given(inside(IPV4))
def test_no_form_of_ipv6_makes_a_private_address_public(address):
    assert not any(map(is_public, forms(address)))


@pytest.mark.parametrize("address", REACHABLE)
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize("form", ["::ffff:{}", "64:ff9b::{}", "2606:4700::5efe:{}"])
def test_ipv6_that_stands_for_a_public_ipv4_is_public(form):
    assert is_public(form.format("8.8.8.8"))
    assert is_public("2002:808:808::1")


def test_a_zone_is_no_part_of_the_address():
    assert not is_public("fe80::1%eth0")
