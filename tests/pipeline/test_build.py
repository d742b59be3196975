"""The main job, end to end, on rendered videos: commits, resume, rebuild, plan, verify, retry."""

import io
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import ray
from ray._private.internal_api import get_memory_info_reply, get_state_from_address

from pipeline.build import build
from pipeline.plan import plan
from pipeline.report import show_dropped, show_plan, show_rejects, show_status, show_summary
from pipeline.retry import retry
from pipeline.tables.catalog import open_catalog
from pipeline.terminal import Terminal
from pipeline.verify import verify
from schemas.tables.qa import TASKS
from tests.pipeline.worlds import contents, small_recipe

pytestmark = pytest.mark.usefixtures("without_ray")


@pytest.fixture(scope="module")
def manifest(small_corpus):
    return small_corpus.manifest


@pytest.fixture(scope="module")
def built(small_corpus, tmp_path_factory):
    corpus = shutil.copytree(small_corpus.corpus, tmp_path_factory.mktemp("built") / "corpus")
    return corpus, small_corpus.summary


def ask(corpus, sql):
    with open_catalog(str(corpus)) as catalog:
        return catalog.sql(sql).fetchall()


def test_every_input_is_a_video_or_a_reject(built):
    corpus, summary = built
    assert summary.failures == []
    assert summary.rejects == {"not_a_video": 1}
    assert ask(corpus, "select name from videos union all select name from rejects order by 1") == [
        ("broken",),
        ("demo-11-000",),
        ("demo-11-001",),
    ]


@dataclass(frozen=True)
class OnRay:
    """A corpus of the same manifest that Ray has built, with two workers where the others have one."""

    corpus: Path
    stored_bytes: int
    """What the build put into Ray's object store."""
    spilled_bytes: int
    """What of that went to a disk."""


@pytest.fixture(scope="module")
def on_ray(manifest, ray_session, tmp_path_factory) -> OnRay:
    stages = ("decode", "embed", "find_shots", "find_duplicates", "distill")
    widths = [f"{stage}.resources.workers=[2, 2]" for stage in stages]
    cheap = [f"{stage}.resources.cpus=0.2" for stage in stages]
    corpus, before = tmp_path_factory.mktemp("on_ray"), object_store_bytes()
    summary = build(manifest, str(corpus), small_recipe(*widths, *cheap), say=lambda line: None)
    assert summary.failures == []
    stored, spilled = (after - earlier for after, earlier in zip(object_store_bytes(), before, strict=True))
    return OnRay(corpus, stored, spilled)


def object_store_bytes() -> tuple[int, int]:
    """Bytes put into Ray's object store until now, and those of them that were spilled to disk."""
    state = get_state_from_address(ray.get_runtime_context().gcs_address)
    counts = get_memory_info_reply(state).store_stats
    return counts.cumulative_created_bytes, counts.spilled_bytes_total


def test_what_travels_is_small_and_never_spilled(on_ray):
    assert on_ray.spilled_bytes == 0
    assert 0 < on_ray.stored_bytes < sum(p.stat().st_size for p in (on_ray.corpus / "units").rglob("*.*")) / 10


def test_segments_cover_each_video_in_order(built):
    corpus, _ = built
    for count, lowest, gaps in ask(
        corpus,
        """select count(*), min(segment_index), count(*) filter (start_s <> before) from (
             select *, lag(end_s) over (partition by video_id order by segment_index) as before from segments
           ) group by video_id""",
    ):
        assert (count >= 3, lowest, gaps) == (True, 0, 0)


def test_samples_of_all_tasks_with_tokens(built):
    corpus, summary = built
    assert summary.rows["samples"] == summary.rows["qa"] == summary.rows["selections"] > 20
    # So short a world stays in one scene, and may repeat nothing: nothing can be asked of several scenes, or counted.
    written = {task for (task,) in ask(corpus, "select distinct task from samples")}
    assert {*TASKS} - {"scene_relationship", "event_counting"} <= written <= {*TASKS}
    assert ask(corpus, "select count(*) from samples where num_keyframes not between 1 and 4") == [(0,)]
    assert {split for (split,) in ask(corpus, "select distinct split from samples")} == {"train", "val"}


def test_evidence_lies_in_the_video(built):
    corpus, _ = built
    outside = """select count(*) from (select unnest(evidence) as e, video_id from qa) join videos using (video_id)
                 where e.start_s < 0 or e.end_s > duration_s + 1e-6 or e.start_s >= e.end_s"""
    assert ask(corpus, outside) == [(0,)]


def test_the_same_build_again_does_nothing(built, manifest):
    corpus, _ = built
    before = {path: path.stat().st_mtime_ns for path in (corpus / "units").rglob("*") if path.is_file()}
    bytes_before = contents(corpus)
    summary = build(manifest, str(corpus), small_recipe(), say=lambda line: None)
    assert not summary.ran
    assert contents(corpus) == bytes_before
    assert {path: path.stat().st_mtime_ns for path in (corpus / "units").rglob("*") if path.is_file()} == before


