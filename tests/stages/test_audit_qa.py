"""The audit of all pairs of a corpus, on units that are written directly: what it finds, and what filter_qa leaves."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.config import StageConfig
from schemas.tables.media import EMBEDDING
from schemas.tables.qa import AUDIT, QA
from stages import audit_qa, filter_qa
from stages.audit_qa import AuditQaConfig, choice_of
from stages.qa.audit.blind import BlindConfig
from tests.stages.qa.audit.choices import PLANTS, honest
from tests.stages.qa.audit.rows import row
from workers.storage.store import Store

CONFIG = AuditQaConfig(blind=BlindConfig(min_pairs=100))


def pairs_of(share: float) -> dict[str, list[dict]]:
    """QA rows by video; a share of them has a telling word."""
    rng, made = random.Random(2), {}
    for n, choice in enumerate(honest()):
        choice = PLANTS["word"](choice, rng) if rng.random() < share else choice
        columns = {"question": f"{choice.question} ({n})", "options": list(choice.options), "form": choice.form}
        columns |= {"answer": choice.options[choice.answer_index], "answer_index": choice.answer_index}
        columns |= {"option_times": [60 * t for t in choice.option_times], "asked_times": [30.0]}
        made.setdefault(choice.video_id, []).append(row(video_id=choice.video_id, qa_id=f"q{n}", **columns))
    return made


def unit_of(store: Store, videos: dict[str, list[dict]]) -> dict[str, str]:
    """Writes units of write_qa and embed, a frame every two seconds; gives the unit of audit_qa."""
    frames = [{"time_s": float(t)} for t in range(0, 60, 2)]
    store.write_tables("embed.parquet", [pa.Table.from_pylist(frames, EMBEDDING)], EMBEDDING)
    listed = []
    for name, pairs in sorted(videos.items()):
        path = f"write_qa/{name}.parquet"
        store.write_tables(path, [pa.Table.from_pylist(pairs, QA)], QA)
        listed.append({"video_id": name, "duration_s": 60.0, "write_qa_unit": path, "embed_units": ["embed.parquet"]})
    return {"videos": json.dumps(listed)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def audited(store: Store, videos: dict[str, list[dict]], config: AuditQaConfig = CONFIG) -> list[dict]:
    [table] = audit_qa.run(unit_of(store, videos), config, store)
    assert table.schema == AUDIT
    return table.to_pylist()


def test_a_conversation_in_another_language_than_the_events_is_left_out(store):
    asked = {"realizer": None, "form": "conversation", "options": [], "answer_index": None, "qa_id": "c"}
    spanish = "\u00bfQu\u00e9 mira el hombre cuando la mujer abre la puerta de la casa?"
    told = row(**asked, question=spanish, answer="La cierra y se va a dormir.", language="es")
    other = row(qa_id="v-1", question='What happens next after the following event: "a boy sings"?')
    rows = audited(store, {"v": [row(), told], "w": [{**told, "video_id": "w"}], "x": [other]})
    assert [each["dropped"] for each in rows] == [None, "other_language", None, None]


def test_rows_are_in_the_order_of_the_pairs_and_shortcuts_are_left_out(store):
    videos = pairs_of(share=0.5)
    rows = audited(store, videos)
    assert [r["qa_id"] for r in rows] == [pair["qa_id"] for _, pairs in sorted(videos.items()) for pair in pairs]
    kept = [r for r in rows if r["dropped"] is None]
    assert len(kept) < len(rows)
    assert all(r["blind_score"] is not None for r in rows)
    assert 100 * (sum(r["blind_guess"] for r in kept) / len(kept) - 0.25) <= CONFIG.blind.margin
    assert rows == audited(store, videos)


def test_problems_of_single_pairs_and_between_pairs(store):
    pairs = [
        row(qa_id="good"),
        row(qa_id="again"),
        row(qa_id="unseen", question="Who?", evidence=[{"start_s": 10.5, "end_s": 11.5}]),
        row(qa_id="rude", question="What does the bastard do?"),
        row(qa_id="mail", question="Who is a@b.org?"),
    ]
    rows = {r["qa_id"]: r for r in audited(store, {"v": pairs})}
    assert {name: r["dropped"] for name, r in rows.items()} == {
        "good": None,
        "again": "duplicate",
        "unseen": "no_frame",
        "rude": None,
        "mail": "personal_data",
    }
    assert rows["rude"]["problems"] == ["toxic"]
    strict = CONFIG.model_copy(update={"noted_only": ()})
    assert {r["qa_id"]: r for r in audited(store, {"v": pairs}, strict)}["rude"]["dropped"] == "toxic"


def test_videos_without_pairs_are_no_rows(store):
    assert audited(store, {"v": [], "w": [row(video_id="w")]})[0]["video_id"] == "w"
    assert audited(store, {"v": []}) == []


def test_what_is_left_out_leaves_the_pairs_of_its_video(store):
    unit = unit_of(store, {"v": [row(qa_id="a"), row(qa_id="b"), row(qa_id="c")]})
    path = json.loads(unit["videos"])[0]["write_qa_unit"]
    given = {"video_id": "v", "write_qa_unit": path, "dropped": ["b"]}
    [table] = filter_qa.run(given, StageConfig(), store)
    assert table["qa_id"].to_pylist() == ["a", "c"]
    assert table.schema.equals(QA)


def test_a_changed_gate_runs_nothing_again_and_a_changed_margin_does():
    def path(**columns) -> str:
        return audit_qa.stage(CONFIG.model_copy(update=columns)).unit_path({"videos": "[]"})

    gates = CONFIG.gates.model_copy(update={"max_counting_share": 0.5})
    assert path(gates=gates) == path()
    assert path(blind=BlindConfig(margin=5.0)) != path()


def test_times_are_shares_of_the_video():
    choice = choice_of(row(option_times=[6.0, 30.0, 60.0], asked_times=None), 60.0)
    assert choice.option_times == (0.1, 0.5, 1.0) and choice.asked_times == ()
