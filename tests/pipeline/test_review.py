"""People judge pairs: what is drawn, what their verdicts leave out, and the share of right pairs that they show."""

import csv
import json
import re

import pyarrow as pa
import pytest

from pipeline.review import draw, record
from pipeline.review_sheet import ASKED
from schemas.config import ConfigError
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import pair, video, write_corpus
from tests.pipeline.test_show import jpeg, write_frames
from workers.storage.store import Store

ASKED_OF_A_MODEL = "Which?\n(A) a dog\n(B) a cat"


def made_of(*rows: int) -> list[dict]:
    return [{"source": "events_file", "file": "v.events.jsonl", "rows": list(rows)}]


@pytest.fixture
def corpus(tmp_path):
    turns = json.dumps([{"from": "human", "value": f"<image>\n{ASKED_OF_A_MODEL}"}])
    pairs = [pair("v", n, annotations=made_of(n, n + 1), conversations=turns) for n in range(6)]
    pairs += [pair("v", 9, dropped="duplicate"), pair("w", 0, annotations=made_of(1))]
    origin = {"file": "v.events.jsonl", "row": 1}
    events = [
        {"video_id": "v", "event_id": f"e{n}", "start_s": n, "end_s": n + 2.0, "text": f"part {n}", "origin": origin}
        for n in (1, 2)
    ]
    # A caption of the whole video has no times.
    events.append({"video_id": "v", "event_id": "e3", "text": "all of it", "origin": {**origin, "row": 3}})
    write_corpus(tmp_path / "corpus", [video("v", name="film"), video("w")], pairs, events=events)
    return str(tmp_path / "corpus")


