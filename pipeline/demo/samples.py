"""Batches of frames and true texts for training the tiny CLIP: drawn when needed, never the same twice.

A batch is made of groups that are hard to tell apart: one thing doing different things; one action done by things of
the same colour or of the same shape while the first thing stands by; the same thing at rest. So neither colour, shape
nor action alone is enough. A text may be true of several frames of a batch: `Batch.truth` says of which.
"""

import io
import random
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageEnhance

from pipeline.demo import texts
from pipeline.demo.render import Moment, draw
from pipeline.demo.world import COLOURS, DEEDS, LEFT_EDGE, MOVES, RIGHT_EDGE, SCENES, SHAPES, SLOTS, WORDS, Act, Thing

GROUP = 8
UNSAID = -100
ATTRIBUTES = {
    "action": ("", *DEEDS, *MOVES, "card"),
    "colour": ("", *COLOURS),
    "shape": ("", *SHAPES),
    "word": ("", *WORDS),
    "scene": ("", *SCENES),
}
# What the keys of a claim say.
_SAID = {"act": ("action", "colour", "shape"), "card": ("action", "word"), "scene": ("scene",)}
_PATHS = {
    "enter_left": [(LEFT_EDGE, SLOTS[0])],
    "enter_right": [(RIGHT_EDGE, SLOTS[2])],
    "leave_left": [(SLOTS[0], LEFT_EDGE)],
    "leave_right": [(SLOTS[2], RIGHT_EDGE)],
    "slide_left": [(SLOTS[1], SLOTS[0]), (SLOTS[2], SLOTS[1])],
    "slide_right": [(SLOTS[0], SLOTS[1]), (SLOTS[1], SLOTS[2])],
}


@dataclass(frozen=True)
class Batch:
    """Holds frames and texts, and what is true of them.

    images: N frames, RGB; texts: N strings; truth: N x N, whether text j is true of frame i (always for i = j);
    frame_labels, text_labels: N x len(ATTRIBUTES), index of the attribute's value, UNSAID where a text leaves it open.
    """

    images: list[Image.Image]
    texts: list[str]
    truth: np.ndarray
    frame_labels: np.ndarray
    text_labels: np.ndarray


def sample_batch(num_groups: int, rng: random.Random) -> Batch:
    """Draws `num_groups` groups of GROUP frames, each with a text that is true of it."""
    moments = [moment for _ in range(num_groups) for moment in _group(rng)]
    claims = [_claim(moment, rng) for moment in moments]
    shown = [shown_keys(moment) for moment in moments]
    truth = np.array([[claim.holds(keys) for claim in claims] for keys in shown])
    images = [spoil(draw(moment), rng) for moment in moments]
    frame_labels = np.array([_frame_labels(moment) for moment in moments])
    text_labels = np.array([_text_labels(claim) for claim in claims])
    return Batch(images, [claim.text for claim in claims], truth, frame_labels, text_labels)


def shown_keys(moment: Moment) -> frozenset[texts.Key]:
    """Returns all that is true of a frame."""
    keys = {texts.scene_key(moment.scene)} | {texts.thing_key(thing) for thing, _ in moment.standing}
    if moment.act:
        keys.add(texts.act_key(moment.act))
        if moment.act.thing:
            keys.add(texts.thing_key(moment.act.thing))
    return frozenset(keys)


def spoil(image: Image.Image, rng: random.Random) -> Image.Image:
    """Does to a frame what encoding and decoding do: block noise and small shifts of light."""
    if rng.random() < 0.3:
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.85, 1.15))
    if rng.random() < 0.7:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=rng.randint(25, 90))
        image = Image.open(buffer).convert("RGB")
    return image


def _frame_labels(moment: Moment) -> list[int]:
    """What happens (nothing: the first value), and where."""
    act = moment.act
    thing = act.thing if act else None
    said = (act and act.action, thing and thing.colour, thing and thing.shape, act and act.word, moment.scene)
    return [values.index(value or "") for values, value in zip(ATTRIBUTES.values(), said, strict=True)]


