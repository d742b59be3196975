"""The sheet of what was found: where it may be written, and what a spreadsheet makes of it."""

import csv

import pytest

from pipeline.decontamination.sheet import check_sheet, write_sheet
from schemas.config import ConfigError
from schemas.tables.qa import CONTAMINATION


@pytest.mark.parametrize(
    ("path", "problem"),
    [("mine.csv", "is there already"), ("none/s.csv", "there is no folder"), (".", "is a folder")],
)
def test_a_path_that_no_sheet_may_have_is_named(tmp_path, path, problem):
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(ConfigError, match=f"--sheet .*: {problem}"):
        check_sheet(tmp_path / path)


def test_a_sheet_may_be_written_again_and_formulas_stay_text(tmp_path):
    row = dict.fromkeys(CONTAMINATION.names) | {"name": "=cmd()|' /C'!A0", "found": "a\x1b[2J", "score": -1.0}
    path = tmp_path / "s.csv"
    for _ in range(2):
        check_sheet(path)
        write_sheet([row], path)
    with path.open() as stream:
        [written] = csv.DictReader(stream)
    assert (written["name"], written["found"], written["score"]) == ("'=cmd()|' /C'!A0", r"a\x1b[2J", "-1.0")
