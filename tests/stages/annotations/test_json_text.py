import pytest

from stages.annotations.json_text import MAX_DEPTH, load_json
from stages.annotations.text import AnnotationError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": secret}', "^bad JSON at column 7: "),
        ('{"a":\n\n secret}', "^bad JSON at line 3, column 2: "),
        ("1" * 4301, "^bad JSON: a number of more than 4,300 digits$"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"^bad JSON: nested more than {MAX_DEPTH} deep$"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "^bad JSON: nested"),
    ],
    ids=["column", "line", "digits", "deep", "very deep"],
)
def test_each_error_names_the_place_and_quotes_nothing(text, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        load_json(text)
    assert "secret" not in str(caught.value)


def test_the_deepest_value_is_read():
    value = load_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        [value] = value
    assert value == []
