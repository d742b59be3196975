"""Docstrings of what is public: there is one, and its first line is a whole sentence."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

FILES = [
    path for package in ("model", "pipeline", "schemas", "stages", "workers") for path in (ROOT / package).rglob("*.py")
]
# Answers of a model: their docstrings are descriptions in the schema that the model is asked to follow.
DESCRIPTIONS = {"CaptionedEvent", "Captions", "MergedEvent", "MergedEvents", "Question"}
# Articles, questions, and nouns in -s, which look like verbs.
NO_VERB = re.compile(
    r"(The|An?|Whether|How|What|Which|When|Where|Why|Positions|Events|Rows|Columns|Args|Limits for|Sums and)\b"
    r"|(?!Asks|Tells)\w+s of\b"
)


def public(node: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def is_sentence(node: ast.FunctionDef | ast.ClassDef, first: str) -> bool:
    if isinstance(node, ast.FunctionDef):
        return re.match(r"[A-Z]\w+s\b|Permanently ", first) is not None and not NO_VERB.match(first)
    is_error = any("Error" in ast.unparse(base) or "Exception" in ast.unparse(base) for base in node.bases)
    return is_error or not NO_VERB.match(first)  # what an error says has a subject


def check_docstrings(source: str, is_command: bool = False) -> None:
    for node in public(ast.parse(source)):
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        assert first, f"{node.name} has no docstring"
        assert first.endswith("."), f"{node.name}: the sentence goes on after the first line: {first}"
        assert is_command or node.name in DESCRIPTIONS or is_sentence(node, first), f"{node.name}: {first}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_first_line_is_a_sentence(path):
    # The help of a command tells what to do.
    check_docstrings(path.read_text(), is_command="commands" in path.parts)
