"""distill: against the formulas written as loops, and against its own promises."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from model.ops.hico.clip_merge import merge_clips
from schemas.config import ConfigError, TowerConfig, parse
from schemas.rejects import Reject
from schemas.tables.shards import SELECTION
from stages.distill import DistillConfig, Distiller, stage
from tests.tiny_towers import save_siglip, save_vit, write_frames, write_questions
from workers.storage.safetensors_file import encode_tensors
from workers.storage.store import Store
from workers.towers.frame_batches import frame_batches
from workers.towers.query_embedder import load_tower
from workers.towers.video_tokens import pool_grid

UNIT = {"video_id": "v", "decode_units": ["d0", "d1", "d2"], "write_qa_unit": "qa", "select_unit": "sel"}
KEYFRAMES = [[0, 4, 9], [3], [4, 5, 6, 10], []]
FRAMES = 11


def write_selection(store: Store, keyframes: list[list[int]]) -> None:
    rows = [{"video_id": "v", "qa_id": f"q{i}", "keyframes": k} for i, k in enumerate(keyframes)]
    store.write_tables("sel", [pa.Table.from_pylist(rows, SELECTION)], SELECTION)


@pytest.fixture(scope="module", params=[save_vit, save_siglip], ids=["vit", "siglip"])
def tower(request, tmp_path_factory):
    return TowerConfig(model=request.param(tmp_path_factory.mktemp("tower")))


@pytest.fixture
def corpus(tmp_path, tower):
    store = Store(tmp_path)
    write_frames(store, "d0", [0, 1, 2, 3, 4])
    write_frames(store, "d1", [], first=5)
    write_frames(store, "d2", [5, 5, 6, 7, 8, 9], first=5)
    queries = np.random.default_rng(0).normal(size=(len(KEYFRAMES), load_tower(tower).embed_dim))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    write_questions(store, "qa", queries, queries)
    write_selection(store, KEYFRAMES)
    return store


def distill(store: Store, tower: TowerConfig, **config) -> dict[str, np.ndarray]:
    settings = {
        "tower": tower,
        "batch_frames": 4,
        "clip_tokens": 20,
        "clip_heads": 4,
        "keyframe_grid": 3,
        "hico": True,
        **config,
    }
    return Distiller(DistillConfig(**settings), store)(UNIT)


def merged_by_loop(features, joint, query, keyframes, alpha, lam) -> np.ndarray:
    """ViLaMP's DFM one frame at a time: D = cos(p, q) - lambda cos(p, p_k), w = softmax(D / alpha), t = sum w p."""
    tokens = []
    for n in range(len(features)):
        scores = joint[n] @ query
        before = [k for k in keyframes if k < n]
        if before:
            scores = scores - lam * (joint[n] * joint[max(before)]).sum(dim=-1)
        weights = torch.softmax(scores / alpha, dim=0)
        tokens.append((weights[:, None] * features[n]).sum(dim=0) * (n not in keyframes))
    return torch.stack(tokens).numpy()


@pytest.mark.parametrize(("batch_frames", "alpha", "lam"), [(4, 0.01, 1.0), (8, 0.1, 0.5), (12, 0.01, 0.0)])
def test_tokens_follow_the_formulas(corpus, tower, batch_frames, alpha, lam):
    arrays = distill(corpus, tower, batch_frames=batch_frames, alpha=alpha, lam=lam)
    loaded = load_tower(tower)
    (frames,) = frame_batches(corpus, UNIT["decode_units"], loaded.fit, batch=FRAMES, threads=1)
    patches = loaded.encode_patches(frames.pixels)
    queries = np.array(corpus.read_table("qa", ["merge_query"])["merge_query"].to_pylist(), np.float32)
    for q, (query, keyframes) in enumerate(zip(torch.from_numpy(queries), KEYFRAMES, strict=True)):
        unit = query / query.norm()
        expected = merged_by_loop(patches.features, patches.joint, unit, keyframes, alpha, lam)
        assert np.allclose(arrays["merged_tokens"][q], expected, atol=5e-3)
    union = sorted({n for row in KEYFRAMES for n in row})
    pooled = pool_grid(patches.features[union], patches.grid, (3, 3))
    assert np.allclose(arrays["keyframe_tokens"], pooled, atol=5e-3)
    clips = torch.cat([patches.features, patches.features[-1:]]).reshape(3, -1, loaded.patch_width)
    assert np.allclose(arrays["clip_tokens"], merge_clips(clips, heads=4, target=20), atol=5e-3)


