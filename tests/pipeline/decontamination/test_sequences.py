"""Videos that show a part of those of a corpus are found: of a bare folder, and of another corpus."""

import json
import shutil
import subprocess

import imageio_ffmpeg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.decontaminate import decontaminate
from pipeline.tables.frames import FRAMES
from pipeline.verify import verify
from schemas.config import ConfigError
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import write_corpus
from tests.pipeline.worlds import small_recipe
from workers.storage.store import Store

CUT_S = 15.4


@pytest.fixture(scope="module")
def corpus(small_corpus, tmp_path_factory):
    """A copy, since the table `contamination` is written into it."""
    copy = tmp_path_factory.mktemp("copy") / "corpus"
    shutil.copytree(small_corpus.corpus, copy)
    return copy


@pytest.fixture(scope="module")
def folder(small_corpus, tmp_path_factory):
    """A cut of the first video at another size, rate and phase, and a file that is no video."""
    folder = tmp_path_factory.mktemp("benchmark")
    first = next(small_corpus.manifest.parent.glob("demo-*-000.mp4"))
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", str(CUT_S), "-i", str(first), "-t", "30"]
    change = ["-vf", "scale=192:108", "-r", "5", "-crf", "34", "-preset", "veryfast", "-an"]
    subprocess.run([*ffmpeg, *change, str(folder / "clip.mp4")], check=True)
    (folder / "broken.mp4").write_text("this is no video")
    return folder


def shown(rows):
    return {(row["name"], row["found"]) for row in rows if row["found_by"] == "sequence"}


@pytest.mark.slow
def test_a_cut_in_a_folder_is_found_at_its_place(corpus, folder, capsys):
    assert run("decontaminate", corpus, "--against", folder) == 0
    said = capsys.readouterr().out
    assert "1 of 2 videos were not compared by what they show: broken.mp4 (not_a_video)" in said
    assert "by sequence: 1 video" in said
    [row] = Store(corpus).read_table("tables/contamination.parquet").to_pylist()
    assert row["name"].endswith("-000") and row["found"] == "clip.mp4" and row["found_by"] == "sequence"
    assert row["offset_s"] == pytest.approx(CUT_S, abs=1.5)
    assert not [path for path in (corpus / ".tmp").rglob("*") if path.is_file()]


def test_a_corpus_is_found_in_a_copy_of_itself(corpus, small_corpus):
    rows = decontaminate(str(corpus), [str(small_corpus.corpus)])
    names = {row["name"] for row in rows if row["found_by"] == "file"}
    assert len(names) == 2 and shown(rows) == {(name, name) for name in names}


def published(corpus, folder):
    for name in ("tables", "shards"):
        shutil.copytree(corpus / name, folder / name)
    return folder


def test_a_published_corpus_is_compared_by_its_table_of_frames(corpus, small_corpus, tmp_path):
    """As by the units, either side and both."""
    expected = {(row["name"], row["found"], row["score"], row["offset_s"]) for row in sequences(corpus, corpus)}
    theirs = published(small_corpus.corpus, tmp_path / "published")
    ours = published(small_corpus.corpus, tmp_path / "ours")
    assert len(expected) == 2
    for own, other in ((corpus, theirs), (ours, small_corpus.corpus), (ours, theirs)):
        lines: list[str] = []
        found = sequences(own, other, lines)
        assert {(row["name"], row["found"], row["score"], row["offset_s"]) for row in found} == expected
        assert not [line for line in lines if "not by what they show" in line]
    assert verify(str(theirs)).problems == []


def sequences(own, other, lines=None):
    rows = decontaminate(str(own), [str(other)], say=[].append if lines is None else lines.append)
    return [row for row in rows if row["found_by"] == "sequence"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("embedding", b"\0" * 7),
        ("embedding", b"\0\x7e" * 8),
        ("layout", b""),
        ("end_s", 1e300),
        ("time_s", float("nan")),
        ("video_id", None),
    ],
)
def test_a_damaged_table_of_frames_is_named(corpus, small_corpus, tmp_path, column, value):
    theirs = published(small_corpus.corpus, tmp_path / "published")
    table = pq.read_table(theirs / FRAMES)
    bad = pa.array([value] * table.num_rows, table.schema.field(column).type)
    pq.write_table(table.set_column(table.schema.get_field_index(column), column, bad), theirs / FRAMES)
    with pytest.raises(ConfigError, match="tables/frames.parquet: damaged"):
        decontaminate(str(corpus), [str(theirs)])


