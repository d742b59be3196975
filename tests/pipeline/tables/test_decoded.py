from itertools import cycle

import pyarrow as pa
import pytest

from pipeline.tables.decoded import DECODED, VIDEOS, count_decoded, frames_decoded
from pipeline.tables.workspace import Workspace
from schemas.tables.media import FRAME
from workers.storage.store import Store

FOUND = (("b.parquet", None), ("a.parquet", None), ("empty.parquet", None), ("gone", "bad"))
A = ("a.parquet", 3, 5, 2, 30, ["64x48"])
B = ("b.parquet", 4, 4, 3, 40, ["32x24", "64x48"])
INGEST = pa.schema([("decode_unit", pa.string()), ("reject", pa.string()), ("frames_to_decode", pa.int32())])


def write_frames(store, path, frames, wanted, sizes=((64, 48),)):
    rows = [
        {"sample_index": i, "wanted": wanted, "decoder_errors": i, "frames_decoded": 10 * (i + 1)}
        | {"source_width": width, "source_height": height}
        for i, (width, height) in zip(range(frames), cycle(sizes), strict=False)
    ]
    store.write_tables(path, [pa.Table.from_pylist(rows, FRAME)], FRAME)


def counts(work):
    return [tuple(row.values()) for t in work.sql("select * from decoded order by 1", DECODED) for row in t.to_pylist()]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    write_frames(store, "a.parquet", 3, wanted=5)
    write_frames(store, "b.parquet", 4, wanted=4, sizes=((64, 48), (32, 24)))
    write_frames(store, "empty.parquet", 0, wanted=4)
    return store


def test_counts_what_came_of_each_segment(store):
    rows = [{"decode_unit": u, "reject": r} for u, r in FOUND]
    with Workspace() as work:
        work.put("ingest", [pa.Table.from_pylist(rows, INGEST)], INGEST)
        count_decoded(work, store)
        assert counts(work) == [A, B, ("empty.parquet", 0, None, None, None, [])]


def test_frames_that_are_decoded_and_those_that_will_be(store):
    rows = [{"decode_unit": "a.parquet", "frames_to_decode": 31}, {"decode_unit": None, "frames_to_decode": 50}]
    rows += [{"decode_unit": None, "frames_to_decode": 7, "reject": "bad"}]
    with Workspace() as work:
        for present, frames in ((rows, (30, 50)), (rows[:1], (30, 0)), ([], (0, 0))):
            work.put("ingest", [pa.Table.from_pylist(present, INGEST)], INGEST)
            count_decoded(work, store)
            assert frames_decoded(work) == frames


def test_what_the_table_knows_is_not_read_again(store):
    known = pa.Table.from_pylist([dict(zip(DECODED.names, A, strict=True))], DECODED)
    store.write_tables("tables/segments.parquet", [known], DECODED)
    store.delete("a.parquet")
    rows = [{"decode_unit": unit} for unit in ("a.parquet", "b.parquet")]
    with Workspace() as work:
        work.put("ingest", [pa.Table.from_pylist(rows, INGEST)], INGEST)
        count_decoded(work, store)
        assert counts(work) == [A, B]


def test_flags_what_came_of_each_video(store):
    schema = pa.schema(
        [
            *(("video_id", pa.string()), ("flags", pa.list_(pa.string())), ("num_samples", pa.int64())),
            *INGEST,
        ]
    )
    videos = {"good": ["c"], "short": ["a"], "changes": ["b"], "parts": ["c", "d"], "none": ["empty"]}
    write_frames(store, "c.parquet", 1, wanted=1)
    write_frames(store, "d.parquet", 1, wanted=1, sizes=((10, 10),))
    rows = [
        {"video_id": video, "flags": ["anamorphic"], "num_samples": 4, "decode_unit": f"{unit}.parquet"}
        for video, units in videos.items()
        for unit in units
    ]
    with Workspace() as work:
        work.put("ingest", [pa.Table.from_pylist(rows, schema)], schema)
        count_decoded(work, store)
        known = pa.schema([("video_id", pa.string()), ("flags", pa.list_(pa.string())), ("decoder_errors", pa.int64())])
        found = [
            row
            for table in work.sql(f"select video_id, flags, decoder_errors from ({VIDEOS})", known)
            for row in table.to_pylist()
        ]
    assert {row["video_id"]: row["decoder_errors"] for row in found} == {
        **{"good": 0, "short": 2, "changes": 3, "parts": 0, "none": 0}
    }
    assert {row["video_id"]: set(row["flags"]) - {"anamorphic"} for row in found} == {
        "good": set(),
        "short": {"partly_decoded", "decoder_errors"},
        "changes": {"decoder_errors", "resolution_changes"},
        "parts": {"resolution_changes"},
        "none": {"partly_decoded"},
    }
