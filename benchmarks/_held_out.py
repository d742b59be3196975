"""Held-out demo videos, encoded and decoded for real, and what the tiny CLIP makes of their frames."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from PIL import Image

from pipeline.demo import CLIP_DIR, write_demo
from pipeline.demo.corpus import script_of
from pipeline.demo.script import Script


@dataclass(frozen=True)
class Held:
    """A held-out video: its script, the times of its N frames, and what the towers make of them."""

    script: Script
    times_N: np.ndarray
    frames_ND: torch.Tensor
    patches_NPD: torch.Tensor


class Clip:
    """The tiny CLIP as any user loads it."""

    def __init__(self) -> None:
        name = f"local-dir:{CLIP_DIR}"
        self.model, _, self.preprocess = open_clip.create_model_and_transforms(name)
        self.tokenizer = open_clip.get_tokenizer(name)
        self.model.eval()
        self.model.visual.output_tokens = True

    @torch.inference_mode()
    def images(self, images: list[Image.Image]) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = torch.stack([self.preprocess(image) for image in images])
        pooled, patches = zip(*(self.model.visual(batch) for batch in pixels.split(64)), strict=True)
        return F.normalize(torch.cat(pooled), dim=-1), F.normalize(torch.cat(patches) @ self.model.visual.proj, dim=-1)

    @torch.inference_mode()
    def texts(self, texts: list[str]) -> torch.Tensor:
        return torch.cat([self.model.encode_text(batch, normalize=True) for batch in self.tokenizer(texts).split(256)])


def decode(path: Path) -> tuple[list[Image.Image], np.ndarray]:
    """One frame per second: the first at or after each full second."""
    images, times = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time >= len(times):
                images.append(frame.to_image())
                times.append(frame.time)
    return images, np.array(times)


def hold_out(videos: int, seed: int, clip: Clip) -> list[Held]:
    held = []
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_demo(Path(folder), videos=videos, seconds=340, seed=seed)
        for index, line in enumerate(manifest.read_text().splitlines()):
            images, times_N = decode(manifest.parent / json.loads(line)["uri"])
            held.append(Held(script_of(index, seconds=340, seed=seed), times_N, *clip.images(images)))
    return held
