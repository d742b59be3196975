"""The tiny CLIP in the tree, loaded as any open_clip model is."""

import random

import open_clip
import pytest
import torch
import torch.nn.functional as F
from open_clip.transformer import VisionTransformer

from pipeline.demo import CLIP_DIR
from pipeline.demo.render import draw, moment_at
from pipeline.demo.script import write_script
from pipeline.demo.texts import questions, sentence

NAME = f"local-dir:{CLIP_DIR}"


@pytest.fixture(scope="module")
def clip():
    model, _, preprocess = open_clip.create_model_and_transforms(NAME)
    return model.eval(), preprocess, open_clip.get_tokenizer(NAME)


def test_the_weights_are_small_and_of_plain_tensors():
    files = sorted(path.name for path in CLIP_DIR.iterdir())
    assert files == ["open_clip_config.json", "open_clip_model.safetensors"]
    assert sum(path.stat().st_size for path in CLIP_DIR.iterdir()) <= 16e6


def test_it_loads_in_fp32_as_a_vit_with_patch_tokens(clip):
    model, preprocess, tokenizer = clip
    assert isinstance(model.visual, VisionTransformer)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    image = draw(moment_at(write_script(60.0, 0), 3.0))
    pixels = preprocess(image)[None]
    model.visual.output_tokens = True
    try:
        pooled, patches = model.visual(pixels)
    finally:
        model.visual.output_tokens = False
    rows, columns = model.visual.grid_size
    assert patches.shape[:2] == (1, rows * columns)
    assert (patches @ model.visual.proj).shape[-1] == pooled.shape[-1] == model.encode_text(tokenizer(["a"])).shape[-1]


def test_preprocessing_keeps_the_edges(clip):
    _, preprocess, _ = clip
    image = draw(moment_at(write_script(60.0, 0), 3.0))
    marked = image.copy()
    marked.paste((255, 0, 255), (0, 0, 12, image.height))
    assert (preprocess(marked) - preprocess(image))[:, :, :4].abs().mean() > 0.5


@torch.inference_mode()
def test_a_question_is_nearest_to_the_frames_of_its_event(clip):
    model, preprocess, tokenizer = clip
    script, rng = write_script(600.0, 2024), random.Random(0)
    events = {sentence(event.act): event for event in script.events}.values()
    pixels = torch.stack([preprocess(draw(moment_at(script, (e.start_s + e.end_s) / 2))) for e in events])
    asked = [rng.choice(questions(event.act)) for event in events]
    similarity = model.encode_text(tokenizer(asked), normalize=True) @ model.encode_image(pixels, normalize=True).T
    top3 = similarity.topk(3, dim=1).indices
    assert len(events) >= 35
    assert (top3 == torch.arange(len(events))[:, None]).any(dim=1).float().mean() > 0.85


@torch.inference_mode()
def test_unknown_words_say_nothing(clip):
    model, _, tokenizer = clip
    plain, strange = model.encode_text(tokenizer(["the red circle bounces", "zebra xylophone the red circle bounces"]))
    assert F.cosine_similarity(plain, strange, dim=0) > 0.7
