"""Towers: faithful to open_clip's own preprocessing and pooling, on every architecture that is supported."""

import itertools

import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch.nn import functional as F

from model.towers import source as tower_source
from model.towers.preprocessing import Preprocess
from model.towers.tower import Tower, TowerError
from tests.tiny_towers import RESNET, VIT, random_frame, save_siglip, save_tower, save_vit

SIZES = [(48, 80), (80, 48), (64, 64), (270, 480), (97, 31)]


@pytest.fixture(scope="module", params=[save_vit, save_siglip], ids=["vit", "siglip"])
def tower(request, tmp_path_factory):
    return Tower(request.param(tmp_path_factory.mktemp("tower")))


@pytest.fixture
def model(tower):
    """open_clip's own model with the weights of the tower."""
    return open_clip.create_model(tower.name, require_pretrained=True).eval()


def as_pil(frame: torch.Tensor) -> Image.Image:
    return Image.fromarray(frame.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("mode", "interpolation", "target"),
    [
        *itertools.product(["shortest", "squash", "longest"], ["bicubic", "bilinear"], [64]),
        ("shortest", "bicubic", (48, 96)),
        ("squash", "bicubic", (48, 96)),
        ("longest", "bicubic", (48, 96)),
    ],
    ids=str,
)
def test_preprocess_gives_the_pixels_of_open_clip(mode, interpolation, target, size):
    config = {"size": target, "resize_mode": mode, "interpolation": interpolation, "fill_color": 7}
    reference = image_transform_v2(PreprocessCfg(**config), is_train=False)
    ours = Preprocess({**vars(PreprocessCfg()), **config})
    frame = random_frame(3, *size)
    difference = ours.normalise(ours.fit(frame)[None])[0] - reference(as_pil(frame))
    levels = difference.abs() * torch.tensor(PreprocessCfg().std).view(3, 1, 1) * 255
    # Two passes that each round to whole levels, not always in PIL's order: a level off here and there.
    assert levels.max() <= 3.01
    assert levels.mean() < 0.35


def test_images_embed_as_open_clip_embeds_them(tower, model):
    frames = [random_frame(seed, *SIZES[seed % len(SIZES)]) for seed in range(6)]
    preprocess = image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False)
    with torch.inference_mode():
        expected = model.encode_image(torch.stack([preprocess(as_pil(f)) for f in frames]), normalize=True)
    ours = tower.embed_images([f.permute(1, 2, 0).numpy() for f in frames])
    assert ours.dtype == torch.float32 and ours.shape == (6, tower.embed_dim)
    assert (ours * expected).sum(dim=1).min() > 0.9999
    # It tells frames apart, or the line above would say nothing.
    assert (ours @ ours.T).fill_diagonal_(0).max() < 0.9999


def test_frames_of_one_size_may_come_as_a_tensor(tower):
    frames = torch.stack([random_frame(seed) for seed in range(3)])
    listed = tower.embed_images([f.permute(1, 2, 0).numpy() for f in frames])
    assert torch.equal(tower.embed_images(frames), listed)


def test_texts_embed_as_open_clip_embeds_them(tower, model):
    texts = ["a red ball enters", "two people talk " * 40]
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer("", context_length=24)(texts)
        expected = model.encode_text(tokens, normalize=True)
    assert torch.allclose(tower.embed_texts(texts), expected, atol=1e-6)


def test_patches_have_the_stated_shapes(tower):
    patches = tower.encode_patches(torch.stack([random_frame(seed) for seed in range(3)]))
    assert patches.grid == tower.grid
    assert patches.features.shape == (3, tower.grid[0] * tower.grid[1], tower.patch_width)
    assert patches.joint.shape == (*patches.features.shape[:2], tower.embed_dim)
    assert torch.allclose(patches.joint.norm(dim=-1), torch.ones(()), atol=1e-5)


def test_class_token_tower_projects_a_patch_as_it_projects_the_class_token(tmp_path):
    """Put each patch token where the class token is: the tower's own pooling must give its place in the joint space."""
    tower = Tower(save_vit(tmp_path))
    visual, frames = tower._model.visual, torch.stack([random_frame(seed) for seed in range(2)])
    patches = tower.encode_patches(frames)
    with torch.inference_mode():
        tokens = visual.transformer(visual._embeds(tower._pixels(frames)))
        for patch in range(1, tokens.shape[1]):
            pooled, _ = visual._pool(tokens[:, patch:])
            expected = F.normalize(pooled @ visual.proj, dim=-1)
            assert torch.allclose(patches.joint[:, patch - 1], expected, atol=1e-5)


def test_attention_pooled_tower_projects_a_patch_as_if_it_were_alone(tmp_path):
    """Give the tower's own head each patch token by itself: its attention has nothing else to look at."""
    tower = Tower(save_siglip(tmp_path))
    trunk, frames = tower._model.visual.trunk, torch.stack([random_frame(seed) for seed in range(2)])
    patches = tower.encode_patches(frames)
    with torch.inference_mode():
        tokens = trunk.forward_features(tower._pixels(frames))[:, trunk.num_prefix_tokens :]
        prefix = torch.zeros(2, trunk.num_prefix_tokens, tokens.shape[2])
        for patch in range(tokens.shape[1]):
            alone = torch.cat([prefix, tokens[:, patch : patch + 1]], dim=1)
            expected = F.normalize(trunk.forward_head(alone), dim=-1)
            assert torch.allclose(patches.joint[:, patch], expected, atol=1e-5)
    assert torch.equal(patches.features, tokens)


