"""What people had left out: videos and pairs of benchmarks, pairs and annotation rows judged wrong."""

import pyarrow as pa
import pytest

from pipeline.tables.damage import DamagedFile
from pipeline.tables.left_out import CONTAMINATION_PATH, REVIEWS_PATH, read_left_out
from schemas.tables.qa import CONTAMINATION, REVIEW
from workers.storage.store import Store


def pair(video_id="v", qa_id="q", other=None, rows=(), file="a.json") -> dict:
    origin = [{"source": "manifest", "file": file, "rows": list(rows)}]
    return {"video_id": video_id, "qa_id": qa_id, "other_video_id": other, "annotations": origin}


@pytest.fixture
def left_out(tmp_path):
    store = Store(tmp_path)
    found = [
        {"video_id": "banned", "qa_id": None, "drop": True},
        {"video_id": "v", "qa_id": "asked", "drop": True},
        {"video_id": "v", "qa_id": "told only", "drop": False},
    ]
    wrong = [{"video_id": "v", "file": "a.json", "row": 3}, {"video_id": "v", "file": "", "row": 4}]
    judged = [
        {"qa_id": "bad", "verdict": "fault", "wrong_rows": []},
        {"qa_id": "worse", "verdict": "source", "wrong_rows": wrong},
        {"qa_id": "fine", "verdict": "minor", "wrong_rows": [{"video_id": "v", "file": "a.json", "row": 5}]},
    ]
    for path, rows, schema in ((CONTAMINATION_PATH, found, CONTAMINATION), (REVIEWS_PATH, judged, REVIEW)):
        store.write_tables(path, [pa.Table.from_pylist(rows, schema)], schema)
    return read_left_out(store)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (pair(), None),
        (pair("banned"), "contaminated"),
        (pair(other="banned"), "contaminated"),
        (pair(qa_id="asked"), "contaminated"),
        (pair(qa_id="told only"), None),
        (pair(qa_id="bad"), "judged_wrong"),
        (pair(qa_id="worse"), "judged_wrong"),
        (pair(rows=[1, 3]), "judged_wrong"),
        (pair(rows=[5]), None),  # the verdict says that the pair is right
        (pair("w", rows=[3]), None),  # of another video's file of the same name
        (pair("w", other="v", rows=[3]), "judged_wrong"),
        (pair("v", other="w", rows=[3]), None),  # made from the rows of the other video
        (pair(rows=[4]), None),
        (pair(rows=[4], file=None), "judged_wrong"),
        ({**pair(), "annotations": None}, None),
    ],
)
def test_why_a_pair_is_left_out(left_out, row, reason):
    assert left_out.reason(row) == reason


def test_nothing_is_left_out_without_tables(tmp_path):
    assert not read_left_out(Store(tmp_path))


def test_a_damaged_table_is_named(tmp_path):
    store = Store(tmp_path)
    store.write_bytes(REVIEWS_PATH, b"PAR1")
    with pytest.raises(DamagedFile, match=r"tables/reviews\.parquet: damaged"):
        read_left_out(store)


def test_the_names_tell_every_change(left_out):
    moved = left_out._replace(pairs=frozenset(), wrong_pairs=left_out.wrong_pairs | left_out.pairs)
    assert moved.names() != left_out.names()