def test_any_number_of_workers_gives_the_bytes_of_one_process(small_corpus, on_ray):
    one, two = contents(small_corpus.corpus), contents(on_ray.corpus)
    assert one.pop("corpus.json") != two.pop("corpus.json")  # it records the widths
    assert one == two


def test_one_changed_knob_reruns_what_depends_on_it_as_the_plan_says(manifest, built, tmp_path):
    corpus, _ = built
    recipe = small_recipe("select.tau=0.5")
    planned = {p.stage: p for p in plan(str(corpus), recipe)}
    assert {name for name, p in planned.items() if p.run or p.later} == {"select", "distill", "group", "pack"}
    assert planned["select"].why == "select.tau: 0.85 -> 0.5"
    assert planned["distill"].why == "its inputs change with select"
    assert planned["select"].run == planned["distill"].run + planned["distill"].later == 2
    try:
        summary = build(manifest, str(corpus), recipe, say=lambda line: None)
        assert set(summary.ran) == {"select", "distill", "group", "pack"}
    finally:
        again = build(manifest, str(corpus), small_recipe(), say=lambda line: None)
    assert set(again.ran) == {"pack"}  # the shards were written over; the units of select and distill were not


def test_the_plan_knows_what_another_frame_size_leaves_alone(built):
    corpus, _ = built
    planned = {p.stage: (p.done, p.run, p.later) for p in plan(str(corpus), small_recipe("decode.short_side=96"))}
    segments = planned["decode"][1]
    assert planned["decode"] == (0, segments, 0)
    assert planned["embed"] == (0, 0, segments)
    assert planned["annotate"] == planned["write_qa"] == (2, 0, 0)
    assert planned["select"] == (0, 2, 0)


def test_verify_names_what_is_damaged(built, manifest):
    corpus, _ = built
    assert verify(str(corpus)).problems == []
    whole = contents(corpus)
    victims = [
        max((corpus / "units" / stage).rglob("*.*"), key=lambda p: p.stat().st_size) for stage in ("decode", "distill")
    ]
    victims += sorted((corpus / "shards").rglob("*.tar"))[:1]
    for victim in victims:
        intact = victim.read_bytes()
        damaged = bytearray(intact)
        damaged[len(damaged) // 2] ^= 1
        victim.write_bytes(damaged)
        (problem,) = verify(str(corpus)).problems
        assert str(victim.relative_to(corpus)) in problem
        victim.write_bytes(intact)
    for victim in victims:
        victim.unlink()
    build(manifest, str(corpus), small_recipe(), say=lambda line: None)
    assert contents(corpus) == whole


def test_a_reject_is_tried_again_when_asked(small_corpus, tmp_path):
    corpus = str(shutil.copytree(small_corpus.corpus, tmp_path / "corpus"))
    assert retry(corpus, where="stage = 'decode'") == 0
    assert retry(corpus, reason="not_a_video") == 1
    assert {p.stage: p.run for p in plan(corpus, small_recipe())}["download"] == 1
    build(small_corpus.manifest, corpus, small_recipe(), say=lambda line: None)
    assert ask(corpus, "select reason, attempts from rejects") == [("not_a_video", 2)]


def test_shards_are_whole_tars_and_tables_have_the_promised_columns(built):
    corpus, _ = built
    for shard in (corpus / "shards").rglob("*.tar"):
        with tarfile.open(shard) as tar:
            assert [m.name.split(".", 1)[1] for m in tar][:3] == ["json", "qa.json", "tokens.safetensors"]
    assert "select_queries" not in pq.read_schema(corpus / "tables" / "qa.parquet").names


def test_what_a_person_sees(built, manifest):
    corpus, summary = built
    out = Terminal(file=io.StringIO(), width=200)
    show_summary(summary, str(corpus), out)
    plans = plan(str(corpus), small_recipe())
    show_plan(plans, out)
    show_status(plans, out)
    show_dropped(str(corpus), out)
    show_rejects(str(corpus), out)
    assert ask(corpus, "select count(*) from dropped where reason = 'repeats' and what = 'pair'")[0][0] > 0
    seen = out.file.getvalue()
    assert "rejected: 1 video, not_a_video" in seen
    assert "Nothing to run: the corpus is whole." in seen
    (frames,) = ask(corpus, "select sum(frames_decoded), sum(frames_to_decode) from segments")
    assert frames[0] == frames[1] > 0
    assert f"decode: {frames[0]:,} frames decoded\n" in seen
    show_plan(plan(str(corpus), small_recipe("decode.jpeg_quality=50")), out)
    assert f"decode: {frames[0]:,} frames to decode\n" in out.file.getvalue()
