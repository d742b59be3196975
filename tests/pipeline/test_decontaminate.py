"""Videos and questions of benchmarks are found by id, address, file and words; nothing else is."""

import csv
import hashlib
import json
import shutil

import pyarrow as pa
import pytest

from pipeline.decontaminate import decontaminate
from pipeline.tables.audited import QA_TABLE, WRITTEN, with_audit
from pipeline.tables.damage import DamagedFile
from pipeline.tables.left_out import read_left_out
from schemas.tables.qa import CONTAMINATION
from tests.conftest import SHARED
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import pair, video, write_corpus
from workers.storage.store import Store

BENCHMARKS = SHARED / "annotations" / "11_benchmarks_eval_only"
QUESTION = "How did the cartoon jellyfish leave the mire that it had fallen into?"
MLVU = "What color is the main male character in the video? Yellow Red Green Blue"
LVBENCH = "What year appears in the opening caption of the video? 1636 1366 1363 1633"
LONG_VIDEO_BENCH = (
    "In the video, which subtitles appear at the same time as the man with black hair, dressed in grey clothes with "
    "black sleeves, on stage?"
)
OPTIONS = ["Carried by the shrimp", "Carried by the turtle", "Carried by the catfish", "Carried by the seahorse"]


@pytest.fixture
def corpus(tmp_path):
    videos = [
        video("by_id", name="movies/movie101_66.mp4"),
        video("by_address", name="x", uri="https://www.youtube.com/watch?v=86CxyhFV9MI"),
        video("by_file", name="copy", sha256=hashlib.sha256(b"film").hexdigest()),
        video("short", name="1.mp4"),
        video("other", name="holiday"),
    ]
    asked = {"question": QUESTION.replace("cartoon ", ""), "options": OPTIONS[::-1], "form": "conversation"}
    pairs = [pair("other", 1, **asked), pair("other", 2), pair("by_id", 3)]
    write_corpus(tmp_path / "corpus", videos, pairs)
    return str(tmp_path / "corpus")


@pytest.fixture
def benchmark_file(tmp_path):
    rows = [
        {"video": "movie101_66.mp4", "question": "What colour?", "candidates": ["red", "blue"], "answer": "red"},
        {"video": "86CxyhFV9MI", "question": "Who?", "candidates": ["he", "she"], "answer": "he"},
        {"video": "1.mp4", "question": QUESTION, "candidates": OPTIONS, "answer": OPTIONS[1]},
    ]
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps(rows))
    return path


def found(rows: list[dict]) -> set[tuple]:
    return {(row["video_id"], row["qa_id"], row["found_by"]) for row in rows}


def test_ids_addresses_and_questions_of_a_file(corpus, benchmark_file):
    rows = decontaminate(corpus, [str(benchmark_file)])
    assert found(rows) == {("by_id", None, "id"), ("by_address", None, "id"), ("other", "other-1", "question")}
    table = Store(corpus).read_table("tables/contamination.parquet")
    assert table.schema.equals(CONTAMINATION) and not any(table["drop"].to_pylist())
    [question] = [row for row in rows if row["found_by"] == "question"]
    assert question["against"] == "benchmark.json" and question["score"] > 0.7


def test_files_of_a_folder_and_of_a_corpus(corpus, tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "original.mp4").write_bytes(b"film")
    assert found(decontaminate(corpus, [str(folder)])) == {("by_file", None, "file")}
    benchmark = [video("v", name="any", sha256=hashlib.sha256(b"film").hexdigest()), video("w", name="holiday")]
    write_corpus(tmp_path / "benchmark", benchmark, [])
    rows = decontaminate(corpus, [str(tmp_path / "benchmark")])
    assert found(rows) == {("by_file", None, "file"), ("other", None, "id")}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("https://www.youtube.com/watch?v=AAAAAAAAAAA", "https://www.youtube.com/watch?v=BBBBBBBBBBB"),
        ("https://cdn.example.org/abc/master.m3u8", "https://other.example.org/xyz/master.m3u8"),
        ("a/video.mp4", "films/77/video.mp4"),
    ],
)
def test_names_that_many_addresses_have_mean_no_video(tmp_path, theirs, ours):
    write_corpus(tmp_path / "corpus", [video("v", name="x", uri=ours)], [])
    rows = [{"video": theirs, "question": "Who?", "candidates": ["he", "she"], "answer": "he"}]
    (tmp_path / "benchmark.json").write_text(json.dumps(rows))
    assert decontaminate(str(tmp_path / "corpus"), [str(tmp_path / "benchmark.json")]) == []


def test_questions_of_a_corpus_and_of_later_turns_are_compared(corpus, tmp_path):
    asked = {"question": QUESTION, "options": OPTIONS, "form": "conversation"}
    write_corpus(tmp_path / "benchmark", [video("v", name="any")], [pair("v", 1, **asked)])
    assert found(decontaminate(corpus, [str(tmp_path / "benchmark")])) == {("other", "other-1", "question")}
    told = [("human", "Who?"), ("gpt", "He"), ("human", "\n".join([QUESTION, *OPTIONS])), ("gpt", OPTIONS[1])]
    turns = [{"from": who, "value": text} for who, text in told]
    (tmp_path / "turns.json").write_text(json.dumps([{"id": "q", "video": "nowhere", "conversations": turns}]))
    assert found(decontaminate(corpus, [str(tmp_path / "turns.json")])) == {("other", "other-1", "question")}