def test_embeddings_of_another_length_are_named(corpus, small_corpus, tmp_path):
    theirs = published(small_corpus.corpus, tmp_path / "published")
    table = pq.read_table(theirs / FRAMES)
    rows = pc.rank(table["video_id"], tiebreaker="dense").to_pylist()
    for widths, error in (((7, 7), "its embeddings have another length: "), ((7, 9), "have several lengths")):
        vectors = [np.eye(1, widths[row % 2], dtype="<f2").tobytes() for row in rows]
        short = table.set_column(table.schema.get_field_index("embedding"), "embedding", pa.array(vectors))
        pq.write_table(short.replace_schema_metadata(table.schema.metadata), theirs / FRAMES)
        with pytest.raises(ConfigError, match=error):
            decontaminate(str(corpus), [str(theirs)])


def test_a_published_corpus_without_frames_or_of_another_tower_is_named(corpus, small_corpus, tmp_path):
    theirs, lines = published(small_corpus.corpus, tmp_path / "published"), []
    table = pq.read_table(theirs / FRAMES)
    pq.write_table(table.replace_schema_metadata({"longvid.tower": "ViT-B-32 openai fp32"}), theirs / FRAMES)
    with pytest.raises(ConfigError, match="embedded by ViT-B-32 openai fp32"):
        decontaminate(str(corpus), [str(theirs)])
    (theirs / FRAMES).unlink()
    decontaminate(str(corpus), [str(theirs)], say=lines.append)
    assert any("holds neither units nor tables/frames.parquet" in line for line in lines)


def test_corpora_of_other_towers_cannot_be_compared(corpus, small_corpus, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(small_corpus.corpus, other)
    told = json.loads((other / "corpus.json").read_text())
    told["recipe"]["embed"]["tower"]["precision"] = "bf16"
    told["recipe"]["distill"]["tower"]["precision"] = "bf16"
    (other / "corpus.json").write_text(json.dumps(told))
    with pytest.raises(ConfigError, match=r"build the benchmark's corpus with the same embed\.tower"):
        decontaminate(str(corpus), [str(other)])


@pytest.mark.slow
@pytest.mark.usefixtures("without_ray")
def test_a_folder_is_compared_with_a_published_corpus_by_the_recipe_that_is_given(small_corpus, folder, tmp_path):
    ours, lines = published(small_corpus.corpus, tmp_path / "ours"), []
    assert decontaminate(str(ours), [str(folder)], say=lines.append) == []
    assert len(lines) == 1 and "no corpus.json that names the tower: give the recipe by --recipe" in lines[0]
    [row] = decontaminate(str(ours), [str(folder)], recipe=small_recipe())
    assert row["name"].endswith("-000") and row["found"] == "clip.mp4" and row["found_by"] == "sequence"
    assert row["offset_s"] == pytest.approx(CUT_S, abs=1.5)
    other = small_recipe("embed.tower.precision=bf16", "distill.tower.precision=bf16")
    with pytest.raises(ConfigError, match=r"the recipe's embed\.tower: embedded by .* bf16, and .* by .* fp32"):
        decontaminate(str(ours), [str(folder)], recipe=other)


def test_a_folder_is_compared_by_files_alone_where_there_are_no_frames(folder, tmp_path):
    write_corpus(tmp_path / "corpus", [{"video_id": "v", "name": "v"}], [])
    lines = []
    assert decontaminate(str(tmp_path / "corpus"), [str(folder)], say=lines.append) == []
    assert len(lines) == 1 and "holds neither units nor tables/frames.parquet" in lines[0]