def test_arrays_have_the_shapes_and_types_that_shards_promise(corpus, tower):
    arrays = distill(corpus, tower)
    union = sorted({n for row in KEYFRAMES for n in row})
    assert {name: (a.shape[:2], str(a.dtype)) for name, a in arrays.items()} == {
        "time_s": ((FRAMES,), "float64"),
        "sample_index": ((FRAMES,), "int64"),
        "keyframes": ((len(union),), "int32"),
        "query_keyframes": ((4, 4), "int32"),
        "keyframe_tokens": ((len(union), 9), "float16"),
        "merged_tokens": ((4, FRAMES), "float16"),
        "clip_tokens": ((3, 20), "float16"),
    }
    assert arrays["keyframes"].tolist() == union
    found = [[union[i] for i in row if i >= 0] for row in arrays["query_keyframes"]]
    assert found == KEYFRAMES
    assert arrays["time_s"].tolist() == list(range(FRAMES)) == arrays["sample_index"].tolist()
    assert arrays["keyframe_tokens"].shape[2] == arrays["merged_tokens"].shape[2] == arrays["clip_tokens"].shape[2]


def test_the_same_unit_gives_the_same_bytes(corpus, tower):
    first = encode_tensors(distill(corpus, tower), {})[1]
    torch.manual_seed(99)
    assert encode_tensors(distill(corpus, tower, resources={"cpus": 3}), {})[1] == first


def test_without_questions_there_are_still_clips(corpus, tower):
    write_questions(corpus, "qa", np.empty((0, 4)), np.empty((0, 4)))
    write_selection(corpus, [])
    arrays = distill(corpus, tower)
    assert {name: a.shape[:2] for name, a in arrays.items() if 0 in a.shape} == {
        "keyframes": (0,),
        "query_keyframes": (0, 0),
        "keyframe_tokens": (0, 9),
        "merged_tokens": (0, FRAMES),
    }
    assert np.abs(arrays["clip_tokens"]).sum(axis=(1, 2)).min() > 0
    corpus.write_tensors("tokens", arrays)
    assert all(np.array_equal(a, arrays[name]) for name, a in corpus.read_tensors("tokens").items())


def test_no_clips_unless_they_are_asked_for(corpus, tower):
    assert not DistillConfig().hico
    assert "clip_tokens" not in distill(corpus, tower, hico=False, batch_frames=3)


def test_parts_of_different_videos_never_meet(corpus, tower):
    write_frames(corpus, "d2", [1, 2], first=5, video="another")
    with pytest.raises(ValueError, match=r"video v: .*not of one video.*another"):
        distill(corpus, tower)


def test_a_selection_of_other_questions_is_an_error(corpus, tower):
    write_selection(corpus, KEYFRAMES[:3])
    with pytest.raises(ValueError, match="not of one video"):
        distill(corpus, tower)


def test_a_video_without_frames_is_rejected(corpus, tower):
    with pytest.raises(Reject, match="no_frames"):
        Distiller(DistillConfig(tower=tower), corpus)({**UNIT, "decode_units": ["d1"]})


def test_broken_clips_are_refused_when_the_config_is_read():
    with pytest.raises(ConfigError, match="batch_frames 30 holds no whole number of clips"):
        parse(DistillConfig, {"batch_frames": 30, "hico": True})
    assert parse(DistillConfig, {"batch_frames": 30}).batch_frames == 30


def test_its_units_depend_on_all_that_decides_their_bytes():
    base = stage(DistillConfig()).unit_path(UNIT)
    assert stage(DistillConfig(alpha=0.1)).unit_path(UNIT) != base
    assert stage(DistillConfig()).unit_path({**UNIT, "select_unit": "other"}) != base
    assert stage(DistillConfig(resources={"gpus": 1.0})).unit_path(UNIT) == base


def test_retrained_weights_under_an_old_name_are_another_unit(tmp_path):
    name = save_vit(tmp_path)
    config = DistillConfig(tower=TowerConfig(model=name))
    base = stage(config).unit_path(UNIT)
    weights = tmp_path / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert stage(config).unit_path(UNIT) != base
