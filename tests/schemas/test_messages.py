"""Untrusted text in messages."""

import json

from hypothesis import given
from hypothesis import strategies as st

from schemas.messages import MESSAGE_CHARACTERS, counted, is_text, json_printable, message, printable, size_text
from schemas.rejects import Reject

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # halves of surrogate pairs as well


def test_what_a_terminal_would_act_on_is_an_escape():
    assert printable("a\x1b[2J\r\x07\x9b\u202e\ud800b") == r"a\x1b[2J\r\x07\x9b\u202e\ud800b"
    kept = "tab\tline\nfeed é 中 \N{ZERO WIDTH NON-JOINER} \N{ZERO WIDTH JOINER} 😀 [/b]"
    assert printable(kept) == kept


@given(ANY_TEXT)
def test_a_message_is_short_and_can_be_written(text):
    shown = message(text)
    assert len(shown) <= MESSAGE_CHARACTERS
    assert is_text(shown)
    assert not any(c < " " and c not in "\t\n" for c in shown)


def test_a_long_message_says_that_it_is_cut():
    assert message("x" * 500) == "x" * 500
    assert message("x" * 501) == "x" * 497 + "..."
    assert message("\x1b" * 10_000) == r"\x1b" * 124 + r"\..."


@given(st.text())
def test_json_reads_back(text):
    shown = json_printable(json.dumps(text, ensure_ascii=False))
    assert json.loads(shown) == text
    assert printable(shown) == shown


def test_a_reject_keeps_its_detail_within_bounds():
    reject = Reject("undecodable", "\x1b" + "x" * 1000)
    assert reject.detail == r"\x1b" + "x" * 493 + "..."


def test_numbers_have_their_nouns_and_units():
    assert [counted(n, "video") for n in (0, 1, 2000)] == ["0 videos", "1 video", "2,000 videos"]
    sizes = [size_text(size) for size in (0, 999, 1000, 20_400, 1_430_000_000, 2.5e15)]
    assert sizes == ["0 B", "999 B", "1.0 kB", "20 kB", "1.4 GB", "2500 TB"]
