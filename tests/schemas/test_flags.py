import ast
import re
from pathlib import Path

from pipeline.tables import decoded
from schemas.flags import ANNOTATION_FLAGS, DECODE_FLAGS, FILE_FLAGS, PARTLY_ANNOTATED
from stages.annotate import LEFT_OUT, MILLISECONDS, OUTSIDE
from stages.annotations.encodings import DETECTED, REPAIRED
from stages.annotations.subtitles import CUT, NOT_TEXT
from workers.media import file_facts


def yielded(tree: ast.AST) -> set[str]:
    """Strings that are yielded or appended."""
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Yield)]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    values += [call.args[0] for call in calls if call.func.attr == "append"]
    return {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}


def test_every_flag_is_explained():
    assert yielded(ast.parse(Path(file_facts.__file__).read_text())) == set(FILE_FLAGS)
    assert set(re.findall(r"then '(\w+)'", decoded.VIDEOS)) == set(DECODE_FLAGS)


def test_every_flag_of_annotations_is_explained():
    assert {DETECTED, REPAIRED, MILLISECONDS, OUTSIDE, PARTLY_ANNOTATED, NOT_TEXT, CUT, LEFT_OUT} == set(
        ANNOTATION_FLAGS
    )