def test_a_question_that_says_nothing_of_its_video_is_in_no_benchmark(tmp_path):
    question = "Describe the whole video in the order in which things happen."
    for name in ("ours", "theirs"):
        pairs = [pair(name, 1, question=question, options=[], form="summary")]
        write_corpus(tmp_path / name, [video(name, name=f"{name} film")], pairs)
    assert decontaminate(str(tmp_path / "ours"), [str(tmp_path / "theirs")]) == []
    passed = [pair("ours", 1, question=question, options=[], form="conversation")]
    write_corpus(tmp_path / "passed", [video("ours", name="ours film")], passed)
    assert found(decontaminate(str(tmp_path / "passed"), [str(tmp_path / "theirs")]))


def test_questions_without_answers_are_compared(corpus, tmp_path):
    """Benchmarks that hide their answers, and rows of which nothing else can be made."""
    asked = {f"option {i}": text for i, text in enumerate(OPTIONS)}
    several = [{"from": "human", "value": "\n".join(["<image>", QUESTION, *OPTIONS])}, {"from": "gpt", "value": "?"}]
    files = {
        "hidden.json": [{"q_uid": "abcdefgh", "question": QUESTION, **asked}],
        "odd.json": [{"q_uid": "abcdefgh", "question": QUESTION, **asked, "answer": "something else"}],
        "several.json": [{"video": ["a.mp4", "b.mp4"], "conversations": several}],
    }
    for name, rows in files.items():
        (tmp_path / name).write_text(json.dumps(rows))
        lines = []
        assert found(decontaminate(corpus, [str(tmp_path / name)], say=lines.append)) == {
            ("other", "other-1", "question")
        }
        assert len(lines) == 1 and lines[0].startswith("questions in other words were not searched for")


def test_what_is_not_compared_is_told(corpus, tmp_path):
    (tmp_path / "empty.json").write_text(json.dumps([{"video": "abcdefgh", "question": " ", "answer": "He"}]))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(b"other film")
    (folder / "questions.json").write_text('[{"video": ')
    lines = []
    assert decontaminate(corpus, [str(tmp_path / "empty.json"), str(folder)], say=lines.append) == []
    assert any("empty.json" in line and "empty_question 1" in line for line in lines)
    assert any(
        line.startswith("folder: not compared, no annotations of a known form: 1 file, e.g. 'questions.json'")
        for line in lines
    )


def test_videos_of_published_corpora_are_not_compared_by_what_they_show(corpus, tmp_path):
    write_corpus(tmp_path / "benchmark", [video("w", name="else")], [pair("w", 1)])
    lines = []
    decontaminate(corpus, [str(tmp_path / "benchmark")], say=lines.append)
    shown = [line for line in lines if "not by what they show" in line]
    assert [line.split(":")[0] for line in shown] == [corpus, str(tmp_path / "benchmark")]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("question", pa.array([5, 6])),
        ("question", pa.nulls(2, pa.string())),
        ("options", pa.array([[1], [2]])),
        ("options", pa.array([[None], None], pa.list_(pa.string()))),
        ("form", pa.nulls(2, pa.string())),
    ],
)
def test_columns_of_another_type_stop_nothing(corpus, benchmark_file, tmp_path, column, values):
    """In the corpus as in the benchmark: others may have published both."""
    odd = write_corpus(tmp_path / "odd", [video("v", name="holiday")], [pair("v", 1), pair("v", 2)])
    path = "tables/qa.parquet"
    table = odd.read_table(path)
    changed = table.set_column(table.schema.get_field_index(column), column, values)
    odd.write_tables(path, [changed], changed.schema)
    assert ("other", None, "id") in found(decontaminate(corpus, [odd.root]))
    assert decontaminate(odd.root, [str(benchmark_file)]) == []


def test_a_table_of_finds_that_is_none_is_named(corpus, benchmark_file):
    store, strange = Store(corpus), pa.table({"against": [1]})
    store.write_tables("tables/contamination.parquet", [strange], strange.schema)
    with pytest.raises(DamagedFile, match=r"tables/contamination\.parquet: damaged"):
        decontaminate(corpus, [str(benchmark_file)])


def test_a_ban_stays_when_another_benchmark_is_compared(corpus, benchmark_file, tmp_path):
    decontaminate(corpus, [str(benchmark_file)], drop=True)
    rows = [{"video": "unrelated", "question": "Who?", "candidates": ["he", "she"], "answer": "he"}]
    (tmp_path / "second.json").write_text(json.dumps(rows))
    assert decontaminate(corpus, [str(tmp_path / "second.json")], drop=True) == []
    assert read_left_out(Store(corpus)).videos == {"by_id", "by_address"}


