"""Draws the demo world: a `Moment` is all that one frame shows, `draw` makes it an image.

Every action can be told from a single frame, as CLIP sees single frames: a moving thing has ghosts and speed lines
behind it, a bouncing one is squashed or in the air above its shadow, a blinking one has rays, a spinning one is tilted
between arcs, a growing one is large between outward arrows, a shaking one stands between zigzags.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from pipeline.demo.scenery import HEIGHT, PAN, WIDTH, panorama
from pipeline.demo.script import Script
from pipeline.demo.sprites import DARK, GROUND, LIGHT, SIZE, cast_shadow, line, put
from pipeline.demo.world import DEEDS, Act, Thing


@dataclass(frozen=True)
class Moment:
    """Tells what one frame shows: a scene, things that stand at x, and at most one act.

    `pan` (0..1) is where the view of the scene lies; x, x0 and x1 are shares of the frame's width; `progress` (0..1)
    and `elapsed_s` say how far the act has come.
    """

    scene: str
    pan: float
    standing: tuple[tuple[Thing, float], ...] = ()
    act: Act | None = None
    x0: float = 0.5
    x1: float = 0.5
    elapsed_s: float = 0.0
    progress: float = 0.0


def moment_at(script: Script, time_s: float) -> Moment:
    """Returns the moment that a script shows at `time_s`, on [0, seconds)."""
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
    """Yields the frames of a script, RGB of WIDTH x HEIGHT, in order."""
    for index in range(round(script.seconds * fps)):
        yield draw(moment_at(script, index / fps))


def draw(moment: Moment) -> Image.Image:
    """Draws the frame of a moment, RGB of WIDTH x HEIGHT."""
    left = round(moment.pan * PAN)
    image = panorama(moment.scene).crop((left, 0, left + WIDTH, HEIGHT))
    for thing, x in moment.standing:
        put(image, thing, x * WIDTH, GROUND)
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
        put(image, thing, x + back * step * 13, GROUND, alpha=0.55 - 0.13 * step, shadow=False)
    canvas = ImageDraw.Draw(image)
    for dy in (-16, 0, 16):
        start = x + back * (SIZE / 2 + 4)
        line(canvas, [(start, GROUND + dy), (start + back * 34, GROUND + dy)])
    put(image, thing, x, GROUND)


def _bounce(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    # 0.9 s per bounce: one frame per second falls on a new height every time.
    phase = (elapsed_s / 0.9) % 1.0
    height = 46 * math.sin(math.pi * phase)
    squash = max(0.0, 1 - height / 14)
    canvas = ImageDraw.Draw(image)
    for dx in (-34, 34):
        line(canvas, [(x + dx, GROUND + 20), (x + dx * 1.35, GROUND + 10)])
        line(canvas, [(x + dx * 1.1, GROUND + 26), (x + dx * 1.6, GROUND + 24)])
    for step in (2, 1):
        put(image, thing, x, GROUND - max(0.0, height - 14 * step), alpha=0.3, shadow=False)
    width, tall = SIZE * (1 + 0.4 * squash), SIZE * (1 - 0.35 * squash)
    cast_shadow(image, x, SIZE * (1.1 - height / 90))
    put(image, thing, x, GROUND - height + (SIZE - tall) / 2, width=width, height=tall, shadow=False)


def _blink(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    bright = (elapsed_s / 0.7) % 1.0 < 0.55
    canvas = ImageDraw.Draw(image)
    reach = 1.0 if bright else 0.75
    for ray in range(12):
        angle = math.tau * ray / 12
        dx, dy = math.cos(angle), math.sin(angle)
        inner, outer = 34, 34 + 16 * reach
        ends = [(x + dx * inner, GROUND + dy * inner), (x + dx * outer, GROUND + dy * outer)]
        line(canvas, ends, light=(255, 244, 150))
    put(image, thing, x, GROUND, alpha=1.0 if bright else 0.35)


def _spin(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    angle = (elapsed_s * 250) % 360
    canvas = ImageDraw.Draw(image)
    for start in (0, 120, 240):
        box = [x - 39, GROUND - 39, x + 39, GROUND + 39]
        begin = start + angle
        canvas.arc(box, begin, begin + 75, fill=DARK, width=5)
        canvas.arc([box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1], begin, begin + 75, fill=LIGHT, width=3)
    put(image, thing, x, GROUND, angle=round(-angle / 15) * 15)


def _grow(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    size = SIZE * (1.15 + 0.5 * progress)
    centre = GROUND - (size - SIZE) / 2
    put(image, thing, x, centre, width=size, height=size)
    canvas = ImageDraw.Draw(image)
    for sx in (-1, 1):
        for sy in (-1, 1):
            tip = (x + sx * (size / 2 + 12), centre + sy * (size / 2 + 6))
            line(canvas, [(tip[0] - sx * 14, tip[1] - sy * 14), tip])
            line(canvas, [(tip[0] - sx * 9, tip[1]), tip, (tip[0], tip[1] - sy * 9)])


def _shake(image: Image.Image, thing: Thing, x: float, elapsed_s: float, progress: float) -> None:
    offset = 6 * math.sin(math.tau * elapsed_s * 3.3)
    canvas = ImageDraw.Draw(image)
    for side in (-1, 1):
        for gap in (40, 49):
            edge = x + side * gap
            line(canvas, [(edge + (3 if k % 2 else -3), GROUND - 24 + 8 * k) for k in range(7)])
    for ghost in (-8, 8):
        put(image, thing, x + ghost, GROUND, alpha=0.35, shadow=False)
    put(image, thing, x + offset, GROUND)


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
