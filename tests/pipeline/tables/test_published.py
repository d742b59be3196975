"""A corpus of which only shards and tables are there is verified and shown as far as that goes."""

import shutil

import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.tables.published import SAMPLES, samples_of
from pipeline.tables.workspace import Workspace
from tests.pipeline.command_line import run
from tests.pipeline.published_tables import pair, video, write_corpus
from workers.storage.store import Store


@pytest.fixture
def corpus(small_corpus, tmp_path):
    for name in ("shards", "tables"):
        shutil.copytree(small_corpus.corpus / name, tmp_path / "corpus" / name)
    return tmp_path / "corpus"


def test_samples_that_were_written_before_share_alike_are_read(tmp_path):
    """Columns that a later version added are no damage; others that are missing are."""
    write_corpus(tmp_path, [video("a")], [pair("a", 1)])
    store = Store(tmp_path)
    samples = store.read_table(SAMPLES)
    for left_out, message in (("share_alike", None), ("shard", "cannot be used")):
        old = samples.drop_columns([left_out])
        store.write_tables(SAMPLES, [old], old.schema)
        with Workspace() as work:
            found = samples_of(store, work)
            assert (found is None) if message is None else message in found
            assert message or work.num_rows("samples") == 1


def test_samples_without_a_place_cannot_be_used(tmp_path):
    store = write_corpus(tmp_path, [video("a")], [pair("a", 1)], [{"qa_id": "a-1", "video_id": "a", "shard": None}])
    with Workspace() as work:
        assert "column 'shard' is null in 1 of 1 rows" in samples_of(store, work)


def test_status_shows_the_tables(corpus, capsys):
    assert run("status", corpus) == 0
    said = capsys.readouterr().out
    assert "samples" in said
    assert "not_a_video" in said
    assert "only shards and tables are there" in said


def test_a_sample_is_shown_without_its_frames(corpus, capsys, tmp_path):
    assert run("show", corpus) == 0
    assert "keyframe_tokens" in capsys.readouterr().out
    assert run("show", corpus, "--frames", tmp_path / "frames") == 2
    assert "the corpus has no decode units" in capsys.readouterr().err


def test_the_keyframes_of_a_whole_corpus_are_written(small_corpus, tmp_path):
    assert run("show", small_corpus.corpus, "--frames", tmp_path) == 0
    files = list(tmp_path.glob("*.jpg"))
    assert files
    for file in files:
        with Image.open(file) as image:
            image.load()


def test_verify_reads_shards_and_tables(corpus, capsys):
    assert run("verify", corpus) == 0
    said = capsys.readouterr().out
    assert "2 shards" in said
    assert "no problems" in said
    assert "were not checked" in said


def inside_a_page(path):
    """A place in the last page of the largest column: its data has a checksum, headers of pages and the footer none."""
    found = pq.ParquetFile(path).metadata.row_group(0)
    largest = max(map(found.column, range(found.num_columns)), key=lambda column: column.total_compressed_size)
    start = largest.dictionary_page_offset or largest.data_page_offset
    return start + largest.total_compressed_size - 8


@pytest.mark.parametrize("damaged", ["shards/train/000000.tar", "tables/qa.parquet", "tables/samples.parquet"])
def test_damage_is_found(corpus, damaged, capsys):
    path = corpus / damaged
    data = bytearray(path.read_bytes())
    data[inside_a_page(path) if path.suffix == ".parquet" else len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert run("verify", corpus) == 1
    assert damaged in capsys.readouterr().out


def test_query_works_and_what_needs_more_says_so(corpus, capsys):
    assert run("query", corpus, "select count(*) from samples") == 0
    assert run("plan", corpus) == 2
    assert "corpus.json: not there, since only shards and tables were published" in capsys.readouterr().err