def judge(path, **verdicts: str) -> None:
    """Fills in a sheet: `v_0="fault"`, or `v_0="source 3"` with the wrong row."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [*csv.DictReader(stream)]
    for row in rows:
        row["verdict"], _, row["wrong_rows"] = verdicts.get(row["qa_id"].replace("-", "_"), "").partition(" ")
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_tells_what_a_person_needs(corpus, tmp_path):
    assert draw(corpus, tmp_path / "s.csv", 100) == 7
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = {row["qa_id"]: row for row in csv.DictReader(stream)}
    assert set(rows) == {f"v-{n}" for n in range(6)} | {"w-0"}, "what is in no shard is not judged"
    told = rows["v-0"]
    assert (told["video"], told["prompt"], told["answer"]) == ("film", ASKED_OF_A_MODEL, "a dog")
    assert told["evidence"] == "1.0 to 5.0 s"
    assert told["annotations"] == "v.events.jsonl:0 \nv.events.jsonl:1 [1.0 to 3.0 s] part 1 / [2.0 to 4.0 s] part 2"
    assert rows["v-3"]["annotations"] == "v.events.jsonl:3 all of it\nv.events.jsonl:4 "
    assert rows["w-0"]["annotations"] == "v.events.jsonl:1 ", "the row of another video's file"
    assert all(told[name] == "" for name in ASKED)


def test_pairs_are_drawn_at_random_and_again_by_the_same_seed(corpus, tmp_path):
    def drawn(name: str, seed: int) -> list[str]:
        assert draw(corpus, tmp_path / name, 3, seed) == 3
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as stream:
            return [row["qa_id"] for row in csv.DictReader(stream)]

    assert drawn("a.csv", 1) == drawn("b.csv", 1)
    assert len({tuple(drawn(f"{seed}.csv", seed)) for seed in range(6)}) > 1


def test_frames_of_the_evidence_are_written(tmp_path, capsys):
    long = [{"start_s": 1.0, "end_s": 3.0}, {"start_s": 4.0, "end_s": 7.0}]
    store = write_corpus(tmp_path / "corpus", [video("v")], [pair("v", 1, evidence=long)])
    write_frames(store, "v")
    assert run("review", store.root, tmp_path / "s.csv", "--draw", "1", "--frames", tmp_path / "f") == 0
    written = {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()}
    assert written == {f"0001_{n:08.2f}s.jpg": jpeg(n) for n in (1, 2, 4, 5, 6)}, "from two decode units"
    assert run("review", store.root, tmp_path / "t.csv", "--draw", "1", "--frames", tmp_path / "f") == 2
    assert "is not empty" in capsys.readouterr().err
    assert not (tmp_path / "t.csv").exists()


def test_verdicts_are_kept_and_their_pairs_left_out(corpus, tmp_path, capsys):
    sheet = tmp_path / "s.csv"
    assert run("review", corpus, sheet, "--draw", "9") == 0
    assert "longvid review" in capsys.readouterr().out
    judge(sheet, v_0="fault", v_2="source 3", v_4="minor", v_5="ok", w_0="ok")
    assert run("review", corpus, sheet) == 0
    said = capsys.readouterr().out
    assert "5 pairs judged: 2 ok, 1 minor, 1 fault, 1 source" in said and "right: 60.0%" in said
    assert "the pairs stay in the shards" in said, "there are no units"
    for name in ("corpus.json", "manifest.parquet", "units/a/b.parquet"):
        Store(corpus).write_bytes(name, b"")
    assert run("review", corpus, sheet) == 0
    # v-2 and v-3 are made from row 3; v-0 is judged itself.
    said = capsys.readouterr().out
    assert "the next build leaves out 3 pairs" in said and "1 wrong row" in said
    judge(sheet, v_0="ok")
    verdicts = record(corpus, sheet)
    assert (verdicts.left_out, verdicts.wrong_rows, verdicts.judged["ok"]) == (2, 1, 1), "the later verdict counts"


def test_sheets_that_judge_nothing_of_the_corpus(corpus, tmp_path):
    sheet = tmp_path / "s.csv"
    draw(corpus, sheet, 9)
    with pytest.raises(ConfigError, match="has no verdict"):
        record(corpus, sheet)
    judge(sheet, v_0="ok", v_1="ok")
    write_corpus(tmp_path / "second", [video("v")], [pair("v", 1)])
    said: list[str] = []
    assert record(str(tmp_path / "second"), sheet, said.append).judged.total() == 1
    assert said == ["1 judged pair not recorded: no longer in the corpus"]
    write_corpus(tmp_path / "third", [video("v")], [pair("v", 7)])
    with pytest.raises(ConfigError, match="judges no pair of this corpus"):
        record(str(tmp_path / "third"), sheet)


@pytest.mark.parametrize(
    "changed",
    [
        {"evidence": [1.0]},
        {"evidence": [[{"start_s": "a", "end_s": "b"}]]},
        {"annotations": ["a"]},
        {"annotations": [[{"file": 1, "rows": ["a"]}]]},
        {"options": [{"a": 1}]},
        {"dropped": [[]]},
    ],
    ids=str,
)
def test_tables_of_other_types_end_with_one_line(tmp_path, capsys, changed):
    store = write_corpus(tmp_path / "corpus", [video("v", name=None)], [pair("v", 1)])
    table = store.read_table("tables/qa.parquet")
    for name, values in changed.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    store.write_tables("tables/qa.parquet", [table], table.schema)
    assert run("review", store.root, tmp_path / "s.csv", "--draw", "1") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and re.search(f"tables/qa.parquet: column '{min(changed)}' is .* and must be", said)


def test_spans_without_times_and_videos_without_names_are_drawn(tmp_path):
    spans = [None, {"start_s": None, "end_s": 2.0}, {"start_s": 1.0, "end_s": float("nan")}]
    store = write_corpus(tmp_path / "corpus", [video("v", name=None)], [pair("v", 1, evidence=spans)])
    write_frames(store, "v", start_s=None)
    assert draw(store.root, tmp_path / "s.csv", 1) == 1


@pytest.mark.parametrize("words", [["--seed", "2"], ["--frames", "f"]])
def test_options_of_a_draw_need_one(corpus, tmp_path, capsys, words):
    assert run("review", corpus, tmp_path / "s.csv", *words) == 2
    assert "needs --draw" in capsys.readouterr().err
