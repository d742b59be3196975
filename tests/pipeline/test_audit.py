"""`longvid audit`: which gates fail on the tables of a corpus, and with what exit code."""

import pyarrow.parquet as pq
import pytest

from pipeline.audit import audit
from schemas.config import ConfigError
from stages.qa.audit.checks import PROBLEMS
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import pair, sample, video, write_corpus
from workers.storage.store import Store

VIDEOS = [f"v{i:02d}" for i in range(40)]


def audited(number: int, **columns) -> dict:
    """A pair that no problem was found in; the blind model guesses one in four."""
    name = VIDEOS[number % len(VIDEOS)]
    guess = {"problems": [], "dropped": None, "blind_score": 0.25, "blind_guess": number % 4 == 0}
    return pair(name, number, **guess, option_times=[1.0, 2.0, 3.0, 4.0], asked_times=[9.0], **columns)


def corpus(folder, pairs: list[dict], samples: list[dict] | None = None) -> str:
    write_corpus(folder, [video(name) for name in VIDEOS], pairs, samples)
    return str(folder)


def failed(corpus: str) -> list[str]:
    return [gate.name for gate in audit(corpus) if not gate.holds]


def test_a_good_corpus_holds_all_gates(tmp_path, capsys):
    assert run("audit", corpus(tmp_path, [audited(n) for n in range(400)])) == 0
    said = capsys.readouterr().out
    assert "all 15 gates that were judged hold" in said and "neighbour: blind model over chance" in said
    assert "not judged" not in said


def test_forms_of_few_pairs_are_told_and_not_judged(tmp_path, capsys):
    few = [{**audited(n, form="when"), "blind_guess": None} for n in range(400, 440)]
    guessed = [{**audited(n, form="between"), "blind_guess": True} for n in range(500, 520)]
    assert run("audit", corpus(tmp_path, [*(audited(n) for n in range(400)), *few, *guessed])) == 0
    said = capsys.readouterr().out
    assert "not judged: 2 forms with 60 pairs" in said and "fewer than 300 pairs" in said
    assert {gate.name: gate.pairs for gate in audit(str(tmp_path)) if not gate.is_judged} == {
        "between: blind model over chance": 20,
        "when: blind model over chance": 40,
    }
    assert run("audit", corpus(tmp_path, few)) == 0
    assert "blind" in (said := capsys.readouterr().out) and "not judged: 1 form with 40 pairs" in said


@pytest.mark.parametrize(
    ("changed", "gate"),
    [
        ({"blind_guess": True}, "neighbour: blind model over chance"),
        ({"problems": ["contradiction"]}, "contradiction"),
        ({"task": "event_counting"}, "pairs that ask for a number"),
        ({"problems": None}, "pairs that were not audited"),
        (
            {"options": ["a very long dog", "a cat", "a cow", "a hen"], "answer_index": 0, "option_times": None},
            "neighbour: best single rule",
        ),
    ],
)
def test_each_gate_fails_where_its_value_is_too_high(tmp_path, capsys, changed, gate):
    pairs = [{**audited(n), **(changed if n % 2 else {})} for n in range(400)]
    path = corpus(tmp_path, pairs)
    assert len(failed(path)) == 1 and gate in failed(path)[0]
    assert run("audit", path) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "1 of 15 gates failed" in said
    assert gate not in PROBLEMS or f"{gate}: {PROBLEMS[gate]}" in said


def test_what_was_left_out_is_told_and_may_be_in_no_shard(tmp_path):
    pairs = [audited(n) for n in range(40)]
    pairs[3] |= {"dropped": "guessable", "blind_guess": True}
    path = corpus(tmp_path, pairs, [sample(p) for p in pairs if not p["dropped"]])
    assert failed(path) == []
    assert ("left out: guessable", 1) in [(gate.name, gate.value) for gate in audit(path)]
    corpus(tmp_path, pairs)
    assert failed(path) == ["pairs that were left out and are in shards"]


def test_noted_problems_fail_nothing(tmp_path):
    assert failed(corpus(tmp_path, [{**audited(n), "problems": ["toxic"]} for n in range(40)])) == []


def test_a_corpus_from_before_the_audits_is_told_to_be_built_again(tmp_path, capsys):
    path = corpus(tmp_path, [audited(0)])
    store = Store(path)
    table = store.read_table("tables/qa.parquet").drop_columns(["problems", "option_times"])
    pq.write_table(table, tmp_path / "tables" / "qa.parquet")
    with pytest.raises(ConfigError, match="no column option_times, problems"):
        audit(path)
    assert run("audit", path) == 2
    assert run("audit", tmp_path / "nothing") == 2
