"""Untrusted text to plain text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.annotations.text import AnnotationError, clean_text, format_value


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<v Ann>Hi <i>you</i></v>", "Hi you"),
        ("<00:00:01.000><c>word</c>", "word"),
        ("one<00:01.5><c.colorE5E5E5> two</c>", "one two"),
        ("look: <image>\n<|im_end|> done", "look: done"),
        ("<im<image>age>", ""),
        ("<im\u200bage>", ""),
        ("<a" + " " * 300 + ">x", "x"),
        ("\u200ba \u200e b\x07\n c", "a b c"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("I <3 you", "I <3 you"),
        ("one<br>two</p><p>three", "one two three"),
        ("Tom &amp; Ann&nbsp;&lt;3 &#39;quoted&#x27;", "Tom & Ann <3 'quoted'"),
        ("&lt;image&gt; AT&T &unknown;", "AT&T &unknown;"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("\u200f\u05e9\u05dc\u05d5\u05dd\u200f, x", "\u05e9\u05dc\u05d5\u05dd, x"),
        ("co\u00adop", "coop"),
        ("cafe\u0301 e<b></b>\u0301", "caf\u00e9 \u00e9"),
        ("half \ud800 a character", "half a character"),
    ],
)
def test_no_markup_and_no_tokens(text, clean):
    assert clean_text(text) == clean


@pytest.mark.parametrize("reference", ["&#" + "1" * 5000 + ";", "&#12345678", "&#x1234567;"])
def test_a_reference_to_no_character_is_refused(reference):
    with pytest.raises(AnnotationError, match="character reference"):
        clean_text(f"hi {reference}")


def test_a_letter_keeps_30_marks():
    assert clean_text("a" + "\u0316" * 5000 + "b") == "a" + "\u0316" * 30 + "b"
    assert clean_text("a" + "\u0316<b></b>" * 5000 + "b") == "a" + "\u0316" * 30 + "b"
    assert clean_text("\u2014" * 100 + "\u2665" * 100) == "\u2014" * 100 + "\u2665" * 100


_PIECES = st.sampled_from(["<", ">", "</", "<b>", "im", "age", "|", " ", "\n", "\u200b", "\u0301", "\u0338", "K", "a<"])


@given(st.text() | st.lists(_PIECES).map("".join))
def test_cleaning_twice_changes_nothing_and_leaves_no_token(text):
    clean = clean_text(text.replace("&", ""))
    assert clean_text(clean) == clean
    assert "<image>" not in clean and "\n" not in clean
    assert unicodedata.is_normalized("NFC", clean)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a" * 60, repr("a" * 60)),
        ("a" * 61, f"{'a' * 60!r}..."),
        ("a\x1b\n", "'a\\x1b\\n'"),
        ([["secret"]], "a list"),
        ({"a": "secret"}, "an object"),
        (10**5000, "a number of more than 20 digits"),
        (-3, "-3"),
        (True, "True"),
        (None, "None"),
    ],
    ids=lambda value: str(type(value)),
)
def test_values_are_shown_short_and_on_one_line(value, told):
    assert format_value(value) == told
