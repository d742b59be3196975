"""find_shots: cuts and stretches that are known, in drawn, rendered and real videos."""

from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.demo.corpus import script_of
from pipeline.demo.render import draw, moment_at
from schemas.tables.media import EMBEDDING, FRAME, SHOT
from stages.find_shots import FindShotsConfig, run, stage
from tests.tiny_towers import random_frame
from workers.media.decode_plan import Segment
from workers.media.media_limits import MediaLimits
from workers.media.sandboxed import sample_in_sandbox
from workers.storage.arrow_vectors import to_column
from workers.storage.store import Store

SIZE = (96, 72)
UNIT = {"video_id": "v", "embed_units": ["e"], "decode_units": ["d"], "first_frame_s": 0.0}


def shots(store: Store, images: list[Image.Image], vectors=None, *, period_s: float = 1.0, **config) -> list[dict]:
    """The shots of images that are shown one after the other. Without `vectors`, the embedding never changes."""
    vectors = np.ones((len(images), 1)) if vectors is None else np.asarray(vectors, float)
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    common = {"video_id": ["v"] * len(images), "segment_id": ["v-0"] * len(images)}
    common |= {"sample_index": range(len(images)), "time_s": np.arange(len(images)) * period_s}
    jpegs = [jpeg(image) for image in images]
    sizes = {"width": [i.width for i in images], "height": [i.height for i in images]}
    sizes["wanted"] = [len(images)] * len(images)
    sizes |= dict.fromkeys(("decoder_errors", "frames_decoded"), [0] * len(images))
    sizes |= {f"source_{side}": sizes[side] for side in ("width", "height")}
    store.write_tables("d", [pa.table({**common, **sizes, "jpeg": jpegs}, FRAME)], FRAME)
    embedding = to_column(vectors.astype(np.float16))
    store.write_tables("e", [pa.table({**common, "embedding": embedding}, EMBEDDING)], EMBEDDING)
    unit = {**UNIT, "end_s": len(images) * period_s}
    return [row for table in run(unit, FindShotsConfig(**config), store) for row in table.to_pylist()]


def jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def scene(seed: int, shift: int = 0) -> Image.Image:
    """An image of its own for each seed; `shift` is how far a camera has turned."""
    wide = np.moveaxis(random_frame(seed, SIZE[1], 2 * SIZE[0]).numpy(), 0, -1)
    return Image.fromarray(np.ascontiguousarray(wide[:, shift : shift + SIZE[0]]))


def blend(first: Image.Image, second: Image.Image, share: float) -> Image.Image:
    return Image.blend(first, second, share)


BLACK = Image.new("RGB", SIZE)
WHITE = Image.new("RGB", SIZE, "white")


def starts(rows: list[dict]) -> list[float]:
    return [row["start_s"] for row in rows]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def test_a_cut_lies_between_the_frames_it_parts(store):
    rows = shots(store, [scene(1)] * 6 + [scene(2)] * 4)
    assert [(r["start_s"], r["end_s"], r["first_frame"], r["num_frames"]) for r in rows] == [
        (0.0, 5.5, 0, 6),
        (5.5, 10.0, 6, 4),
    ]
    assert rows[0]["cut_by"] == [] and rows[0]["pixel_change"] is None
    assert rows[1]["cut_by"] == ["pixels"] and rows[1]["pixel_change"] > 0.36


def test_a_turning_camera_and_noise_are_no_cuts(store):
    rng = np.random.default_rng(0)
    noisy = [np.asarray(scene(1, 3 * i)) + rng.normal(0, 12, (SIZE[1], SIZE[0], 3)) for i in range(30)]
    assert len(shots(store, [Image.fromarray(np.clip(n, 0, 255).astype(np.uint8)) for n in noisy])) == 1


