"""find_duplicates: copies that are known, among videos that only look similar."""

import numpy as np
import pyarrow as pa
import pytest

from schemas.tables.media import DUPLICATE, EMBEDDING, SHOT
from stages.find_duplicates import FindDuplicatesConfig, run, stage
from workers.shots.thumbnails import GRID
from workers.storage.arrow_vectors import to_column
from workers.storage.store import Store


def walk(seconds: int, seed: int, width: int = 24) -> np.ndarray:
    """float [seconds, GRID * GRID + width]: layouts and directions that change every few seconds and drift between."""
    rng = np.random.default_rng(seed)
    changes = rng.random(seconds) < 0.2
    scenes = rng.normal(size=(seconds + 1, GRID * GRID + width))[np.cumsum(changes)]
    return scenes + 0.15 * rng.normal(size=scenes.shape)


def put(store: Store, name: str, look: np.ndarray, sha256: str = "", start_s: float = 0.0) -> dict:
    """Writes a video's units; gives the struct that the stage reads."""
    time_s = start_s + np.arange(len(look))
    vectors = look[:, GRID * GRID :]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    layouts = np.clip(128 + 40 * look[:, : GRID * GRID], 0, 255).astype(np.uint8)
    shot = {"video_id": name, "start_s": start_s, "end_s": start_s + len(look), "layouts": layouts.tobytes()}
    store.write_tables(f"{name}.shots", [pa.Table.from_pylist([shot] if len(look) else [], SHOT)], SHOT)
    columns = {"video_id": [name] * len(look), "segment_id": [name] * len(look), "sample_index": range(len(look))}
    embedding = to_column(vectors.astype(np.float16))
    store.write_tables(
        f"{name}.e", [pa.table({**columns, "time_s": time_s, "embedding": embedding}, EMBEDDING)], EMBEDDING
    )
    units = {"find_shots_unit": f"{name}.shots", "embed_units": [f"{name}.e"]}
    return {"video_id": name, "sha256": sha256 or name, **units}


def duplicates(store: Store, video: dict, *others: dict, **config) -> list[dict]:
    (table,) = run({**video, "others": list(others)}, FindDuplicatesConfig(**config), store)
    assert table.schema == DUPLICATE
    return table.to_pylist()


def noisy(look: np.ndarray, amount: float = 0.3) -> np.ndarray:
    return look + amount * np.random.default_rng(99).normal(size=look.shape)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_a_noisy_copy_is_found_and_another_video_is_not(store):
    look = walk(120, 1)
    original, other = put(store, "a", look), put(store, "b", walk(150, 2))
    (row,) = duplicates(store, put(store, "c", noisy(look)), original, other)
    assert (row["video_id"], row["duplicate_of"], row["exact"], row["offset_s"]) == ("c", "a", False, 0.0)
    assert row["similarity"] > 0.8 and row["covered"] == row["covered_of_other"] == 1.0


@pytest.mark.parametrize(("start", "end"), [(30, 120), (0, 80), (25, 95)])
def test_a_trimmed_copy_has_its_offset(store, start, end):
    look = walk(120, 3)
    original = put(store, "a", look, start_s=2.5)
    (row,) = duplicates(store, put(store, "b", noisy(look[start:end])), original)
    assert row["offset_s"] == pytest.approx(start + 2.5)
    assert row["covered"] == 1.0 and row["covered_of_other"] == pytest.approx((end - start) / 120, abs=0.01)
    (back,) = duplicates(store, {**original, "video_id": "z"}, put(store, "b", noisy(look[start:end])))
    assert back["offset_s"] == -row["offset_s"] and back["similarity"] == pytest.approx(row["similarity"])


@pytest.mark.parametrize("phase", [0.25, 0.5, 0.75])
def test_a_copy_that_was_sampled_with_another_phase_is_found(store, phase):
    look = np.repeat(walk(120, 3), 4, axis=0)[3:]  # what changes does so between the samples of both
    original = put(store, "a", look[::4])
    (row,) = duplicates(store, put(store, "b", noisy(look[int(4 * phase) :: 4]), start_s=phase), original)
    assert row["covered"] > 0.95 and row["similarity"] > 0.6
    assert abs(row["offset_s"]) < 1


def test_a_common_opening_is_no_copy(store):
    opening = walk(30, 4)
    first, second = (np.concatenate([opening, walk(120, seed)]) for seed in (5, 6))
    assert duplicates(store, put(store, "b", second), put(store, "a", first)) == []
    assert len(duplicates(store, put(store, "b", second), put(store, "a", first), covered=0.2, agreement=0.15)) == 1


def test_another_hour_of_the_same_room_is_no_copy(store):
    """Looks that are similar all the time, as of a fixed camera: what changes in them is another thing."""
    room = walk(1, 7)
    hours = [room + 0.3 * walk(200, seed) for seed in (8, 9)]
    first, second = (put(store, name, hour) for name, hour in zip("ab", hours, strict=True))
    assert duplicates(store, second, first) == []
    assert len(duplicates(store, put(store, "c", noisy(hours[0], 0.05)), first, second)) == 1


def test_still_videos_are_compared_by_their_looks(store):
    first, other = np.repeat(walk(1, 10), 60, axis=0), np.repeat(walk(1, 11), 60, axis=0)
    rows = duplicates(store, put(store, "c", noisy(first[:50], 0.02)), put(store, "a", first), put(store, "b", other))
    assert [row["duplicate_of"] for row in rows] == ["a"]


def test_the_same_file_is_told_without_looking(store):
    original = {"video_id": "a", "sha256": "s", "find_shots_unit": "gone", "embed_units": ["gone"]}
    (row,) = duplicates(store, {**original, "video_id": "b"}, original)
    assert row == {
        **{"video_id": "b", "duplicate_of": "a", "exact": True, "offset_s": 0.0},
        **{"similarity": 1.0, "covered": 1.0, "covered_of_other": 1.0},
    }


def test_too_short_or_empty_videos_are_not_compared(store):
    look = walk(9, 12)
    assert duplicates(store, put(store, "b", look), put(store, "a", look)) == []
    empty = put(store, "c", look[:0])
    assert duplicates(store, empty, put(store, "a", walk(40, 12))) == []


def test_its_units_depend_on_whom_they_are_compared_with_not_on_how_those_were_chosen(store):
    unit = {**put(store, "b", walk(20, 1)), "others": [put(store, "a", walk(20, 2))]}
    base = stage(FindDuplicatesConfig()).unit_path(unit)
    assert stage(FindDuplicatesConfig(max_bucket=9, max_candidates=3)).unit_path(unit) == base
    assert stage(FindDuplicatesConfig(agreement=0.6)).unit_path(unit) != base
    assert stage(FindDuplicatesConfig()).unit_path({**unit, "others": []}) != base
