"""What a message, a log or a corpus shows of an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.fetch.redaction import (
    fingerprinted,
    format_value,
    redacted,
    scrub_secrets,
    scrub_text,
    without_credentials,
)

IGNORED = ("X-Amz-*", "Signature", "Expires", "sig", "token")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@host:81/a/b.mp4?token=1#x", "https://host:81/a/b.mp4"),
        ("s3://key:secret@bucket/k.mp4?endpoint_override=h", "s3://bucket/k.mp4"),
        ("http://a@b@host/v", "http://host/v"),
        ("/data/what?.mp4", "/data/what?.mp4"),
        ("s3://AKIA:se/cr/et@bucket/k.mp4", "s3://bucket/k.mp4"),
        ("s3://AKIA:se#cr?et@bucket/k.mp4", "s3://***"),
        ("https://secret?x@host/v", "https://***"),
        ("https://me:12/34@host/v", "https://host/v"),
        ("https://me:secret@ho st/v", "https://***"),
        ("https://me:sec ret@host/v", "https://host/v"),
        (" https://me:secret@host/v", "https://host/v"),
        ("//me:secret@host/v?sig=1", "//host/v"),
        ("me:secret@host/v.mp4", "host/v.mp4"),
        ("https://host/v.mp4;sig=secret", "https://host/v.mp4"),
        ("https://host/v.mp4;sig=a@secret", "https://***"),
        ("https://h.org/v.mp4?mail=a@secret", "https://h.org/v.mp4"),
        ("https://h.org/@user/v.mp4?sig=secret", "https://h.org/@user/v.mp4"),
        ("https://first.last@host/v", "https://host/v"),
        ("https://me:secret@[h/v", "https://***"),
        ("https://[::1]:80/v", "https://[::1]:80/v"),
        ("https://me:secret/v", "https://***"),
        ("text before https://me:secret@h/v", "***"),
        ("s3://b/Länge 100%.mp4", "s3://b/Länge 100%.mp4"),
    ],
)
def test_redacted(address, shown):
    assert redacted(address) == shown


def test_format_value_is_short_and_shows_no_secret():
    assert format_value(["https://u:pw@h/v", 7, None]) == "['https://h/v', 7, NoneType]"
    assert len(format_value("x" * 1000)) == 202
    assert format_value(10**5000) == "int"


@pytest.mark.parametrize(
    "message",
    [
        "Cannot parse URI: 's3://AKIA:se cret/+@bucket/k?sig=other secret' due to syntax error",
        "When reading https://AKIA:secret@h/k?sig=other: failed",
        'see "https://h/k;sig=secret"',
    ],
)
def test_scrub_text_redacts_each_address(message):
    assert "secret" not in scrub_text(message)
    assert "cret" not in scrub_text(message)
    assert "other" not in scrub_text(message)


def test_scrub_secrets_finds_parts_in_other_forms():
    address = "https://me:pass/word@h.org/v.mp4?sig=a%2Fb+c%3D%3D&v=1#frag"
    message = "pass%2Fword pass/word a/b c== a%2Fb+c%3D%3D 'frag' v=1 h.org"
    assert scrub_secrets(message, address) == "*** *** *** *** '***' v=1 h.org"


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("https://h.org/v.mp4?X-Amz-Date=1&X-Amz-Signature=2&x-amz-expires=3", "https://h.org/v.mp4"),
        ("https://h.org/v.mp4?Expires=1&Signature=2&id=7", "https://h.org/v.mp4?id=7"),
        ("https://me:old@h.org/v.mp4", "https://me:new@h.org/v.mp4"),
    ],
)
def test_a_new_signature_leaves_the_fingerprint(address, same):
    assert fingerprinted(address, IGNORED) == fingerprinted(same, IGNORED)


def test_a_parameter_that_counts_changes_the_fingerprint():
    first, second = (fingerprinted(f"https://h.org/v.mp4?id={n}&sig=x", IGNORED) for n in (1, 2))
    assert first != second
    assert first.startswith("https://h.org/v.mp4#sha256=")


@given(address=st.text() | st.from_regex(r"[a-z0-9]{1,5}://[a-z:@?#/=\[\]*;]{0,12}", fullmatch=True))
def test_fingerprinted_twice_is_fingerprinted_once(address):
    once = fingerprinted(address, IGNORED)
    assert fingerprinted(once, IGNORED) == once


# No part of a secret is shared with the host or path.
PARTS = st.text(st.sampled_from("QXZ/?#@:;=& %+"), min_size=1).map(lambda text: f"Q{text}Z")


@given(password=PARTS, query=PARTS, host=st.sampled_from(["host", "h.org", "h:80"]))
def test_no_password_and_no_query_is_shown(password, query, host):
    for address in (
        f"s3://me:{password}@{host}/k",
        f"https://{host}/k?{query}",
        f"https://me:{password}@{host}/k?{query}",
    ):
        assert not {*"QXZ"} & {*redacted(address)}


@pytest.mark.parametrize("address", ["/data/a?b#c@d.mp4", "https://h.org/v.mp4", "s3://b/v.mp4", " a.mp4"])
def test_an_address_without_secrets_is_its_own_fingerprint(address):
    assert fingerprinted(address, IGNORED) == address


@pytest.mark.timeout(60)  # a pass that is quadratic in the length takes ten minutes of each
@pytest.mark.parametrize("text", ["x", "a.", "sig", "?", "?a", "'a://", "&token=a?"], ids=str)
def test_a_megabyte_of_text_is_redacted_in_linear_time(text):
    long = text * (1_000_000 // len(text))
    assert scrub_text(long)
    assert without_credentials(long)
    assert without_credentials(f"https://h.org/{long}")