def test_what_is_dropped_is_marked_in_the_table_of_pairs(corpus, benchmark_file):
    decontaminate(corpus, [str(benchmark_file)], drop=True)
    store = Store(corpus)
    pairs = store.read_table("tables/qa.parquet").select(WRITTEN.names)
    [table] = with_audit(iter([pairs]), [], read_left_out(store), store)
    assert table.schema.equals(QA_TABLE)
    dropped = dict(zip(table["qa_id"].to_pylist(), table["dropped"].to_pylist(), strict=True))
    assert dropped == {"other-1": "contaminated", "other-2": None, "by_id-3": "contaminated"}
    rows = [{**row, "other_video_id": "by_id"} for row in pairs.to_pylist()]
    [table] = with_audit(iter([pa.Table.from_pylist(rows, WRITTEN)]), [], read_left_out(store), store)
    assert table["dropped"].to_pylist() == ["contaminated"] * 3, "events of a video of a benchmark are quoted nowhere"
    decontaminate(corpus, [str(benchmark_file)])
    assert not read_left_out(store)


def test_several_benchmarks_may_follow_one_option(corpus, benchmark_file, tmp_path, capsys):
    second = tmp_path / "second.json"
    second.write_text(json.dumps([{"video": "holiday.mp4", "question": "Who?", "answer": "he"}]))
    assert run("decontaminate", corpus, "--against", benchmark_file, second) == 0
    said = capsys.readouterr().out
    assert "benchmark.json: by id: 2 videos" in said and "second.json: by id: 1 video" in said


def test_the_command_tells_what_it_found_and_writes_a_sheet(corpus, benchmark_file, tmp_path, capsys):
    sheet = tmp_path / "sheet.csv"
    assert run("decontaminate", corpus, "--against", benchmark_file, "--sheet", sheet) == 0
    said = capsys.readouterr().out
    assert "benchmark.json: by id: 2 videos" in said and "3 finds: they stay in the shards, since without units" in said
    with sheet.open() as stream:
        assert len([*csv.DictReader(stream)]) == 3
    assert run("decontaminate", corpus, "--against", benchmark_file, "--sheet", sheet) == 0
    capsys.readouterr()
    (tmp_path / "mine.csv").write_text("mine")
    assert run("decontaminate", corpus, "--against", benchmark_file, "--sheet", tmp_path / "mine.csv") == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert run("decontaminate", corpus, "--against", tmp_path / "nothing.json") == 2
    assert "nothing.json: no such file" in capsys.readouterr().err
    assert run("decontaminate", tmp_path / "nowhere", "--against", benchmark_file) == 2


def test_a_bad_file_is_an_error_and_formulas_stay_text(corpus, tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text('[{"video": ')
    assert run("decontaminate", corpus, "--against", bad) == 2
    assert "bad.json" in capsys.readouterr().err
    write_corpus(tmp_path / "odd", [video("v", name="=cmd()|' /C'!A0")], [])
    rows = [{"video": "=cmd()|' /C'!A0", "question": "Who?", "candidates": ["he", "she"], "answer": "he"}]
    bad.write_text(json.dumps(rows))
    assert run("decontaminate", tmp_path / "odd", "--against", bad, "--sheet", tmp_path / "s.csv") == 0
    assert "'=cmd()" in (tmp_path / "s.csv").read_text()


@pytest.mark.parametrize(
    ("path", "name", "question"),
    [
        ("mlvu_mc/1_plotQA_40.json", "movie101_66.mp4", MLVU),
        ("longvideobench/lvb_val_150.json", "86CxyhFV9MI", LONG_VIDEO_BENCH),
        ("lvbench/lvbench_clean_200.json", "", LVBENCH),
        ("videomme/test_300.parquet", "fFjv93ACGo8", ""),
    ],
)
def test_real_benchmark_files(tmp_path, path, name, question):
    if not (BENCHMARKS / path).is_file():
        pytest.skip(f"the benchmark files are not here: {BENCHMARKS}")
    videos = [video("v", name=name or "holiday"), video("w", name="something else")]
    pairs = [pair("w", 1, question=question or "What is this?", options=[]), pair("w", 2), pair("v", 3)]
    write_corpus(tmp_path, videos, pairs)
    expected = {("v", None, "id")} if name else set()
    expected |= {("w", "w-1", "question")} if question else set()
    assert found(decontaminate(str(tmp_path), [str(BENCHMARKS / path)])) == expected


def test_questions_of_templates_are_not_those_of_benchmarks(tmp_path):
    if not BENCHMARKS.is_dir():
        pytest.skip(f"the benchmark files are not here: {BENCHMARKS}")
    shutil.copytree(BENCHMARKS / "mlvu_mc", tmp_path / "mlvu")
    question = 'What happens next after the following event: "man {} sings"?'
    pairs = [pair("w", n, question=question.format(n)) for n in range(50)]
    write_corpus(tmp_path / "corpus", [video("w", name="my holiday")], pairs)
    assert decontaminate(str(tmp_path / "corpus"), [str(tmp_path / "mlvu")]) == []
