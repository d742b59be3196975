"""Bytes to clean text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.annotations.text import TextError, clean_text, decode_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_old_and_new_files(encoding):
    assert decode_text("größer\r\nals\rdas".encode(encoding)) == "größer\nals\ndas"


@pytest.mark.parametrize("data", [b"\0\1\2", b"abc\0", b"\xff\xfe\x00\xd8"])
def test_binary_data_is_refused(data):
    with pytest.raises(TextError):
        decode_text(data)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<v Ann>Hi <i>you</i></v>", "Hi you"),
        ("<00:00:01.000><c>word</c>", "<00:00:01.000>word"),
        ("look: <image>\n<|im_end|> done", "look: done"),
        ("<im<image>age>", ""),
        ("a \u200b b\x07\n c", "a b c"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
    ],
)
def test_no_markup_and_no_tokens(text, clean):
    assert clean_text(text) == clean


@given(st.text())
def test_cleaning_twice_changes_nothing_and_leaves_no_token(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert "<image>" not in clean and "\n" not in clean
