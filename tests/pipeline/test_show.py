"""`longvid show` prints a sample and writes its keyframes, of a corpus that someone else may have written."""

from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pipeline.show import find_sample, show_sample
from pipeline.tables.decoded import SEGMENT_TABLE
from pipeline.terminal import Terminal
from schemas.tables.media import FRAME
from tests.pipeline.command_line import run
from tests.workers.shards import shard_units
from tests.workers.shards.shard_units import pack, write_video
from workers.shards.group import ShardError
from workers.storage.store import Store

NUM_FRAMES = 9


def jpeg(number: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(np.full((8, 8, 3), number * 20, np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def write_frames(store: Store, video_id: str, **changed) -> None:
    """Two decode units of a video, and the table that names them."""
    rows = []
    for first, count in ((0, 5), (5, NUM_FRAMES - 5)):
        unit = f"units/decode/{video_id}-{first}.parquet"
        frames = [
            {**dict.fromkeys(FRAME.names), "sample_index": n, "time_s": float(n), "jpeg": jpeg(n)}
            for n in range(first, first + count)
        ]
        store.write_tables(unit, [pa.Table.from_pylist(frames, FRAME)], FRAME)
        named = {"video_id": video_id, "decode_unit": unit, "first_sample": first, "num_samples": count}
        named |= {"start_s": float(first), "end_s": float(first + count)}
        rows.append({**dict.fromkeys(SEGMENT_TABLE.names), **named, **changed})
    store.write_tables("tables/segments.parquet", [pa.Table.from_pylist(rows, SEGMENT_TABLE)], SEGMENT_TABLE)


@pytest.fixture
def corpus(tmp_path):
    store = Store(tmp_path / "corpus")
    pack(store, [write_video(store, n, NUM_FRAMES) for n in range(2)], val_fraction=0.0)
    write_frames(store, f"{1:016x}")
    return store


def shown(capsys, *words) -> tuple[int, str]:
    code = run("show", *words)
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_sample_is_shown_whole(corpus, capsys):
    code, said = shown(capsys, corpus.root, f"{1:016x}0003")
    assert code == 0
    lines = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert "video n° 1" in lines["video"]
    assert "Question 3?" in lines["question"]
    assert "* réponse 3" in said
    assert "0.75 to 1.75 s" in lines["evidence"]
    assert f"float16 [{NUM_FRAMES}, {shard_units.WIDTH}]" in lines["merged_tokens"]
    assert "clip_tokens" in lines


@pytest.mark.parametrize(("wanted", "qa_id"), [(None, f"{0:016x}0000"), ("video n° 1", f"{1:016x}0000")])
def test_the_first_of_a_video_or_of_all(corpus, capsys, wanted, qa_id):
    code, said = shown(capsys, corpus.root, *([wanted] if wanted else []))
    assert (code, qa_id in said) == (0, True)


@pytest.mark.parametrize("wanted", ["nobody", "no\udce9 UTF-8"])
def test_an_id_that_is_not_there(corpus, capsys, wanted):
    code, said = shown(capsys, corpus.root, wanted)
    assert code == 2
    assert f"{wanted!r} is no qa_id" in said
    assert shown(capsys, corpus.root + "x")[0] == 2


def test_keyframes_are_written_and_nothing_is_overwritten(corpus, capsys, tmp_path):
    folder = tmp_path / "frames"
    code, said = shown(capsys, corpus.root, f"{1:016x}", "--frames", folder)
    assert code == 0
    files = sorted(folder.iterdir())
    times = next(line for line in said.splitlines() if line.startswith(" keyframes")).split()[1:-3]
    expected = [round(float(time.strip(",")) / 0.5) for time in times]
    assert [file.read_bytes() for file in files] == [jpeg(number) for number in expected]
    assert all(str(file) in said for file in files)
    for file in files[:-1]:
        file.unlink()
    files[-1].write_text("mine")
    code, said = shown(capsys, corpus.root, f"{1:016x}", "--frames", folder)
    assert code == 2
    assert "is there already" in said
    assert list(folder.iterdir()) == files[-1:]
    assert files[-1].read_text() == "mine"


def test_a_corpus_without_units_says_so_in_one_line(corpus, capsys, tmp_path):
    corpus.delete_folder("units")
    code, said = shown(capsys, corpus.root, "--frames", tmp_path / "frames")
    assert code == 2
    assert said.splitlines()[-1].startswith("error: the corpus has no decode units")
    assert not (tmp_path / "frames").exists()


def test_paths_that_lead_out_of_the_corpus_are_refused(corpus, capsys, tmp_path):
    (tmp_path / "secret.parquet").write_bytes(b"secret")
    write_frames(corpus, f"{1:016x}", decode_unit="../secret.parquet")
    code, said = shown(capsys, corpus.root, f"{1:016x}", "--frames", tmp_path / "frames")
    assert code == 2
    assert "'../secret.parquet': no file of" in said
    samples = corpus.read_table("tables/samples.parquet")
    shard = pa.array(["../../x.tar"] * samples.num_rows)
    samples = samples.set_column(samples.schema.get_field_index("shard"), "shard", shard)
    corpus.write_tables("tables/samples.parquet", [samples], samples.schema)
    code, said = shown(capsys, corpus.root)
    assert code == 2
    assert "'../../x.tar': no file of" in said


def test_what_is_no_jpeg_is_not_written(corpus, capsys, tmp_path):
    for unit in list(corpus.files("units/decode")):
        rows = [{**frame, "jpeg": b"#!/bin/sh"} for frame in corpus.read_table(unit).to_pylist()]
        corpus.write_tables(unit, [pa.Table.from_pylist(rows, FRAME)], FRAME)
    code, said = shown(capsys, corpus.root, f"{1:016x}", "--frames", tmp_path / "frames")
    assert code == 2
    assert "is no JPEG file" in said
    assert not (tmp_path / "frames").exists()


@pytest.mark.parametrize(
    ("field", "value", "said_of_it"),
    [
        ("question", "\x1b[31mred\x1b[0m [bold]loud[/bold] \u202e", "\\x1b[31mred\\x1b[0m [bold]loud[/bold] \\u202e"),
        ("question", ["no", "text"], "of the wrong type: question"),
        ("evidence", [{"start_s": "soon"}], "evidence.0.start_s"),
    ],
)
def test_fields_of_someone_elses_shard(corpus, capsys, field, value, said_of_it):
    sample = {**find_sample(corpus.root), field: value}
    if isinstance(value, str):
        show_sample(sample, Terminal())
        assert said_of_it in capsys.readouterr().out
    else:
        with pytest.raises(ShardError, match=said_of_it):
            show_sample(sample, Terminal())
