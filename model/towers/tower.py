"""Frozen open_clip towers, which embed images, texts and patches into one joint space.

Shapes: N frames, Q texts, M patches, C width of the patch tokens, D width of the joint space.
"""

from model.towers.lean_open_clip import use_transformers  # isort: skip

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import open_clip
import torch
from torch.nn import functional as F

from model.onednn import use_onednn
from model.towers.patches import AttentionPoolPatches, ClassTokenPatches, Patches, patch_encoder
from model.towers.preprocessing import Preprocess
from model.towers.source import TowerError, resolve
from model.untrusted_folder import refuse_key

AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}

Frames = torch.Tensor | Sequence[torch.Tensor | np.ndarray]
"""uint8 frames: a tensor [N, 3, H, W], or a sequence of RGB frames [H, W, 3] of any sizes."""


class Tower:
    """Holds a frozen open_clip model.

    Args:
        model: name of an open_clip architecture, or `local-dir:PATH` of a folder with open_clip_config.json and
            weights; a relative PATH is relative to the repository root.
        pretrained: tag of the weights, or path of a weights file; empty with `local-dir:`.
        device: torch device.
        precision: autocast type on a GPU: "fp32", "bf16" or "fp16". On a CPU, always fp32.
        threads: torch's CPU threads, set for the whole process. Floating-point sums depend on their number, so it is
            fixed.

    Raises:
        TowerError: there is no such architecture, folder, tag or weights file, or no GPU.
    """

    def __init__(
        self,
        model: str,
        pretrained: str = "",
        *,
        device: str | torch.device = "cpu",
        precision: str = "fp32",
        threads: int = 1,
    ) -> None:
        torch.set_num_threads(threads)
        self.name = f"{model}/{pretrained}" if pretrained else model
        self.device = torch.device(device)
        if self.device.type == "cuda" and not torch.cuda.is_available():
            raise TowerError(
                f"tower {self.name!r}: there is no GPU here. Set resources.gpus of its stage to 0, or add one"
            )
        self._autocast = AUTOCAST.get(precision) if self.device.type == "cuda" else None
        source, weights = resolve(model, pretrained)
        try:
            config = open_clip.get_model_config(source) or {}
            refuse_key(config, source)  # checks configs that come from a hub
            use_transformers(config)
            self._model = open_clip.create_model(source, weights, device=self.device, require_pretrained=True)
            self._tokenizer = open_clip.get_tokenizer(source)
        except Exception as error:  # errors of open_clip, timm, transformers and pickle have no common class
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            if type(error).__name__ == "UnpicklingError":
                reason = "its weights are a pickle that holds more than tensors; use .safetensors"
            raise TowerError(
                f"tower {self.name!r} cannot be loaded: {reason}. Check its name and the network, or give local files "
                "(local-dir:PATH, or a path as pretrained)"
            ) from error
        self._model.eval().requires_grad_(False)
        if self.device.type == "cpu":
            use_onednn(self._model)
        self._preprocess = Preprocess(self._model.visual.preprocess_cfg)
        self.embed_dim: int = open_clip.get_model_config(source)["embed_dim"]

    @property
    def grid(self) -> tuple[int, int]:
        """Returns the rows and columns of patches."""
        return self._patch_encoder.grid

    @property
    def patch_width(self) -> int:
        """Returns C, the width of the patch tokens."""
        return self._patch_encoder.width

    def fit(self, frame: torch.Tensor) -> torch.Tensor:
        """Resizes uint8 [..., 3, H, W] to the input size, uint8 [..., 3, h, w]. Thread-safe."""
        return self._preprocess.fit(frame)

    @torch.inference_mode()
    def embed_images(self, frames: Frames) -> torch.Tensor:
        """Returns image embeddings, float32 [N, D], L2-normalised, on the tower's device."""
        pixels = self._pixels(frames)
        with self._casting():
            return F.normalize(self._model.encode_image(pixels).float(), dim=-1)

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Returns text embeddings, float32 [Q, D], L2-normalised, on the tower's device.

        Longer texts than the context are cut.
        """
        tokens = self._tokenizer(list(texts)).to(self.device)
        with self._casting():
            return F.normalize(self._model.encode_text(tokens).float(), dim=-1)

    @torch.inference_mode()
    def encode_patches(self, frames: Frames) -> Patches:
        """Returns patch features, before the projection and in the joint space.

        Raises:
            TowerError: the architecture has no path from a patch to the joint space.
        """
        encoder, pixels = self._patch_encoder, self._pixels(frames)
        with self._casting():
            features, joint = encoder(pixels)
        return Patches(features.float(), F.normalize(joint.float(), dim=-1), encoder.grid)

    @cached_property
    def _patch_encoder(self) -> ClassTokenPatches | AttentionPoolPatches:
        try:
            return patch_encoder(self._model.visual)
        except ValueError as error:
            raise TowerError(f"tower {self.name!r} gives no patch features: {error}") from None

    def _pixels(self, frames: Frames) -> torch.Tensor:
        if not isinstance(frames, torch.Tensor):
            frames = torch.stack([self.fit(torch.as_tensor(f).permute(2, 0, 1)) for f in frames])
        return self._preprocess.normalise(self.fit(frames).to(self.device, non_blocking=True))

    def _casting(self) -> torch.autocast:
        return torch.autocast(self.device.type, self._autocast, enabled=self._autocast is not None)
