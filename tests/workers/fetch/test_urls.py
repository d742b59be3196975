"""One parser: what it refuses nothing opens, and what it takes has one meaning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.fetch.urls import HttpUrl, LocalUrl, ObjectUrl, UrlError, join_url, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/data/a b.mp4", LocalUrl("/data/a b.mp4")),
        ("film 100%?#;.mp4", LocalUrl("film 100%?#;.mp4")),
        ("12:30 me@home.mp4", LocalUrl("12:30 me@home.mp4")),
        ("./s3:x.mp4", LocalUrl("./s3:x.mp4")),
        ("file:///data/d%20e%3F.mp4", LocalUrl("/data/d e?.mp4")),
        ("FILE://localhost/data/v.mp4", LocalUrl("/data/v.mp4")),
        ("s3://b/a b/\u00e4 100%.mp4", ObjectUrl("s3", "b", "a b/\u00e4 100%.mp4")),
        ("GS://b/what?#1.mp4", ObjectUrl("gs", "b", "what?#1.mp4")),
    ],
)
def test_parsed(text, url):
    assert parse_url(text) == url


def test_http_is_encoded_where_it_must_be():
    url = parse_url("HTTPS://me:pw@H.org:81/a b/\u00e4 100%.mp4?x=a b#frag")
    assert isinstance(url, HttpUrl)
    assert (url.host, url.port, url.url.raw_path) == ("h.org", 81, b"/a%20b/%C3%A4%20100%25.mp4?x=a%20b")
    assert "pw" not in repr(url)


@pytest.mark.parametrize(
    "text",
    [
        *("", " file:///etc/passwd", "file:///etc/passwd ", "fi\tle:///etc/passwd", "file\n:///etc/passwd"),
        *("\x00/a", "/a\x00b", "/a\nb", "\u2028/a", "/a\x7f", "/a\x85", "http://h/\tx", "\u00a0/a"),
        *("file://host/a", "file:///a%00b", "file:///a?b", "file:///a#b", "file:a", "FILE:/a", "file://"),
        *("ftp://h/v", "data://x", "javascript://x", "concat:a|b://c", "gopher://h", "s3a://b/k"),
        *("http:/h/v", "https:h/v", "s3:b/k", "//me:pw@h/v", "me:pw@h/v.mp4", "a://b", "see http://h/v"),
        *("http://", "http:///v", "http://[h/v", "http://h\u2100/v", "http://h:99999/v", "http://h:0/v"),
        *("http://ho st/v", "http://h:x/v", "http://%31/v", "http://me:p/w@h/v", "http://-h/v"),
        *(f"http://{'a' * 254}/v", "http://[fe80::1%25eth0]/v"),
        *("s3://", "s3://b", "s3://b/", "s3:///k", "s3://b/a//k", "s3://b/./k", "s3://b/../k", "s3://b/k/.."),
        *("s3://me:pw@b/k", "s3://me@b/k", "s3://me:p/w@b/k", "s3://b?region=x", "s3://b/k?endpoint_override=h:1"),
        *("s3://b/k?x=1", "s3://b:80/k", "s3://b c/k", "gs://_b/k", "s3://b#c/k"),
    ],
)
def test_refused(text):
    with pytest.raises(UrlError) as refused:
        parse_url(text)
    assert "pw" not in str(refused.value)
    assert "passwd" not in str(refused.value)


@given(st.text() | st.from_regex(r"(file|https?|s3|gs)://[a-z:@?#/=\[\]%. ]{0,15}", fullmatch=True))
def test_any_text_is_parsed_or_refused(text):
    try:
        url = parse_url(text)
    except UrlError:
        return
    assert isinstance(url, LocalUrl) == ("://" not in text or text.lower().startswith("file:"))


@pytest.mark.parametrize(
    ("folder", "text", "joined"),
    [
        ("/d", "a/../b.mp4", "/d/b.mp4"),
        ("/d", "../b.mp4", "/b.mp4"),
        ("/d", "/e/b.mp4", "/e/b.mp4"),
        ("/d", "file:///e/./b%20c.mp4", "/e/b c.mp4"),
        ("/d", "https://h/../b.mp4", "https://h/../b.mp4"),
        ("s3://b/a%20b", "c d/../100%.mp4", "s3://b/a%20b/100%.mp4"),
        ("s3://b", "v.mp4", "s3://b/v.mp4"),
        ("s3://b/a/c", "../v.mp4", "s3://b/a/v.mp4"),
        ("s3://b/a", "/e/v.mp4", "/e/v.mp4"),
        ("s3://b/a", "file:///e/v.mp4", "/e/v.mp4"),
    ],
)
def test_joined(folder, text, joined):
    assert join_url(folder, text) == joined


def test_a_relative_path_stays_in_the_bucket():
    with pytest.raises(UrlError, match="leaves the bucket"):
        join_url("s3://b/a", "../../other/v.mp4")
