"""The table `frames`: what each kept frame shows, by which others find the videos of a published corpus again.

About 4 MB per hour of video with 512 numbers per embedding, a hundredth of its tokens. The corpus itself does not need
it, so it is no table of the workspace.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice, pairwise
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from pipeline.tables.damage import UNREADABLE
from pipeline.tables.gather import MADE_OF
from pipeline.tables.workspace import Workspace, read_batches, regroup
from schemas.config import ConfigError, TowerConfig
from schemas.tables.media import SEEN_FRAME
from stages.find_duplicates import Seconds, frames_of, seconds_of
from workers.shots.thumbnails import GRID
from workers.storage.store import Store
from workers.towers.query_embedder import tower_weights

FRAMES = "tables/frames.parquet"
_TOWER = "longvid.tower"
_ROWS = 1 << 14  # of a row group: 20 MB
_VIDEOS = 16  # read ahead
# No video is as long; more would only fill the memory.
_MOST_S, _MOST_FRAMES = 10 * 24 * 3600, 1 << 18
_UNITS = "select distinct video_id, find_shots_unit, embed_units from find_shots where reject is null order by video_id"


def tower_name(tower: TowerConfig) -> str:
    """Returns what embeddings must have in common to be compared: no path, but a digest of the weights."""
    return f"{PurePosixPath(tower.model).name} {tower_weights(tower) or tower.pretrained} {tower.precision}"


def gather_frames(work: Workspace, store: Store, tower: TowerConfig) -> None:
    """Writes the table from the units of `embed` and `find_shots`, unless it is made of the same units already."""
    videos = [*work.rows(_UNITS)]
    units = "\n".join(path for video in videos for path in (video["find_shots_unit"], *video["embed_units"]))
    told = {MADE_OF: hashlib.sha256(units.encode()).hexdigest(), _TOWER: tower_name(tower)}
    with suppress(*UNREADABLE):  # a damaged table is made anew
        if store.exists(FRAMES) and all(store.read_metadata(FRAMES, key) == told[key].encode() for key in told):
            return
    schema = SEEN_FRAME.with_metadata(told)
    store.write_tables(FRAMES, (table.cast(schema) for table in regroup(_tables(videos, store), _ROWS)), schema)


def _tables(videos: list[dict], store: Store) -> Iterator[pa.Table]:
    def read(video: dict) -> pa.Table:
        time_s, end_s, layouts, embeddings_ND = frames_of(video, store)
        columns = {
            "video_id": [video["video_id"]] * len(time_s),
            "time_s": time_s,
            "end_s": np.full(len(time_s), end_s),
            "layout": [layout.tobytes() for layout in layouts],
            "embedding": [vector.tobytes() for vector in embeddings_ND.astype("<f2")],
        }
        return pa.table({name: pa.array(columns[name], SEEN_FRAME.field(name).type) for name in SEEN_FRAME.names})

    rest = iter(videos)
    with ThreadPoolExecutor(4) as pool:
        while some := list(islice(rest, _VIDEOS)):
            yield from pool.map(read, some)


def published_tower(store: Store) -> str:
    """Returns the `tower_name` of the table of a corpus. Raises ConfigError if the table is damaged."""
    try:
        if not (tower := (store.read_metadata(FRAMES, _TOWER) or b"").decode()):
            raise ValueError("it does not name the tower of its embeddings")
        return tower
    except UNREADABLE as error:
        raise _damaged(error) from None


def published_seconds(store: Store) -> Iterator[tuple[str, list[Seconds]]]:
    """Yields the id of each video and its descriptors, as `stages.find_duplicates.read_shifts` gives them from units.

    Raises ConfigError if the table, which others wrote, is damaged.
    """
    try:
        widths = set()
        for table in _by_video(store):
            [video_id] = set(table["video_id"].to_pylist())
            arrays = _arrays(table)
            widths.add(arrays[-1].shape[1])
            if len(widths) > 1:
                raise ValueError("its embeddings have several lengths")
            yield video_id, list(seconds_of(*arrays))
    except (OSError, ValueError, KeyError, IndexError, TypeError, pa.ArrowException) as error:
        raise _damaged(error) from None


def _by_video(store: Store) -> Iterator[pa.Table]:
    """Yields the rows of one video at a time; videos follow one another."""
    held: list[pa.Table] = []
    with store.open(FRAMES) as source:
        for table in (batch.cast(SEEN_FRAME) for batch in read_batches(source)):
            ids = np.array(table["video_id"].to_pylist(), object)
            edges = [0, *(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]
            for start, end in pairwise(edges):
                if held and held[-1]["video_id"][0].as_py() != ids[start]:
                    yield pa.concat_tables(held)
                    held = []
                held.append(table.slice(start, end - start))
                if sum(each.num_rows for each in held) > _MOST_FRAMES:
                    raise ValueError(f"a video of more than {_MOST_FRAMES:,} frames")
    if held:
        yield pa.concat_tables(held)


def _arrays(table: pa.Table) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    rows = len(table)
    layouts = np.frombuffer(b"".join(table["layout"].to_pylist()), np.uint8).reshape(rows, GRID, GRID)
    embeddings = np.frombuffer(b"".join(table["embedding"].to_pylist()), "<f2").reshape(rows, -1).astype(np.float32)
    time_s, end_s = table["time_s"].to_numpy(), float(table["end_s"][0].as_py())
    sizes = np.linalg.norm(embeddings, axis=1)
    if not (np.isfinite(time_s).all() and (np.diff(time_s) >= 0).all() and time_s[-1] <= end_s < time_s[0] + _MOST_S):
        raise ValueError("its times are none of a video")
    if not np.allclose(sizes, 1, atol=0.02):
        raise ValueError("its embeddings are not of length one")
    return time_s, end_s, layouts, embeddings


def _damaged(error: Exception) -> ConfigError:
    return ConfigError(f"{FRAMES}: damaged ({type(error).__name__}: {error}): get it again from who published it")
