"""JSON documents read a member at a time."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.annotations.formats import json_stream
from stages.annotations.formats.json_stream import stream_json
from stages.annotations.text import AnnotationError

VALUES = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(json_stream, "_PIECE", 3)


@given(st.dictionaries(st.text(), VALUES) | st.lists(VALUES), st.sampled_from([None, 2]))
def test_members_are_those_of_the_document(value, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=indent is None)
    wanted = list(value.items()) if isinstance(value, dict) else [("", item) for item in value]
    if not any(key in json_stream.WRAPPERS for key, _ in wanted):
        assert list(stream_json(io.StringIO(text))) == wanted


def test_what_a_wrapper_holds_comes_in_its_place():
    text = '{"version": "1.0", "database": {"a": {"b": 1}, "c": []}, "videos": [1, {}], "annotations": 12345678 }'
    assert list(stream_json(io.StringIO(text))) == [
        ("version", "1.0"), ("a", {"b": 1}), ("c", []), ("", 1), ("", {}), ("annotations", 12345678),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "expected ',' or '}'"),
        ('{"a": 1 "b": 2}', "at character 9: expected ',' or '}'"),
        ('{"a" 1}', "expected a key and a colon"),
        ("{1: 2}", "expected a key and a colon"),
        ("[1, 2", "expected ',' or ']'"),
        ("[1, ]", "Expecting value"),
        ('["secret', "Unterminated string"),
        ("[" + "9" * 5000 + "]", "4,300 digits"),
        ("[" + "[" * 200_000, "nested too deeply"),
        ("[" + "[" * 100 + "]" * 101, "nested more than 64 deep"),
    ],
)
def test_bad_json_is_named(text, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        list(stream_json(io.StringIO(text)))
    assert "secret" not in str(caught.value)


def test_a_value_may_not_be_of_any_length(monkeypatch):
    monkeypatch.setattr(json_stream, "_MAX_VALUE", 100)
    with pytest.raises(AnnotationError, match="a value of more than"):
        list(stream_json(io.StringIO('["' + "a" * 1000 + '"]')))
