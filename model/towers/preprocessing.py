"""A tower's preprocessing on uint8 tensors: the same pixels as open_clip's PIL transform, without PIL.

Source: open_clip `image_transform` (evaluation), which uses the `preprocess_cfg` of each tower.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as transforms


class Preprocess:
    """Resizes frames to a tower's input size and normalises them.

    Args:
        config: `preprocess_cfg` of open_clip: size, mean, std, interpolation, resize_mode, fill_color.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        size = config["size"]
        self.size: tuple[int, int] = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
        self._mode = config["resize_mode"]
        self._fill = config["fill_color"]
        bilinear = config["interpolation"] == "bilinear"
        self._interpolation = InterpolationMode.BILINEAR if bilinear else InterpolationMode.BICUBIC
        self._mean, self._std = _per_channel(config["mean"]), _per_channel(config["std"])

    def fit(self, frame: torch.Tensor) -> torch.Tensor:
        """Resizes uint8 [..., 3, H, W] of any size to the tower's input size, uint8 [..., 3, h, w]."""
        height, width = frame.shape[-2:]
        if (height, width) == self.size:
            return frame
        # Resized in uint8: torchvision's integer kernels round as PIL does, its float kernels do not.
        frame = transforms.resize(frame, self._resized(height, width), self._interpolation, antialias=True)
        if self._mode == "longest":
            frame = _pad(frame, self.size, self._fill)
        cropped: torch.Tensor = transforms.center_crop(frame, list(self.size))
        return cropped

    def normalise(self, frames_NCHW: torch.Tensor) -> torch.Tensor:
        """Converts uint8 [N, 3, h, w] to float32, normalised by the mean and deviation of each channel.

        The result is on the same device.
        """
        if self._mean.device != frames_NCHW.device:
            self._mean, self._std = self._mean.to(frames_NCHW.device), self._std.to(frames_NCHW.device)
        # In place: a new array for each step takes three times as long.
        pixels = frames_NCHW.to(torch.float32, copy=True)
        return pixels.div_(255).sub_(self._mean).div_(self._std)

    def _resized(self, height: int, width: int) -> list[int]:
        if self._mode == "squash":
            return list(self.size)
        if self._mode == "shortest" and self.size[0] == self.size[1]:
            # torchvision truncates the long side, as here; open_clip's ResizeKeepRatio (below) rounds both.
            short, long = min(height, width), max(height, width)
            long = int(self.size[0] * long / short)
            return [self.size[0], long] if height <= width else [long, self.size[0]]
        ratios = height / self.size[0], width / self.size[1]
        ratio = max(ratios) if self._mode == "longest" else min(ratios)
        return [round(height / ratio), round(width / ratio)]


def _per_channel(value: float | tuple[float, ...]) -> torch.Tensor:
    values = list(value) if isinstance(value, (tuple, list)) else [value] * 3
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)


def _pad(frame: torch.Tensor, size: tuple[int, int], fill: int) -> torch.Tensor:
    down, right = (max(want - have, 0) for want, have in zip(size, frame.shape[-2:], strict=True))
    margins = [right // 2, down // 2, (right + 1) // 2, (down + 1) // 2]
    padded: torch.Tensor = transforms.pad(frame, margins, fill=fill)
    return padded
