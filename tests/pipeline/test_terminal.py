"""What is printed is text, whatever it holds."""

import io

import pyarrow as pa
import pytest
from rich.table import Table

from pipeline.build import Summary
from pipeline.report import show_dropped, show_rejects, show_summary
from pipeline.terminal import Terminal, folded_table
from schemas.tables import REJECT
from schemas.tables.qa import DROPPED
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import pair, video, write_corpus
from workers.storage.store import Store

ODD = "film[/b] [red]:cat: \x1b[2J\x9b"
SHOWN = r"film[/b] [red]:cat: \x1b[2J\x9b"


@pytest.fixture
def out() -> Terminal:
    return Terminal(file=io.StringIO(), width=400)


def seen(out: Terminal) -> str:
    text = out.file.getvalue()
    assert "\x1b" not in text
    assert "\x9b" not in text
    return text


def test_lines_and_cells(out):
    out.print(ODD, style="bold")
    table = Table(ODD, title=ODD)
    table.add_row(ODD)
    out.print(table)
    assert seen(out).count(SHOWN) == 4


def test_a_long_word_of_a_table_is_wrapped_and_not_cut(out):
    out.width = 40
    table = folded_table("why", ODD)
    table.add_row("write_qa.merge_tower.model: ViT-B-32 -> ViT-SO400M-14", ODD)
    out.print(table)
    first = "".join(line.split("│")[1].strip() for line in seen(out).splitlines() if line.startswith("│"))
    assert first == "write_qa.merge_tower.model:ViT-B-32 ->ViT-SO400M-14"


def test_rejects_and_failures_of_untrusted_units(out, tmp_path):
    row = {"unit": ODD, "stage": "decode", "reason": "failed", "detail": "x" * 10_000}
    store = Store(tmp_path)
    store.write_tables("tables/rejects.parquet", [pa.Table.from_pylist([row], REJECT)], REJECT)
    show_rejects(str(tmp_path), out)
    show_summary(Summary(failures=[f"{ODD}: {'x' * 10_000}"]), str(tmp_path), out)
    text = seen(out)
    assert text.count(SHOWN) == 2
    assert len(text) < 3000


def test_what_was_left_out_is_told_by_reason(out, tmp_path):
    told = [{"video_id": v, "what": "event", "reason": "no_event", "count": 2} for v in ("a", "b")]
    show_dropped(str(tmp_path), out)
    assert seen(out) == ""
    Store(tmp_path).write_tables("tables/dropped.parquet", [pa.Table.from_pylist(told, DROPPED)], DROPPED)
    show_dropped(str(tmp_path), out)
    assert seen(out).split("\n")[1].split() == ["event", "no_event", "4", "2"]


def test_what_the_audit_left_out_is_told_by_builds_and_status(out, tmp_path):
    pairs = [pair("a", 1), pair("a", 2, dropped="guessable"), pair("b", 3, dropped="guessable")]
    write_corpus(tmp_path, [video("a"), video("b")], pairs)
    show_dropped(str(tmp_path), out)
    assert seen(out).split("\n")[1].split() == ["audited", "pair", "guessable", "2", "2"]
    show_summary(Summary(), str(tmp_path), out)
    assert "left out of the shards: 2 pairs, guessable" in seen(out)


def test_an_error_is_printable_and_short(tmp_path, capsys):
    assert run("status", tmp_path / ODD) == 2
    assert SHOWN in capsys.readouterr().err
    assert run("status", tmp_path / ("x" * 3000)) == 2
    assert len(capsys.readouterr().err) < 600
