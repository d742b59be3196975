import email.utils
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.fetch.responses import parse_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 0), ("120", 120), (" 7 ", 7), ("9" * 400, 1e9), ("1e9", None), ("-5", None), ("inf", None)),
        *(("nan", None), ("", None), ("soon", None), ("٣", None), ("1.5", None)),
        ("Mon, 05 Jan 2015 00:00:00 GMT", 0),
        ("Mon, 99 Jan 2026 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1e9),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 1e9),
    ],
)
def test_retry_after(value, seconds):
    assert parse_retry_after(value) == seconds


def test_retry_after_a_date():
    assert 50 < parse_retry_after(email.utils.formatdate(time.time() + 60, usegmt=True)) <= 60


@given(
    st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [+-]?\w{2,5}")
)
def test_any_retry_after_is_a_bounded_wait_or_none(value):
    seconds = parse_retry_after(httpx.Headers({"retry-after": value.encode("utf-8")})["retry-after"])
    assert seconds is None or 0 <= seconds <= 1e9