@pytest.mark.parametrize("steps", [1, 2])
def test_a_dissolve_is_one_boundary(store, steps):
    between = [blend(scene(1), scene(2), (i + 1) / (steps + 1)) for i in range(steps)]
    rows = shots(store, [scene(1)] * 5 + between + [scene(2)] * 5)
    assert len(rows) == 2 and 4.5 <= rows[1]["start_s"] <= 4.5 + steps


def test_a_fade_through_black_is_one_boundary(store):
    fade = [blend(scene(1), BLACK, 0.7), BLACK, blend(scene(2), BLACK, 0.6)]
    rows = shots(store, [scene(1)] * 5 + fade + [scene(2)] * 5)
    assert len(rows) == 2 and 4.5 <= rows[1]["start_s"] <= 7.5


@pytest.mark.parametrize("flash", [WHITE, blend(scene(1), WHITE, 0.8), BLACK])
def test_a_flash_is_no_boundary(store, flash):
    assert len(shots(store, [scene(1)] * 5 + [flash] + [scene(1)] * 5)) == 1


def test_a_shot_of_one_frame_is_no_flash(store):
    assert starts(shots(store, [scene(1)] * 5 + [scene(2)] + [scene(1)] * 5)) == [0.0, 4.5, 5.5]


def test_a_title_over_the_frame_is_no_cut(store):
    titled = scene(1)
    titled.paste(scene(9).resize((80, 40)), (8, 4))
    assert len(shots(store, [scene(1)] * 5 + [titled] * 4 + [scene(1)] * 5)) == 1


def test_the_embedding_has_a_say_where_pixels_leave_it_open(store):
    """With a bar that neither pixel change nor embedding alone would clear."""
    images = [scene(1)] * 6 + [scene(2)] * 6
    (change,) = [row["pixel_change"] for row in shots(store, images)[1:]]
    high = {"pixel_change": min(1.0, float(change) * 1.1), "static_ratio": 1.0}
    same, other = [[1, 0]] * 12, [[1, 0]] * 6 + [[0, 1]] * 6
    assert len(shots(store, images, same, **high)) == 1
    rows = shots(store, images, other, **high)
    assert [row["cut_by"] for row in rows] == [[], ["embedding"]]
    assert rows[1]["embedding_change"] == pytest.approx(1, abs=1e-3)
    assert len(shots(store, [scene(1)] * 12, other)) == 1


def test_black_frozen_and_slides_are_told_apart(store):
    moving = [scene(3, 4 * i) for i in range(12)]
    frozen = shots(store, [*moving, *[scene(1)] * 8, *moving])
    assert [row["flags"] for row in frozen] == [[], ["frozen"], []]
    slides = shots(store, [*moving, *[scene(1)] * 8, *[scene(2)] * 8])
    assert [row["flags"] for row in slides] == [[], ["slides"], ["slides"]]
    black = shots(store, [*moving, *[BLACK] * 6, *moving])
    assert [row["flags"] for row in black] == [[], ["black"], []]
    assert black[1]["luma"] < 2 and black[1]["black_share"] == 1.0


def test_black_that_a_frame_fades_into_is_a_shot_of_its_own(store):
    fade = [blend(scene(1), BLACK, share) for share in (0.2, 0.4, 0.6, 0.75, 0.87)]
    rows = shots(store, [*[scene(1)] * 4, *fade, *[BLACK] * 10], period_s=0.25)
    assert [row["flags"] for row in rows] == [[], ["black"]]


def test_a_shot_has_the_mean_direction_of_its_frames(store):
    vectors = np.random.default_rng(1).normal(size=(9, 16))
    rows = shots(store, [scene(1)] * 5 + [scene(2)] * 4, vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row, part in zip(rows, (unit[:5], unit[5:]), strict=True):
        mean = part.mean(axis=0)
        assert np.allclose(row["embedding"], mean / np.linalg.norm(mean), atol=2e-3)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=8))
