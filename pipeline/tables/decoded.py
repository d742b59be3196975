"""The numbers of decoded frames of segments: counted once in decode units, later read from the table `segments`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from pipeline.tables.workspace import Workspace, read_batches
from schemas.tables.media import SEGMENT, VIDEO
from schemas.tables.text import ANNOTATION
from workers.storage.store import Store

DECODED = pa.schema(
    [
        ("decode_unit", pa.string()),  # contains the frames as JPEG
        ("num_frames", pa.int32()),
        ("num_wanted", pa.int32()),  # more than num_frames if some cannot be decoded; null if there are none
        ("num_decoder_errors", pa.int32()),  # frames on which the decoder reported errors
        ("frames_decoded", pa.int32()),  # to get the kept ones; null: unknown to the decoder
        ("source_sizes", pa.list_(pa.string())),  # "640x360"; several if the stream changes
    ]
)
UNIT = pa.schema([DECODED.field("decode_unit")])
SEGMENT_TABLE = pa.schema([*SEGMENT, *DECODED])
VIDEO_TABLE = pa.schema(
    [
        *VIDEO,
        ("decoded_share", pa.float64()),  # of the wanted frames
        ("decoder_errors", pa.int64()),  # frames on which the decoder reported errors, kept or not
        # Null: not annotated yet; above 0, the video has the flag of that name.
        ANNOTATION.field("events_outside_video"),
    ]
)

# The results of ingest without its rejects; a condition on the video may be appended.
VIDEOS = """
    select * exclude (flags, sizes), null as events_outside_video, flags || list_filter([
        case when decoded_share < 1 then 'partly_decoded' end,
        case when decoder_errors > 0 then 'decoder_errors' end,
        case when sizes > 1 then 'resolution_changes' end
    ], lambda flag: flag is not null) as flags
    from (select distinct on (video_id) * from ingest where reject is null order by video_id) join (
        select
            video_id,
            sum(coalesce(num_frames, 0)) / sum(coalesce(num_wanted, num_samples)) as decoded_share,
            coalesce(sum(num_decoder_errors), 0)::bigint as decoder_errors,
            len(list_distinct(flatten(list(coalesce(source_sizes, []))))) as sizes
        from ingest left join decoded using (decode_unit) group by video_id
    ) using (video_id)"""
# The same after the phase of annotation.
ANNOTATED_VIDEOS = f"""
    select v.* exclude (flags, events_outside_video), q.events_outside_video,
           v.flags || coalesce(q.annotation_flags, []) as flags
    from ({VIDEOS}) v left join questions q using (video_id)"""
SEGMENTS = "select * from (select * from ingest join decoded using (decode_unit) where reject is null)"

_UNITS = "select distinct decode_unit from ingest where reject is null and decode_unit is not null"
_KNOWN = f"select * from known where decode_unit in ({_UNITS})"
_NEW = f"select decode_unit from ({_UNITS}) where decode_unit not in (select decode_unit from known)"


_FRAMES = f"""
    select coalesce((select sum(frames_decoded) from decoded where decode_unit in ({_UNITS})), 0) as done,
           coalesce((select sum(frames_to_decode) from ingest where reject is null and decode_unit is null), 0)
           as to_do"""


def frames_decoded(work: Workspace) -> tuple[int, int]:
    """Returns the number of decoded frames, and the predicted number for segments that are not decoded yet."""
    (row,) = work.rows(_FRAMES)
    return int(row["done"]), int(row["to_do"])


def count_decoded(work: Workspace, store: Store) -> None:
    """Creates the table `decoded` in the workspace, with one row per decode unit."""
    known = "tables/segments.parquet"
    work.put("known", _published(store, known), DECODED)
    work.put("decoded", _both(work, store), DECODED)


def _published(store: Store, path: str) -> Iterator[pa.Table]:
    if store.exists(path):
        with store.open(path) as source:
            for table in read_batches(source):
                if set(DECODED.names) <= set(table.column_names):
                    yield table


def _both(work: Workspace, store: Store) -> Iterator[pa.Table]:
    yield from work.sql(_KNOWN, DECODED)
    with ThreadPoolExecutor(8) as pool:
        for table in work.sql(_NEW, UNIT):
            yield pa.Table.from_pylist(list(pool.map(lambda unit: _count(store, unit), table[0].to_pylist())), DECODED)


def _count(store: Store, unit: str) -> dict:
    frames = store.read_table(unit, ["wanted", "decoder_errors", "frames_decoded", "source_width", "source_height"])
    sizes = frames.group_by(["source_width", "source_height"]).aggregate([]).to_pylist()
    last = frames.slice(max(0, len(frames) - 1)).to_pylist()
    return {
        "decode_unit": unit,
        "num_frames": len(frames),
        "num_wanted": last[0]["wanted"] if last else None,
        "num_decoder_errors": last[0]["decoder_errors"] if last else None,
        "frames_decoded": last[0]["frames_decoded"] if last else None,
        "source_sizes": sorted(f"{size['source_width']}x{size['source_height']}" for size in sizes),
    }
