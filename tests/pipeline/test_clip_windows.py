"""A clip list becomes a corpus of one sample per row; its video is fetched, decoded and embedded once."""

import json

import pytest

from pipeline.build import build
from pipeline.tables.catalog import open_catalog
from pipeline.verify import verify
from schemas.config import ConfigError
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import small_recipe, small_world
from workers.shards import samples

CLIPS = [
    (2.0, 9.5, "The red circle jumps"),
    ("00:00:12.500", "00:00:21", "A boy climbs a ladder"),
    (24, 26, "A train leaves the station"),
    (30, 39, ""),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    small_world(folder, videos=1, seconds=40)
    [video] = [path for path in folder.rglob("*.mp4") if path.name != "broken.mp4"]
    rows = [
        {"uri": str(video), "id": f"clip {n}", "start_s": s, "end_s": e, "text": t} for n, (s, e, t) in enumerate(CLIPS)
    ]
    (folder / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = small_recipe("write_qa.clips=windows", "distill.hico=false")
    with in_process():
        summary = build(folder / "clips.jsonl", str(folder / "corpus"), recipe, say=lambda line: None)
    assert (summary.failures, summary.rejects) == ([], {})
    return folder / "corpus"


def test_windows_have_no_clip_tokens():
    with pytest.raises(ConfigError, match=r"write_qa.clips = windows: .* Set distill.hico=false"):
        small_recipe("write_qa.clips=windows", "distill.hico=true")


def ask(corpus, sql):
    with open_catalog(str(corpus)) as catalog:
        return catalog.sql(sql).fetchall()


def test_the_video_is_taken_once_and_each_row_is_a_sample(corpus):
    assert ask(corpus, "select count(*), count(distinct sha256) from videos") == [(1, 1)]
    assert ask(corpus, "select count(*), count(distinct segment_index) from segments") == [(2, 2)]
    assert ask(
        corpus, "select sample_window.start_s, count(distinct sample_key) from samples group by 1 order by 1"
    ) == [
        (2.0, 1),
        (12.5, 1),
        (24.0, 1),
    ]
    assert ask(corpus, "select distinct duration_s from samples where sample_window.start_s = 2")[0][
        0
    ] == pytest.approx(7.5)
    assert verify(str(corpus)).problems == []


def test_a_sample_has_the_frames_of_its_window_on_its_own_clock(corpus):
    found = list(samples([str(path) for path in sorted((corpus / "shards").rglob("*.tar"))]))
    assert found
    for sample in found:
        own = sample["sample_window"]
        length = own["end_s"] - own["start_s"]
        assert sample["duration_s"] == pytest.approx(length)
        if length > 1:
            assert -0.01 <= sample["time_s"].min() <= sample["time_s"].max() <= length + 0.01
        assert len(sample["keyframes"]) >= 1
        assert len(sample["merged_tokens"]) == len(sample["time_s"]) <= length + 1.5
        assert all(0 <= span["start_s"] < span["end_s"] <= length for span in sample["evidence"])