@pytest.mark.slow
def test_shots_tile_the_video(tmp_path_factory, plan):
    images = [scene(seed, 2 * i) if seed else BLACK for seed, count in plan for i in range(count)]
    rows = shots(Store(tmp_path_factory.mktemp("tile")), images)
    assert rows[0]["start_s"] == 0 and rows[-1]["end_s"] == len(images)
    assert [r["end_s"] for r in rows[:-1]] == starts(rows)[1:]
    assert [r["first_frame"] for r in rows] == np.cumsum([0, *(r["num_frames"] for r in rows)])[:-1].tolist()
    assert sum(r["num_frames"] for r in rows) == len(images)
    for row in rows:
        assert row["start_s"] <= row["first_frame"] <= row["first_frame"] + row["num_frames"] - 1 < row["end_s"]


def test_no_frames_no_shots_and_one_frame_one_shot(store):
    assert shots(store, []) == []
    (row,) = shots(store, [scene(1)])
    assert (row["start_s"], row["end_s"], row["flags"]) == (0.0, 1.0, [])


def test_embeddings_of_other_frames_are_an_error(store):
    shots(store, [scene(1)] * 3)
    shots_of_two = store.read_table("e").slice(0, 2)
    store.write_tables("e", [shots_of_two], EMBEDDING)
    with pytest.raises(ValueError, match="video v: .* differ in time"):
        list(run({**UNIT, "end_s": 3.0}, FindShotsConfig(), store))


def test_its_units_depend_on_all_that_decides_their_bytes():
    unit = {**UNIT, "end_s": 3.0}
    base = stage(FindShotsConfig()).unit_path(unit)
    assert stage(FindShotsConfig(still_s=9.0)).unit_path(unit) != base
    assert stage(FindShotsConfig()).unit_path({**unit, "decode_units": ["other"]}) != base
    assert stage(FindShotsConfig(resources={"cpus": 3.0})).unit_path(unit) == base
    assert stage(FindShotsConfig()).writes == SHOT


@pytest.mark.parametrize("index", range(3))
def test_the_scenes_of_the_demo_world_are_its_shots(store, index):
    """By the pixels alone: 330 s with cards, moving things and a drifting view; five or six cuts."""
    script = script_of(index, seconds=330, seed=23)
    rows = shots(store, [draw(moment_at(script, float(t))) for t in range(int(script.seconds))])
    true = [s.start_s for s in script.scenes]
    assert len(rows) == len(true)
    assert np.abs(np.subtract(starts(rows), true)).max() <= 0.5


def sample(path, period_s: float, count: int) -> list[Image.Image]:
    plan = {"segment_index": 0, "start_s": 0.0, "end_s": period_s * count, "seek_pts": 0, "first_sample": 0}
    plan |= {"num_samples": count, "sample_origin_s": 0.0, "sample_period_s": period_s, "sample_tolerance_s": 0.0}
    options = {"short_side": 144, "jpeg_quality": 90, "duration_s": period_s * count}
    frames = sample_in_sandbox(path, Segment(**plan), MediaLimits(), **options)
    return [Image.open(BytesIO(data)) for _, data in frames]


@pytest.mark.slow
def test_cuts_of_a_real_film(store, videos):
    """Big Buck Bunny's first minute: its cuts as a viewer finds them at full rate, and the black it fades in from."""
    rows = shots(store, sample(videos / "long/bbb_360p_moov_end.mp4", 1.0, 60))
    true = np.array([11.9, 15.8, 23.1, 47.8, 56.1])
    found = np.array(starts(rows))
    assert all(np.abs(found - cut).min() <= 0.5 for cut in true)
    assert len(rows) <= len(true) + 3
    assert rows[0]["flags"] == ["black"]


def test_a_fixed_camera_has_one_shot(store, videos):
    rows = shots(store, sample(videos / "long/intel_one-by-one-person.mp4", 1.0, 139))
    assert [row["flags"] for row in rows] == [[]]


def test_a_screencast_is_slides(store, videos):
    rows = shots(store, sample(videos / "short/opencast_slidechanges.mov", 0.5, 55), period_s=0.5)
    assert {tuple(row["flags"]) for row in rows} == {("slides",)}
