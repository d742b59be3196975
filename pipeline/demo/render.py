"""Draws the demo world: a `Moment` is all that one frame shows, `draw` makes it an image.

Every action can be told from a single frame, as CLIP sees single frames: a moving thing has ghosts and speed lines behind
it, a bouncing one is squashed or in the air above its shadow, a blinking one has rays, a spinning one is tilted between arcs,
a growing one is large between outward arrows, a shaking one stands between zigzags.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFont

from pipeline.demo.scenery import HEIGHT, PAN, WIDTH, panorama
from pipeline.demo.world import COLOURS, DEEDS, Act, Script, Thing

SIZE = 46
"""Pixels across a thing at rest."""
GROUND = 100
"""Row of the centre of a thing at rest."""
_MASTER = 192
_LIGHT, _DARK = (255, 255, 255), (20, 20, 20)


@dataclass(frozen=True)
class Moment:
    """What one frame shows: a scene (panned by 0..1), things that stand at x (share of the width), and at most one act."""

    scene: str
    pan: float
    standing: tuple[tuple[Thing, float], ...] = ()
    act: Act | None = None
    x0: float = 0.5
    x1: float = 0.5
    elapsed_s: float = 0.0
    progress: float = 0.0


def moment_at(script: Script, time_s: float) -> Moment:
    """The moment that a script shows at `time_s`, on [0, seconds)."""
    scene = next(scene for scene in script.scenes if scene.start_s <= time_s < scene.end_s)
    pan = 0.5 + 0.5 * math.sin(0.15 * time_s)
    standing = tuple((s.thing, s.x) for s in script.standings if s.start_s <= time_s < s.end_s)
    event = next((event for event in script.events if event.start_s <= time_s < event.end_s), None)
    if event is None:
        return Moment(scene.name, pan, standing)
    elapsed_s = time_s - event.start_s
    progress = elapsed_s / (event.end_s - event.start_s)
    return Moment(scene.name, pan, standing, event.act, event.x0, event.x1, elapsed_s, progress)


def frames(script: Script, fps: int) -> Iterator[Image.Image]:
    """The frames of a script, RGB of WIDTH x HEIGHT, in order."""
    for index in range(round(script.seconds * fps)):
        yield draw(moment_at(script, index / fps))


def draw(moment: Moment) -> Image.Image:
    """The frame of a moment, RGB of WIDTH x HEIGHT."""
    left = round(moment.pan * PAN)
    image = panorama(moment.scene).crop((left, 0, left + WIDTH, HEIGHT))
    for thing, x in moment.standing:
        _put(image, thing, x * WIDTH, GROUND)
    act = moment.act
    if act is None:
        return image
    if act.thing is None:
        _card(image, act.word or "")
    elif act.action in DEEDS:
        _DEEDS[act.action](image, act.thing, moment.x0 * WIDTH, moment.elapsed_s, moment.progress)
    else:
        _move(image, act.thing, moment)
    return image


def _move(image: Image.Image, thing: Thing, moment: Moment) -> None:
    x = (moment.x0 + (moment.x1 - moment.x0) * moment.progress) * WIDTH
    back = -1 if moment.x1 > moment.x0 else 1
    for step in (3, 2, 1):
        _put(image, thing, x + back * step * 13, GROUND, alpha=0.55 - 0.13 * step, shadow=False)
    canvas = ImageDraw.Draw(image)
    for dy in (-16, 0, 16):
        start = x + back * (SIZE / 2 + 4)
        _line(canvas, [(start, GROUND + dy), (start + back * 34, GROUND + dy)])
    _put(image, thing, x, GROUND)


def _bounce(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    # 0.9 s a bounce: one frame a second falls on a new height every time.
    phase = (elapsed_s / 0.9) % 1.0
    height = 46 * math.sin(math.pi * phase)
    squash = max(0.0, 1 - height / 14)
    canvas = ImageDraw.Draw(image)
    for dx in (-30, 30):
        _line(canvas, [(x + dx, GROUND + 20), (x + dx * 1.35, GROUND + 10)])
        _line(canvas, [(x + dx * 1.1, GROUND + 26), (x + dx * 1.6, GROUND + 24)])
    for step in (2, 1):
        _put(image, thing, x, GROUND - max(0.0, height - 14 * step), alpha=0.3, shadow=False)
    width, tall = SIZE * (1 + 0.4 * squash), SIZE * (1 - 0.35 * squash)
    _shadow(image, x, SIZE * (1.1 - height / 90))
    _put(image, thing, x, GROUND - height + (SIZE - tall) / 2, width=width, height=tall, shadow=False)


def _blink(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    bright = (elapsed_s / 0.7) % 1.0 < 0.55
    canvas = ImageDraw.Draw(image)
    reach = 1.0 if bright else 0.75
    for ray in range(12):
        angle = math.tau * ray / 12
        dx, dy = math.cos(angle), math.sin(angle)
        inner, outer = 30, 30 + 16 * reach
        ends = [(x + dx * inner, GROUND + dy * inner), (x + dx * outer, GROUND + dy * outer)]
        _line(canvas, ends, light=(255, 244, 150))
    _put(image, thing, x, GROUND, alpha=1.0 if bright else 0.35)


def _spin(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    angle = (elapsed_s * 250) % 360
    canvas = ImageDraw.Draw(image)
    for start in (0, 120, 240):
        box = [x - 34, GROUND - 34, x + 34, GROUND + 34]
        begin = start + angle
        canvas.arc(box, begin, begin + 75, fill=_DARK, width=5)
        canvas.arc([box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1], begin, begin + 75, fill=_LIGHT, width=3)
    _put(image, thing, x, GROUND, angle=round(-angle / 15) * 15)


def _grow(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    size = SIZE * (1.15 + 0.7 * progress)
    centre = GROUND - (size - SIZE) / 2
    _put(image, thing, x, centre, width=size, height=size)
    canvas = ImageDraw.Draw(image)
    for sx in (-1, 1):
        for sy in (-1, 1):
            tip = (x + sx * (size / 2 + 12), centre + sy * (size / 2 + 6))
            _line(canvas, [(tip[0] - sx * 14, tip[1] - sy * 14), tip])
            _line(canvas, [(tip[0] - sx * 9, tip[1]), tip, (tip[0], tip[1] - sy * 9)])


def _shake(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    offset = 6 * math.sin(math.tau * elapsed_s * 3.3)
    canvas = ImageDraw.Draw(image)
    for side in (-1, 1):
        for gap in (36, 45):
            edge = x + side * gap
            _line(canvas, [(edge + (3 if k % 2 else -3), GROUND - 24 + 8 * k) for k in range(7)])
    for ghost in (-8, 8):
        _put(image, thing, x + ghost, GROUND, alpha=0.35, shadow=False)
    _put(image, thing, x + offset, GROUND)


_DEEDS = {"bounce": _bounce, "blink": _blink, "spin": _spin, "grow": _grow, "shake": _shake}


def _card(image: Image.Image, word: str) -> None:
    card = _lettered(word)
    image.paste(card, ((WIDTH - card.width) // 2, 30))


@lru_cache(maxsize=64)
def _lettered(word: str) -> Image.Image:
    card = Image.new("RGB", (208, 72), (246, 240, 220))
    canvas = ImageDraw.Draw(card)
    canvas.rectangle([3, 3, 204, 68], outline=(40, 40, 60), width=3)
    canvas.text((104, 36), word, fill=(20, 20, 30), font=ImageFont.load_default(42), anchor="mm")
    return card


def _line(canvas: ImageDraw.ImageDraw, points: list, light: tuple = _LIGHT) -> None:
    """A light line with a dark rim, so that it shows on any background."""
    canvas.line(points, fill=_DARK, width=4)
    canvas.line(points, fill=light, width=2)


def _shadow(image: Image.Image, x: float, width: float) -> None:
    mask = _shadow_mask(round(width))
    image.paste((0, 0, 0), (round(x - mask.width / 2), GROUND + SIZE // 2 - 4), mask)


@lru_cache(maxsize=128)
def _shadow_mask(width: int) -> Image.Image:
    mask = Image.new("L", (width, 9), 0)
    ImageDraw.Draw(mask).ellipse([0, 0, width - 1, 8], fill=80)
    return mask


def _put(
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
        _shadow(image, x, width * 0.9)
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
    rim = _LIGHT if thing.colour in ("black", "blue", "purple") else _DARK
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
