import pytest

from workers.fetch.urls import is_public, redacted


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:secret@host:81/a/b.mp4?token=1#x", "https://host:81/a/b.mp4"),
        ("s3://key:secret@bucket/k.mp4?endpoint_override=h", "s3://bucket/k.mp4"),
        ("http://a@b@host/v", "http://host/v"),
        ("/data/what?.mp4", "/data/what?.mp4"),
    ],
)
def test_redacted(uri, shown):
    assert redacted(uri) == shown


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"),
    ],
)
def test_not_public(address):
    assert not is_public(address)
