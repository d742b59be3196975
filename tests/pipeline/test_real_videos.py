"""The main job over all real files: good ones in the corpus, each bad one a reject that says why."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import webdataset

from pipeline.build import build
from pipeline.inputs.manifest_writer import make_manifest, write_manifest
from pipeline.inputs.recipe import load_recipe
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.pipeline.in_process import in_process

pytestmark = pytest.mark.slow

BAD = {
    "odd/audio_only_in_mp4.mp4": "no_video_stream",
    "odd/encrypted_nokey.mp4": "encrypted",
    "odd/opencast_nostreams.mp4": "no_video_stream",
    "odd/text_file_named.mp4": "not_a_video",
    "odd/trunc_mp4_header2669s_0frames.mp4": "no_frames",
    "odd/zero_bytes.mp4": "empty_file",
}


@pytest.fixture(scope="module")
def corpus(videos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    write_manifest(make_manifest(videos), folder / "manifest.jsonl")
    with in_process():
        summary = build(folder / "manifest.jsonl", str(folder), load_recipe("demo"), say=lambda line: None)
    assert summary.failures == []
    return str(folder)


@pytest.fixture(scope="module")
def facts(videos):
    return {row["path"]: row for row in map(json.loads, (videos / "facts.jsonl").open())}


def ask(corpus, sql):
    with open_catalog(corpus) as catalog:
        return catalog.sql(sql).fetchall()


def test_each_file_is_a_video_or_a_reject_with_its_reason(corpus, facts):
    assert dict(ask(corpus, "select name, reason from rejects")) == BAD
    assert {name for (name,) in ask(corpus, "select name from videos")} == facts.keys() - BAD.keys()


def test_what_did_not_decode_is_told(corpus):
    told = ask(corpus, "select name, decoded_share from videos where list_contains(flags, 'partly_decoded')")
    assert told == [("odd/decord_corrupted.mp4", pytest.approx(49 / 50))]
    kept = "select decode_unit, num_frames from segments where num_frames < num_wanted"
    assert [frames for _, frames in ask(corpus, kept)] == [49]


def test_frames_and_durations_agree_with_a_full_decode(corpus, facts):
    for name, frames, duration_s, fps in ask(corpus, "select name, frame_count, duration_s, average_fps from videos"):
        fact = facts[name]
        # Packets of a damaged stream may be one more than the frames that come of them.
        assert 0 <= frames - fact["decoded_frames"] <= (1 if fact["decoder_error_lines"] else 0), name
        assert duration_s == pytest.approx(fact["decoded_duration_s"], abs=max(0.05, 2.1 / fps)), name


def test_the_corpus_is_whole_and_every_kept_video_is_sampled(corpus):
    assert verify(corpus).problems == []
    sampled = ask(corpus, "select name, sum(num_samples) from videos left join segments using (video_id) group by 1")
    assert all(count for _, count in sampled)


def test_pairs_of_real_annotation(corpus):
    """One film has events and scenes; the other has speech alone, so its pairs carry the transcript."""
    tasks = dict(ask(corpus, "select name, list(distinct task) from samples group by name"))
    spoken = {"temporal_grounding", "event_relationship"}
    assert set(tasks["long/bbb_360p_moov_end.mp4"]) == {*spoken, "captioning", "scene_relationship"}
    assert set(tasks["long/agent327_360p.mp4"]) == spoken


def test_keyframes_and_times_are_those_of_their_own_video(corpus):
    """Identity and time, end to end: what was selected is what lies in the shard, read by plain webdataset."""
    selected = dict(ask(corpus, "select qa_id, time_s from selections"))
    read = set()
    for shard in sorted(Path(corpus).glob("shards/*/*.tar")):
        for sample in webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False):
            tokens = safetensors.numpy.load(sample["tokens.safetensors"])
            assert (np.diff(tokens["time_s"]) > 0).all()
            for pair, rows in zip(json.loads(sample["qa.json"]), tokens["query_keyframes"], strict=True):
                assert tokens["time_s"][tokens["keyframes"][rows[rows >= 0]]].tolist() == selected[pair["qa_id"]]
                read.add(pair["qa_id"])
    assert read == selected.keys()


def test_evidence_lies_in_its_video(corpus):
    durations = dict(ask(corpus, "select video_id, first_frame_s + duration_s from videos"))
    for video_id, span in ask(corpus, "select video_id, unnest(evidence) from qa"):
        assert 0 <= span["start_s"] < span["end_s"] <= durations[video_id] + 1e-6
