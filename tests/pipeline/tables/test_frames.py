"""The table `frames`: when it is made anew. What others find by it is in `tests/pipeline/decontamination`."""

from pathlib import Path

import pyarrow as pa

from pipeline.tables.column_types import table_problem
from pipeline.tables.frames import FRAMES, gather_frames
from pipeline.tables.workspace import Workspace
from schemas.config import TowerConfig
from schemas.tables.media import SEEN_FRAME
from workers.storage.store import Store

_TEXT = pa.string()
_FIND_SHOTS = pa.schema(
    [("video_id", _TEXT), ("find_shots_unit", _TEXT), ("embed_units", pa.list_(_TEXT)), ("reject", _TEXT)]
)


def _gather(store: Store, tower: TowerConfig) -> None:
    with Workspace() as work:
        work.put("find_shots", [], _FIND_SHOTS)
        gather_frames(work, store, tower)


def test_a_damaged_table_is_made_anew(tmp_path):
    store = Store(tmp_path)
    store.write_bytes(FRAMES, b"PAR1 is not all")
    assert table_problem(store, "frames").startswith(f"{FRAMES}: damaged (")
    _gather(store, TowerConfig())
    assert store.read_table(FRAMES).schema.equals(SEEN_FRAME)
    assert table_problem(store, "frames") is None


def test_a_table_of_the_same_units_and_tower_is_left_alone(tmp_path):
    store, file = Store(tmp_path), Path(tmp_path, FRAMES)
    _gather(store, TowerConfig())
    written = file.stat().st_ino
    _gather(store, TowerConfig())
    assert file.stat().st_ino == written
    _gather(store, TowerConfig(precision="bf16"))
    assert file.stat().st_ino != written