def _text_labels(claim: texts.Claim) -> list[int]:
    """What the claim says for sure; a question for two acts says nothing for sure."""
    labels = dict.fromkeys(ATTRIBUTES, UNSAID)
    keys = claim.alternatives[0] if len(claim.alternatives) == 1 else ()
    for kind, *values in keys:
        if kind == "card":
            values = ["card", *values]
        for name, value in zip(_SAID.get(kind, ()), values, strict=False):
            labels[name] = ATTRIBUTES[name].index(value)
    return list(labels.values())


def _group(rng: random.Random) -> list[Moment]:
    thing = _thing(rng)
    action, *others = rng.sample(DEEDS + MOVES, 4)
    recoloured = Thing(rng.choice([c for c in COLOURS if c != thing.colour]), thing.shape)
    reshaped = Thing(thing.colour, rng.choice([s for s in SHAPES if s != thing.shape]))
    wanted: list[tuple[Act | None, list[Thing]]] = [
        (Act(action, thing), rng.sample([recoloured, reshaped], rng.randint(0, 2))),
        (Act(others[0], thing), rng.sample([recoloured, reshaped, _thing(rng)], rng.randint(0, 2))),
        (Act(others[1], thing), [_thing(rng)]),
        (Act(action, recoloured), [thing]),
        (Act(action, reshaped), [thing]),
        (Act(others[2], _thing(rng)), [thing]),
        (Act("card", word=rng.choice(WORDS)), [_thing(rng), thing][: rng.randint(0, 2)]),
        (None, [thing, _thing(rng), recoloured][: rng.randint(1, 3)]),
    ]
    scene = rng.choice(SCENES) if rng.random() < 0.5 else None
    return [_moment(act, others, scene or rng.choice(SCENES), rng) for act, others in wanted]


def _thing(rng: random.Random) -> Thing:
    return Thing(rng.choice(list(COLOURS)), rng.choice(SHAPES))


def _moment(act: Act | None, bystanders: list[Thing], scene: str, rng: random.Random) -> Moment:
    moment = Moment(scene, rng.random())
    free = list(SLOTS)
    if act is not None:
        slot = rng.choice(SLOTS)
        x0, x1 = rng.choice(_PATHS[act.action]) if act.action in _PATHS else (slot, slot)
        elapsed_s, progress = rng.uniform(0, 8), rng.random()
        moment = replace(moment, act=act, x0=x0, x1=x1, elapsed_s=elapsed_s, progress=progress)
        if act.thing is not None:
            free = [slot for slot in free if slot not in (x0, x1)]
    rng.shuffle(free)
    unlike = [thing for thing in dict.fromkeys(bystanders) if act is None or thing != act.thing]
    # A script never stands two of the same thing on the stage, nor one where another moves.
    return replace(moment, standing=tuple(zip(unlike, free, strict=False)))


def _claim(moment: Moment, rng: random.Random) -> texts.Claim:
    things = [thing for thing, _ in moment.standing]
    if moment.act is None:
        return (
            texts.claim_thing(rng.choice(things), rng) if rng.random() < 0.5 else texts.claim_scene(moment.scene, rng)
        )
    act, chance = moment.act, rng.random()
    if chance < 0.74:
        return texts.claim_act(act, rng)
    if chance < 0.81:
        other = Act(rng.choice(DEEDS + MOVES), _thing(rng))
        return texts.claim_pair(act, other, rng) if rng.random() < 0.5 else texts.claim_pair(other, act, rng)
    if chance < 0.87:
        return texts.claim_in_scene(act, moment.scene, rng)
    if chance < 0.94 or act.thing is None:
        return texts.claim_scene(moment.scene, rng)
    return texts.claim_thing(act.thing, rng)
