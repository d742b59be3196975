"""docs/annotations.md lists every format as its module describes it, and every reason."""

import ast
import re
from pathlib import Path

import pytest

from stages.annotations import formats
from stages.annotations.formats.read import FORMATS
from stages.annotations.reasons import DROPPED, NOTED, REPAIRED

FOLDER = Path(formats.__path__[0])
TEXT = (FOLDER.parents[2] / "docs" / "annotations.md").read_text()
MODULES = {path.stem: path.read_text() for path in FOLDER.glob("*.py") if "FORMAT = Format(" in path.read_text()}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_format_is_described_as_in_its_module(module):
    [name] = re.findall(r'FORMAT = Format\("(\w+)"', MODULES[module])
    first, _, rest = (ast.get_docstring(ast.parse(MODULES[module])) or "").partition("\n")
    assert name in FORMATS
    assert f"**`{name}`**: {first}\n{rest}\n" in TEXT


def test_every_format_is_a_module():
    assert len(MODULES) == len(FORMATS)


def test_every_reason_is_explained():
    told = re.findall(r'dropped(?:=|\[|\.)[^\n]*?"(\w+)"', "\n".join(p.read_text() for p in FOLDER.glob("*.py")))
    assert set(told) <= DROPPED.keys()
    assert all(f"| `{reason}` |" in TEXT for reason in (*DROPPED, *REPAIRED, *NOTED))
