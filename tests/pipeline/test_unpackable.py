"""A video that no shard can hold is a reject of its own, and its shard is packed from the rest."""

import json
from pathlib import Path

import pytest

from pipeline.build import build
from pipeline.demo import write_demo
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.pipeline.worlds import contents, small_recipe

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "security"
pytestmark = [
    pytest.mark.usefixtures("ray_session"),
    pytest.mark.skipif(not CASES.is_dir(), reason="the hostile inputs, ../shared/cases/security, are not there"),
]


@pytest.fixture
def manifest(tmp_path) -> Path:
    """Two good videos, each with a good conversation, and three that cannot be written."""
    world = tmp_path / "world"
    write_demo(world, videos=2, seconds=40, seed=11)
    for name, path in zip(("good", "other"), sorted(world.glob("*.mp4")), strict=True):
        path.rename(world / f"{name}.mp4")
    rows = {}
    for case in ("conversation_inf", "conversation_surrogate"):
        for line in filter(None, (CASES / f"{case}.jsonl").read_text().splitlines()):
            row = json.loads(line)
            rows[row["id"]] = row
    rows["equal"] = {**rows["good"], "id": "equal", "uri": str(CASES / "equal_seconds.mkv")}
    (world / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows.values()))
    return world / "m.jsonl"


def test_the_others_are_in_the_shards(manifest, tmp_path):
    corpus = str(tmp_path / "corpus")
    summary = build(manifest, corpus, small_recipe("pack.val_fraction=0.0"), say=lambda line: None)
    assert summary.failures == []
    with open_catalog(corpus) as catalog:
        packed = {name for (name,) in catalog.execute("select distinct name from samples").fetchall()}
        rejects = catalog.execute("select name, kind, reason, detail from rejects").fetchall()
    assert "good" in packed
    assert packed | {name for name, *_ in rejects} == {"good", "inf", "surrogate", "equal"}
    assert all(kind == "video" and reason != "failed" and detail for _, kind, reason, detail in rejects)
    before = contents(tmp_path / "corpus")
    again = build(manifest, corpus, small_recipe("pack.val_fraction=0.0"), say=lambda line: None)
    assert (again.ran, again.failures) == ({}, [])
    assert contents(tmp_path / "corpus") == before
    assert verify(corpus).problems == []
