"""A folder of videos with no annotation at all becomes a corpus: models behind a loopback endpoint."""

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks._endpoint_server import endpoint_server, user_data
from pipeline.build import build
from pipeline.inputs.manifest_writer import make_manifest, write_manifest
from pipeline.inputs.recipe import override
from pipeline.plan import plan
from pipeline.retry import retry
from pipeline.tables.catalog import open_catalog
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


@pytest.mark.slow
def test_videos_without_annotation_become_a_corpus(without_ray, folder, tmp_path):
    """The cap stops all with one line; a fault costs its segment, with the cause; a rerun asks nothing; what was
    rejected is done after `retry`."""
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
        assert before["merge_captions"].cost["calls"] == 2
        assert before["transcribe"].cost["minutes"] == 10
        assert not before["annotate"].cost
        capped = override(recipe, ["annotate.endpoint.max_tokens=100"])
        summary = build(folder / "manifest.jsonl", corpus, capped, say=str)
        [note] = [note for note in summary.notes if "max_tokens" in note]
        assert note.startswith("annotate.endpoint.max_tokens = 100 is used up: ") and "--reason endpoint_cap" in note
        assert summary.rejects == {"upstream_rejected": 2} and not any(map(shows_frames, server.requests))
        assert retry(corpus, reason="endpoint_cap") >= 2

        summary = build(folder / "manifest.jsonl", corpus, recipe, say=str)
        assert not summary.failures
        [note] = [note for note in summary.notes if "bad_answer" in note]
        assert note.startswith("no JSON: the model refuses or answers in prose: the answers about 1 units")
        calls = server.calls
        assert sum("captions" in user_data(chat) for chat in server.requests if "file" not in chat) == 2
        with open_catalog(corpus) as catalog:
            rejects = catalog.sql("select stage, kind, reason, detail from rejects").fetchall()
            assert rejects == [("caption", "segment", "bad_answer", "no JSON: the model refuses or answers in prose")]
            silent = "select name from videos where video_id not in (select video_id from events) and video_id not in"
            assert not catalog.sql(f"{silent} (select video_id from rejects)").fetchall()
            assert catalog.sql("select distinct source, kind from events order by 1").fetchall() == [
                ("m", "event"),
                ("w", "speech"),
            ]
            partly = "select 1 from videos where list_contains(flags, 'partly_annotated')"
            assert len(catalog.sql(partly).fetchall()) == 1
            assert len(catalog.sql("select 1 from qa where provenance = 'model:m'").fetchall()) > 3
        build(folder / "manifest.jsonl", corpus, recipe, say=str)
        assert server.calls == calls
        assert not any(entry.run or entry.cost for entry in plan(corpus, recipe, folder / "manifest.jsonl"))

        assert retry(corpus, reason="bad_answer") == 1
        build(folder / "manifest.jsonl", corpus, recipe, say=str)
        images = sum(map(shows_frames, server.requests[calls:]))
        assert images == 1
        with open_catalog(corpus) as catalog:
            assert catalog.sql("select * from rejects").fetchall() == []
            assert catalog.sql(partly).fetchall() == []
