"""Videos that show a part of those of a corpus are found: of a bare folder, and of another corpus."""

import json
import shutil
import subprocess

import imageio_ffmpeg
import pytest

from pipeline.decontaminate import decontaminate
from schemas.config import ConfigError
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import write_corpus
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


def test_corpora_of_other_towers_cannot_be_compared(corpus, small_corpus, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(small_corpus.corpus, other)
    told = json.loads((other / "corpus.json").read_text())
    told["recipe"]["embed"]["tower"]["precision"] = "bf16"
    told["recipe"]["distill"]["tower"]["precision"] = "bf16"
    (other / "corpus.json").write_text(json.dumps(told))
    with pytest.raises(ConfigError, match=r"build the benchmark's corpus with the same embed\.tower"):
        decontaminate(str(corpus), [str(other)])


def test_a_folder_is_compared_by_files_alone_where_only_tables_are_there(folder, tmp_path):
    write_corpus(tmp_path / "corpus", [{"video_id": "v", "name": "v"}], [])
    lines = []
    assert decontaminate(str(tmp_path / "corpus"), [str(folder)], say=lines.append) == []
    assert len(lines) == 1 and "holds shards and tables only" in lines[0]
