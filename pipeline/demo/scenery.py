"""The backgrounds of the demo world: one painted panorama per scene, wider than a frame, so the view can drift."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from pipeline.demo.world import SCENES

WIDTH, HEIGHT = 256, 144
PAN = 48
"""Pixels that the panorama is wider than the frame."""

_WIDE = WIDTH + PAN
_HORIZON = 84


@lru_cache(maxsize=len(SCENES))
def panorama(scene: str) -> Image.Image:
    """Draws the scene's background, RGB of (WIDTH + PAN) x HEIGHT.

    Always the same. Raises KeyError for an unknown scene.
    """
    rng = np.random.default_rng(SCENES.index(scene) + 1)
    image = _PAINTERS[scene](rng)
    grain = rng.normal(0, 4, (HEIGHT, _WIDE, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def _sky(top: tuple, bottom: tuple) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    share = np.linspace(0, 1, HEIGHT)[:, None, None] * np.ones((1, _WIDE, 1))
    image = Image.fromarray((np.array(top) * (1 - share) + np.array(bottom) * share).astype(np.uint8))
    return image, ImageDraw.Draw(image)


def _ground(draw: ImageDraw.ImageDraw, colour: tuple, top: int = _HORIZON) -> None:
    draw.rectangle([0, top, _WIDE, HEIGHT], fill=colour)


def _beach(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((96, 60, 120), (255, 150, 70))
    draw.ellipse([200, 36, 244, 80], fill=(255, 214, 130))
    draw.rectangle([0, 62, _WIDE, 96], fill=(60, 70, 120))
    for _ in range(40):
        x, y = int(rng.integers(0, _WIDE)), int(rng.integers(64, 94))
        draw.line([x, y, x + 14, y], fill=(190, 150, 150))
    _ground(draw, (206, 170, 120), 96)
    return image


def _brick(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((196, 176, 160), (196, 176, 160))
    for row, y in enumerate(range(0, 104, 13)):
        for x in range(-12 * (row % 2), _WIDE, 25):
            shade = int(rng.integers(-14, 14))
            draw.rectangle([x, y, x + 22, y + 10], fill=(150 + shade, 72 + shade, 62 + shade))
    _ground(draw, (120, 92, 66), 106)
    return image


def _mountain(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((150, 190, 230), (215, 230, 244))
    for x in (20, 110, 190, 280):
        peak = int(rng.integers(12, 34))
        draw.polygon([(x - 75, 100), (x, peak), (x + 75, 100)], fill=(112, 124, 146))
        draw.polygon([(x - 24, peak + 26), (x, peak), (x + 24, peak + 26)], fill=(245, 248, 252))
    _ground(draw, (228, 236, 244), 92)
    return image


def _pines(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((176, 206, 186), (140, 176, 140))
    for x in range(-8, _WIDE + 20, 17):
        top, shade = int(rng.integers(6, 36)), int(rng.integers(-10, 12))
        draw.rectangle([x - 2, 80, x + 2, 104], fill=(84, 60, 40))
        draw.polygon([(x - 15, 92), (x, top), (x + 15, 92)], fill=(30 + shade, 78 + shade, 52 + shade))
    _ground(draw, (98, 84, 56), 102)
    return image


def _desert(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((120, 190, 240), (200, 226, 240))
    draw.ellipse([30, 8, 58, 36], fill=(255, 250, 210))
    for x in (0, 120, 250):
        draw.ellipse([x - 90, 68, x + 110, 170], fill=(224, 184, 116))
    _ground(draw, (236, 200, 134), 100)
    for x in (70, 236):
        draw.rectangle([x, 52, x + 8, 100], fill=(70, 120, 76))
        draw.rectangle([x - 12, 64, x, 69], fill=(70, 120, 76))
        draw.rectangle([x + 8, 72, x + 20, 77], fill=(70, 120, 76))
    return image


def _city(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((14, 16, 40), (44, 40, 84))
    for x in range(0, _WIDE, 30):
        top = int(rng.integers(14, 56))
        draw.rectangle([x, top, x + 26, 106], fill=(38, 40, 58))
        for wx in range(x + 4, x + 24, 7):
            for wy in range(top + 4, 100, 9):
                if rng.random() < 0.5:
                    draw.rectangle([wx, wy, wx + 3, wy + 4], fill=(236, 210, 120))
    _ground(draw, (66, 66, 74), 106)
    draw.line([0, 128, _WIDE, 128], fill=(180, 180, 170), width=2)
    return image


def _wheat(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((90, 150, 220), (190, 216, 236))
    for x, y in ((40, 20), (130, 34), (230, 16)):
        draw.ellipse([x, y, x + 52, y + 18], fill=(246, 248, 250))
    _ground(draw, (206, 166, 70), 66)
    for _ in range(500):
        x, y = int(rng.integers(0, _WIDE)), int(rng.integers(70, HEIGHT))
        draw.line([x, y, x + 2, y - 10], fill=(236, 200, 100) if rng.random() < 0.5 else (170, 128, 44))
    return image


def _reef(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((40, 150, 180), (10, 60, 100))
    for _ in range(26):
        x, y, r = int(rng.integers(0, _WIDE)), int(rng.integers(4, 96)), int(rng.integers(2, 5))
        draw.ellipse([x - r, y - r, x + r, y + r], outline=(190, 236, 240))
    for x in range(0, _WIDE, 24):
        h, hue = int(rng.integers(16, 40)), rng.integers(0, 3)
        colour = ((214, 120, 140), (120, 170, 150), (190, 150, 100))[hue]
        for dx in (-7, 0, 7):
            draw.line([x, HEIGHT, x + dx, HEIGHT - h], fill=colour, width=4)
    return image


def _library(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((84, 56, 36), (84, 56, 36))
    for y in (4, 38, 72):
        x = 3
        while x < _WIDE:
            w, h = int(rng.integers(5, 10)), int(rng.integers(20, 29))
            colour = tuple(int(v) for v in rng.integers(70, 150, 3))
            draw.rectangle([x, y + 29 - h, x + w - 1, y + 29], fill=colour)
            x += w + 1
    _ground(draw, (62, 44, 34), 106)
    return image


def _kitchen(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((150, 166, 172), (150, 166, 172))
    for x in range(0, _WIDE, 18):
        for y in range(0, 96, 18):
            shade = int(rng.integers(-8, 8))
            draw.rectangle([x, y, x + 15, y + 15], fill=(206 + shade, 222 + shade, 222 + shade))
    _ground(draw, (108, 116, 120), 98)
    draw.rectangle([0, 98, _WIDE, 103], fill=(70, 76, 80))
    return image


def _stars(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((10, 14, 54), (60, 50, 110))
    for _ in range(130):
        x, y = int(rng.integers(0, _WIDE)), int(rng.integers(0, 90))
        draw.point([(x, y), (x + 1, y)], fill=(250, 250, 230))
    for x in (-20, 90, 210):
        draw.ellipse([x, 82, x + 150, 200], fill=(30, 46, 60))
    _ground(draw, (26, 40, 52), 112)
    return image


def _rain(rng: np.random.Generator) -> Image.Image:
    image, draw = _sky((110, 116, 124), (150, 154, 158))
    for x in range(0, _WIDE, 62):
        draw.rectangle([x, 16, x + 50, 96], fill=(134, 124, 118))
        draw.rectangle([x + 10, 30, x + 22, 48], fill=(90, 96, 108))
        draw.rectangle([x + 30, 30, x + 42, 48], fill=(90, 96, 108))
    _ground(draw, (84, 88, 94), 96)
    for _ in range(150):
        x, y = int(rng.integers(0, _WIDE)), int(rng.integers(0, HEIGHT))
        draw.line([x, y, x - 3, y + 9], fill=(196, 204, 214))
    return image


_PAINTERS = dict(
    zip(
        SCENES,
        (_beach, _brick, _mountain, _pines, _desert, _city, _wheat, _reef, _library, _kitchen, _stars, _rain),
        strict=True,
    )
)
