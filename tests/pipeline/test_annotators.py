"""A folder of videos with no annotation at all becomes a corpus: models behind a loopback endpoint."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pipeline.build import build
from pipeline.inputs.manifest import make_manifest, write_manifest
from pipeline.plan import plan
from pipeline.retry import retry
from pipeline.tables.catalog import open_catalog
from tests.endpoint_server import Fault, endpoint_server, user_data
from tests.pipeline.worlds import small_recipe, small_world

EVENTS = ["The dog digs a hole", "A boy climbs a ladder", "The cook peels potatoes", "A train leaves the station"]


def answer(chat):
    """Describes or transcribes a segment, merges nothing and rewords nothing."""
    if "file" in chat:
        words = [{"word": word, "start": 2 + i, "end": 2.5 + i} for i, word in enumerate(("Look", "at", "this."))]
        return {"text": "Look at this.", "words": words}
    told = user_data(chat)
    if "captions" in told:
        return '{"events": []}'
    if "question" in told:
        return json.dumps({"question": told["question"]})
    span = (told["end_s"] - told["start_s"]) / len(EVENTS)
    start = told["start_s"]
    place = f"near the gate {start:.0f}"
    events = [
        {"start_s": start + i * span, "end_s": start + (i + 0.8) * span, "kind": "event", "text": f"{text} {place}"}
        for i, text in enumerate(EVENTS)
    ]
    return json.dumps({"events": events})


def shows_frames(chat) -> bool:
    return "image_url" in str(chat.get("messages"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A manifest of two short videos of which nothing is known."""
    folder = tmp_path_factory.mktemp("videos")
    small_world(folder, seconds=40)
    for file in folder.rglob("*"):
        if file.is_file() and (file.suffix != ".mp4" or file.name == "broken.mp4"):
            file.unlink()
    write_manifest(make_manifest(folder), folder / "manifest.jsonl")
    return folder


def recipe_for(server, *overrides):
    endpoint = [
        f"annotate.endpoint.base_url={server.base_url}",
        "annotate.endpoint.model=m",
        "annotate.endpoint.allow_private_addresses=true",
        "annotate.endpoint.attempts=1",
        "annotate.endpoint.answers=1",
        "annotate.endpoint.speech_model=w",
        "annotate.annotators=[transcribe, caption]",
        "caption.max_frames=4",
        "write_qa.realizer=llm",
    ]
    return small_recipe(*endpoint, *overrides)


def test_videos_without_annotation_become_a_corpus(ray_session, folder, tmp_path):
    """Every fault costs its segment, with the cause; a rerun asks nothing; what failed is done after `retry`."""
    corpus, seen = str(tmp_path / "corpus"), Counter()

    def faulty(chat):
        if shows_frames(chat):
            seen["segments"] += 1
            if seen["segments"] == 1:
                return "I'm sorry, I can't describe this."
        return answer(chat)

    with endpoint_server(faulty) as server:
        recipe = recipe_for(server, "annotate.endpoint.price_in=2.0")
        before = {entry.stage: entry for entry in plan(corpus, recipe, folder / "manifest.jsonl")}
        assert before["caption"].cost["calls"] == 2 and before["caption"].price > 0
        assert before["transcribe"].cost["minutes"] == 10
        assert not before["annotate"].cost
        summary = build(folder / "manifest.jsonl", corpus, recipe, say=str)
        assert not summary.failures
        calls = server.calls
        with open_catalog(corpus) as catalog:
            rejects = catalog.sql("select stage, kind, reason, detail from rejects").fetchall()
            assert rejects == [("caption", "segment", "bad_answer", "no JSON: the model refuses or talks")]
            silent = "select name from videos where video_id not in (select video_id from events) and video_id not in"
            assert not catalog.sql(f"{silent} (select video_id from rejects)").fetchall()
            assert catalog.sql("select distinct source, kind from events order by 1").fetchall() == [
                ("m", "event"),
                ("w", "speech"),
            ]
            [flags] = catalog.sql("select count(*) from videos where 'partly_annotated' in flags").fetchone()
            assert flags == 1
            [pairs] = catalog.sql("select count(*) from samples where provenance = 'model:m'").fetchone()
            assert pairs > 5
        build(folder / "manifest.jsonl", corpus, recipe, say=str)
        assert server.calls == calls
        assert not any(entry.run or entry.cost for entry in plan(corpus, recipe, folder / "manifest.jsonl"))

        assert retry(corpus, reason="bad_answer") == 1
        build(folder / "manifest.jsonl", corpus, recipe, say=str)
        images = sum(map(shows_frames, server.requests[calls:]))
        assert images == 1
        with open_catalog(corpus) as catalog:
            assert catalog.sql("select * from rejects").fetchall() == []
            assert catalog.sql("select * from videos where 'partly_annotated' in flags").fetchall() == []


def test_a_cap_ends_with_one_line_and_rejects_that_a_retry_clears(ray_session, folder, tmp_path):
    corpus = str(tmp_path / "corpus")
    with endpoint_server(lambda chat: Fault(status=500)) as server:
        recipe = recipe_for(server, "annotate.endpoint.max_tokens=100", "annotate.annotators=[caption]")
        summary = build(folder / "manifest.jsonl", corpus, recipe, say=str)
        assert server.calls == 0
    [note] = [note for note in summary.notes if "max_tokens" in note]
    assert note.startswith("annotate.endpoint.max_tokens = 100 is used up: ") and "--reason endpoint_cap" in note
    assert summary.rejects["upstream_rejected"] == 2
    assert retry(corpus, reason="endpoint_cap") >= 2
