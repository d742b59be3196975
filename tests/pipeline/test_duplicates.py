"""A build over videos with planted copies: shots and duplicates as tables, the same whatever the widths."""

import json
import shutil
import subprocess

import imageio_ffmpeg
import pytest

from pipeline.build import build
from pipeline.demo import write_demo
from pipeline.demo.corpus import script_of
from pipeline.inputs.recipe import load_recipe
from pipeline.plan import plan
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import contents

pytestmark = pytest.mark.slow

SECONDS, SEED = 80, 31
# What is done to the first video, the name its copy has in the manifest, and where the copy starts in it.
COPIES = {
    "smaller": (["-vf", "scale=192:108", "-crf", "36", "-g", "77", "-sc_threshold", "0"], 0.0),
    "trimmed": (["-ss", "20", "-t", "50", "-crf", "28"], 20.0),
    "boxed": (["-vf", "pad=iw:iw*3/4:0:(oh-ih)/2", "-crf", "28"], 0.0),
    "cropped": (["-vf", "crop=220:124,scale=256:144", "-crf", "28"], 0.0),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies")
    manifest = write_demo(folder, videos=3, seconds=SECONDS, seed=SEED)
    first = folder / f"demo-{SEED}-000.mp4"
    for name, (options, _) in COPIES.items():
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(first)]
        subprocess.run([*ffmpeg, *options, "-preset", "veryfast", str(folder / f"{name}.mp4")], check=True)
    shutil.copyfile(first, folder / "same.mp4")
    with manifest.open("a") as rows:
        rows.writelines(json.dumps({"id": name, "uri": f"{name}.mp4"}) + "\n" for name in [*COPIES, "same"])
    return manifest


def recipe(*overrides: str):
    return load_recipe("demo", ["annotate.resources.cpus=0.2", *overrides])


@pytest.fixture(scope="module")
def corpus(manifest, tmp_path_factory):
    corpus = tmp_path_factory.mktemp("corpus")
    with in_process():
        summary = build(manifest, str(corpus), recipe(), say=lambda line: None)
    assert summary.failures == [] and summary.rows["duplicates"] >= len(COPIES) + 1
    return corpus


def ask(corpus, sql):
    with open_catalog(str(corpus)) as catalog:
        return catalog.sql(sql).fetchall()


PAIRS = """
    select a.name, b.name, similarity, covered, covered_of_other, offset_s, exact
    from duplicates d join videos a using (video_id) join videos b on b.video_id = d.duplicate_of"""


def test_every_copy_is_found_and_no_other_video(corpus):
    """One of the copies has other key frames, so its samples have another phase."""
    phases = "select distinct sample_phase from segments join videos using (video_id) where name in ('same', 'smaller')"
    assert len(ask(corpus, phases)) == 2
    family = {f"demo-{SEED}-000", "same", *COPIES}
    found = ask(corpus, PAIRS)
    assert {name for row in found for name in row[:2]} == family
    assert all({*row[:2]} <= family for row in found)


def test_the_same_file_is_an_exact_duplicate(corpus):
    exact = [row for row in ask(corpus, PAIRS) if row[6]]
    assert [({*row[:2]}, *row[2:6]) for row in exact] == [({"same", f"demo-{SEED}-000"}, 1.0, 1.0, 1.0, 0.0)]


def test_copies_lie_where_they_were_taken_from(corpus):
    """Against the original, or the same file under its other name: whichever has the lower id."""
    starts = {name: start for name, (_, start) in COPIES.items()} | {"same": 0.0, f"demo-{SEED}-000": 0.0}
    for name, other, similarity, *_, offset_s, _ in ask(corpus, PAIRS):
        assert similarity >= 0.5
        assert offset_s == pytest.approx(starts[name] - starts[other], abs=1.0), (name, other)


def test_shots_are_the_scenes(corpus):
    # A cut is told as the middle of the two frames around it, which the default tolerance lets be 1.5 s apart.
    for index in range(3):
        true = [scene.start_s for scene in script_of(index, seconds=SECONDS, seed=SEED).scenes]
        name = f"demo-{SEED}-{index:03d}"
        query = f"select start_s from shots join videos using (video_id) where name = '{name}' order by shot_index"
        assert [s for (s,) in ask(corpus, query)] == pytest.approx(true, abs=0.75)


def test_shots_tile_their_videos(corpus):
    gaps = """
        select count(*) from (
            select start_s, lag(end_s, 1, v.first_frame_s) over (partition by video_id order by shot_index) as before
            from shots join videos v using (video_id)
        ) where start_s <> before"""
    ends = """
        select count(*) from videos v join (select video_id, max(end_s) as end_s from shots group by 1) using (video_id)
        where abs(v.first_frame_s + v.duration_s - end_s) < 1e-9"""
    assert ask(corpus, gaps) == [(0,)]
    assert ask(corpus, ends) == ask(corpus, "select count(*) from videos") == [(8,)]


def test_the_corpus_is_whole_and_nothing_is_left_to_do(corpus):
    assert verify(str(corpus)).problems == []
    assert not any(p.run or p.later for p in plan(str(corpus), recipe()))


def test_stricter_copies_run_again_and_nothing_else(corpus):
    planned = {p.stage: p for p in plan(str(corpus), recipe("find_duplicates.agreement=0.9"))}
    assert {name for name, p in planned.items() if p.run or p.later} == {"find_duplicates"}
    planned = {p.stage: p for p in plan(str(corpus), recipe("find_shots.pixel_change=0.5"))}
    assert {name for name, p in planned.items() if p.run or p.later} == {"find_shots", "find_duplicates"}


@pytest.mark.soak
def test_widths_change_no_byte(corpus, manifest, tmp_path, ray_session):
    stages = ("decode", "embed", "find_shots", "find_duplicates")
    widths = [f"{stage}.resources.workers=[2, 2]" for stage in stages]
    cheap = [f"{stage}.resources.cpus=0.2" for stage in stages]
    build(manifest, str(tmp_path), recipe(*widths, *cheap), say=lambda line: None)
    one, two = contents(corpus), contents(tmp_path)
    assert one.pop("corpus.json") != two.pop("corpus.json")
    assert one == two
