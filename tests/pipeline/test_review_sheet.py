"""Sheets of pairs: as a spreadsheet gives them back, with verdicts that are none, and rows named wrong."""

import csv

import pytest

from pipeline.review_sheet import ASKED, TOLD, read_sheet, write_sheet, wrong_rows
from schemas.config import ConfigError

OWN = [("v", "a.json", 3), ("v", "b.json", 3), ("v", "", 12)]


def filled(path, *verdicts: str) -> None:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [*csv.DictReader(stream)]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "verdict": verdict} for row, verdict in zip(rows, verdicts, strict=True))


@pytest.fixture
def sheet(tmp_path):
    told = {"qa_id": "q", "prompt": "Who?\n(A) =1+1, \x1b[2J\r", "video": "=cmd()", "task": "", "form": ""}
    rows = [{**dict.fromkeys(TOLD, ""), **told, "number": number} for number in (1, 2, 3)]
    rows[1]["qa_id"] = "another"
    write_sheet(tmp_path / "s.csv", rows)
    return tmp_path / "s.csv"


def test_verdicts_come_back_and_empty_ones_do_not_count(sheet):
    assert [*read_sheet(sheet)] == []
    filled(sheet, "ok", " Source ", "")
    rows = [*read_sheet(sheet)]
    assert [row["verdict"] for _, row in rows] == ["ok", "source"]
    assert all(str(sheet) in where for where, _ in rows)
    assert rows[0][1]["prompt"] == "Who?\n(A) =1+1, \\x1b[2J\\r" and rows[0][1]["video"] == "'=cmd()"
    assert set(rows[0][1]) <= {*TOLD, *ASKED}


def test_a_verdict_that_is_none_is_named_with_its_line(sheet):
    filled(sheet, "ok", "good", "ok")
    with pytest.raises(ConfigError, match=r"s\.csv, line 5: verdict = 'good': must be ok, minor"):
        [*read_sheet(sheet)]


def test_two_verdicts_on_one_pair_are_named(sheet):
    filled(sheet, "ok", "", "fault")
    with pytest.raises(ConfigError, match=r"s\.csv, line 7: judges the same pair as .*s\.csv, line 3; keep one"):
        [*read_sheet(sheet)]


def test_a_file_that_is_no_sheet(tmp_path):
    (tmp_path / "s.csv").write_text("name,verdict\na,ok\n")
    with pytest.raises(ConfigError, match="has no qa_id"):
        [*read_sheet(tmp_path / "s.csv")]
    with pytest.raises(ConfigError, match=r"ends in \.csv"):
        write_sheet(tmp_path / "s.txt", [])


def test_a_sheet_with_verdicts_is_not_overwritten(sheet):
    before = sheet.read_bytes()
    with pytest.raises(ConfigError, match="is there already"):
        write_sheet(sheet, [])
    assert sheet.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12", OWN[2:]),
        ("3", OWN[:2]),
        ("b.json:3", OWN[1:2]),
        (" a.json: 3; 12,", [OWN[0], OWN[2]]),
        ("", []),
    ],
)
def test_rows_that_are_named_wrong(text, found):
    assert wrong_rows(text, OWN, "s.csv, line 2") == found


def test_the_only_row_need_not_be_named():
    assert wrong_rows("", OWN[:1], "s.csv, line 2") == OWN[:1]


@pytest.mark.parametrize("text", ["4", "c.json:3", "json:3", "the first"])
def test_a_row_of_another_pair_is_named(text):
    with pytest.raises(
        ConfigError, match=r"line 2: wrong_rows = .*is no row of this pair; there are: a.json:3, b.json:3, 12"
    ):
        wrong_rows(text, OWN, "s.csv, line 2")
