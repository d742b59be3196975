"""The things of the demo world as images to paste, with shadows and lines that show on any background."""

import math
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw

from pipeline.demo.world import COLOURS, Thing

SIZE = 54
"""Pixels across a thing at rest."""
GROUND = 100
"""Row of the centre of a thing at rest."""
_MASTER = 192
LIGHT, DARK = (255, 255, 255), (20, 20, 20)


def line(canvas: ImageDraw.ImageDraw, points: list, light: tuple = LIGHT) -> None:
    """Draws a light line with a dark rim, so that it shows on any background."""
    canvas.line(points, fill=DARK, width=4)
    canvas.line(points, fill=light, width=2)


def cast_shadow(image: Image.Image, x: float, width: float) -> None:
    """Draws the shadow of a thing on the ground, in pixels."""
    mask = _shadow_mask(round(width))
    image.paste((0, 0, 0), (round(x - mask.width / 2), GROUND + SIZE // 2 - 4), mask)


@lru_cache(maxsize=128)
def _shadow_mask(width: int) -> Image.Image:
    mask = Image.new("L", (width, 9), 0)
    ImageDraw.Draw(mask).ellipse([0, 0, width - 1, 8], fill=80)
    return mask


def put(
    image: Image.Image,
    thing: Thing,
    x: float,
    y: float,
    *,
    width: float = SIZE,
    height: float = SIZE,
    angle: float = 0,
    alpha: float = 1.0,
    shadow: bool = True,
) -> None:
    """Pastes a thing centred at pixel (x, y)."""
    if shadow:
        cast_shadow(image, x, width * 0.9)
    sprite, mask = _sprite(thing, round(width), round(height), angle, round(alpha, 2))
    image.paste(sprite, (round(x - sprite.width / 2), round(y - sprite.height / 2)), mask)


@lru_cache(maxsize=4096)
def _sprite(thing: Thing, width: int, height: int, angle: float, alpha: float) -> tuple[Image.Image, Image.Image]:
    master = _master(thing)
    if angle:
        master = master.rotate(angle, resample=Image.Resampling.BILINEAR)
    sprite = master.resize((width + 4, height + 4), Image.Resampling.BOX)
    mask = sprite.getchannel("A")
    if alpha < 1:
        mask = ImageChops.multiply(mask, Image.new("L", mask.size, round(255 * alpha)))
    return sprite.convert("RGB"), mask


@lru_cache(maxsize=64)
def _master(thing: Thing) -> Image.Image:
    """The thing at a large size, with a rim that sets it off from the background."""
    rim = LIGHT if thing.colour in ("black", "blue", "purple") else DARK
    colour = COLOURS[thing.colour]
    image = Image.new("RGBA", (_MASTER, _MASTER), (*rim, 0))
    canvas = ImageDraw.Draw(image)
    _shape(canvas, thing.shape, _MASTER / 2 - 6, rim)
    _shape(canvas, thing.shape, _MASTER / 2 - 18, colour)
    if thing.shape == "ring":
        middle = _MASTER / 2
        for radius, fill in ((36, (*rim, 255)), (26, (*rim, 0))):
            canvas.ellipse([middle - radius, middle - radius, middle + radius, middle + radius], fill=fill)
    return image


def _shape(canvas: ImageDraw.ImageDraw, shape: str, radius: float, fill: tuple) -> None:
    middle = _MASTER / 2

    def at(angle: float, share: float = 1.0) -> tuple[float, float]:
        turn = math.radians(angle - 90)
        return middle + radius * share * math.cos(turn), middle + radius * share * math.sin(turn)

    if shape in ("circle", "ring"):
        canvas.ellipse([middle - radius, middle - radius, middle + radius, middle + radius], fill=fill)
    elif shape == "square":
        side = radius * 0.86
        canvas.rectangle([middle - side, middle - side, middle + side, middle + side], fill=fill)
    elif shape == "triangle":
        canvas.polygon([at(0), at(118), at(242)], fill=fill)
    elif shape == "star":
        canvas.polygon([at(36 * k, 1.0 if k % 2 == 0 else 0.45) for k in range(10)], fill=fill)
    elif shape == "cross":
        thin = radius * 0.34
        canvas.rectangle([middle - thin, middle - radius, middle + thin, middle + radius], fill=fill)
        canvas.rectangle([middle - radius, middle - thin, middle + radius, middle + thin], fill=fill)
    else:
        canvas.polygon(_heart(middle, radius), fill=fill)


def _heart(middle: float, radius: float) -> list[tuple[float, float]]:
    points = []
    for step in range(60):
        turn = math.tau * step / 60
        x = 16 * math.sin(turn) ** 3
        y = 13 * math.cos(turn) - 5 * math.cos(2 * turn) - 2 * math.cos(3 * turn) - math.cos(4 * turn)
        points.append((middle + radius * x / 17, middle - radius * (y + 2.5) / 17))
    return points