def test_patches_follow_the_frame_row_by_row(tmp_path):
    """What changes at one place of the frame changes the patch of that place most."""
    tower = Tower(save_tower(tmp_path, {**VIT, "layers": 1}))
    plain = torch.full((1, 3, 64, 64), 90, dtype=torch.uint8)
    marked = plain.clone()
    marked[..., 16:32, 48:64] = random_frame(1, 16, 16)
    difference = (tower.encode_patches(marked).features - tower.encode_patches(plain).features).abs().sum(dim=-1)[0]
    assert difference.argmax() == 1 * 4 + 3


def test_an_architecture_without_patch_path_embeds_and_says_so(tmp_path):
    tower = Tower(save_tower(tmp_path, RESNET))
    assert tower.embed_images(random_frame(0)[None]).shape == (1, 64)
    with pytest.raises(TowerError, match=r"no patch features.*ModifiedResNet.*Use an open_clip ViT"):
        tower.encode_patches(random_frame(0)[None])
    with pytest.raises(TowerError, match="no patch features"):
        _ = tower.grid


def test_a_relative_folder_starts_at_the_repository_root(tmp_path, monkeypatch):
    save_vit(tmp_path / "weights" / "tiny")
    monkeypatch.setattr(tower_source, "ROOT", tmp_path)
    assert Tower("local-dir:weights/tiny").grid == (4, 4)
    assert tower_source.weights_digest("local-dir:weights/tiny", "")


@pytest.mark.parametrize(
    ("model", "pretrained", "message"),
    [
        ("local-dir:no/such", "", r"no open_clip_config.json in .*no/such.*relative path starts at"),
        ("local-dir:.", "openai", r"no open_clip_config.json"),
        ("ViT-Z-99", "openai", r"'ViT-Z-99'.*no such architecture.*list_models"),
        ("ViT-B-32", "", r"pretrained = ''.*Use one of:.*openai"),
        ("ViT-B-32", "no_tag_and_no_file", r"pretrained = 'no_tag_and_no_file'.*Use one of:.*laion2b_s34b_b79k"),
    ],
)
def test_a_tower_that_is_not_there_is_named_with_the_remedy(model, pretrained, message):
    with pytest.raises(TowerError, match=message):
        Tower(model, pretrained)


def test_a_folder_without_weights_is_an_error_not_a_random_tower(tmp_path):
    name = save_vit(tmp_path)
    (tmp_path / "open_clip_model.safetensors").unlink()
    with pytest.raises(TowerError, match=r"cannot be loaded.*pretrained weights"):
        Tower(name)


def test_damaged_weights_are_named(tmp_path):
    name = save_vit(tmp_path)
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0garbage!")
    with pytest.raises(TowerError, match="cannot be loaded"):
        Tower(name)


def test_weights_of_another_architecture_are_refused(tmp_path):
    name = save_vit(tmp_path / "tiny")
    with pytest.raises(TowerError, match="cannot be loaded"):
        Tower("ViT-B-32", str(tmp_path / "tiny" / "open_clip_model.safetensors"))
    assert Tower(name).grid == (4, 4)


def test_retrained_weights_under_an_old_name_are_told_apart(tmp_path):
    name = save_vit(tmp_path / "tower")
    first = tower_source.weights_digest(name, "")
    (tmp_path / "tower" / "README.md").write_text("how it was trained")
    assert tower_source.weights_digest(name, "") == first
    weights = tmp_path / "tower" / "open_clip_model.safetensors"
    alone = tower_source.weights_digest("ViT-B-32", str(weights))
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert tower_source.weights_digest(name, "") not in (first, "")
    assert tower_source.weights_digest("ViT-B-32", str(weights)) not in (alone, "")


@pytest.mark.parametrize(("model", "pretrained"), [("ViT-B-32", "openai"), ("local-dir:absent", "")])
def test_a_published_tag_has_no_digest_and_needs_no_network(model, pretrained):
    assert tower_source.weights_digest(model, pretrained) == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_named_with_the_remedy(tmp_path):
    with pytest.raises(TowerError, match=r"no GPU.*resources.gpus"):
        Tower(save_vit(tmp_path), device="cuda")


def test_the_demo_tower_loads_by_its_name_in_the_recipes():
    name = "local-dir:pipeline/demo/clip"
    if not list((tower_source.ROOT / "pipeline/demo/clip").glob("*.safetensors")):
        pytest.skip("the demo tower has not been trained: python -m pipeline.demo.train_clip")
    tower = Tower(name)
    patches = tower.encode_patches(torch.stack([random_frame(seed, 144, 256) for seed in range(2)]))
    assert patches.features.shape == (2, tower.grid[0] * tower.grid[1], tower.patch_width)
    assert tower.embed_texts(["a red ball"]).shape == (1, tower.embed_dim)
