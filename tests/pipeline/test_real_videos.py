"""The main job over all real files: good ones in the corpus, each bad one a reject that says why."""

import json

import pytest

from pipeline.build import build
from pipeline.catalog import open_catalog
from pipeline.manifest import make_manifest, write_manifest
from pipeline.recipe import load_recipe
from pipeline.verify import verify
from schemas.tables import TASKS

pytestmark = pytest.mark.usefixtures("ray_session")

BAD = {
    "odd/audio_only_in_mp4.mp4": "no_video_stream",
    "odd/encrypted_nokey.mp4": "encrypted",
    "odd/opencast_nostreams.mp4": "no_video_stream",
    "odd/text_file_named.mp4": "not_a_video",
    "odd/trunc_mp4_header2669s_0frames.mp4": "no_frames",
    "odd/zero_bytes.mp4": "empty_file",
}


@pytest.fixture(scope="module")
def corpus(videos, tmp_path_factory, ray_session):
    folder = tmp_path_factory.mktemp("real")
    write_manifest(make_manifest(videos), folder / "manifest.jsonl")
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


def test_frames_and_durations_agree_with_a_full_decode(corpus, facts):
    for name, frames, duration_s, fps in ask(corpus, "select name, frame_count, duration_s, average_fps from videos"):
        fact = facts[name]
        # Packets of a damaged stream may be one more than the pictures that come of them.
        assert 0 <= frames - fact["decoded_frames"] <= (1 if fact["decoder_error_lines"] else 0), name
        assert duration_s == pytest.approx(fact["decoded_duration_s"], abs=max(0.05, 2.1 / fps)), name


def test_every_kept_video_has_frames_in_time_order(corpus):
    assert verify(corpus).problems == []
    for name, samples in ask(
        corpus, "select name, sum(num_samples) from segments join videos using (video_id) group by 1"
    ):
        assert samples >= 1, name


def test_pairs_of_all_five_tasks_on_real_video(corpus):
    for name in ("long/bbb_360p_moov_end.mp4", "long/agent327_360p.mp4"):
        tasks = ask(corpus, f"select distinct task from samples where name = '{name}'")
        assert {task for (task,) in tasks} == set(TASKS), name


def test_keyframes_were_sampled_where_they_say(corpus):
    """Identity and time, end to end: the keyframes of a clock's cue lie where frames were kept, in that video."""
    rows = ask(corpus, "select unnest(time_s) as t, duration_s from selections join videos using (video_id)")
    assert rows
    assert all(0 <= time <= duration for time, duration in rows)
