"""The demo world: seeded scripts of what happens, and when, in a long video.

A video is a row of scenes ("a beach at dusk"). In each, a few coloured things stand about and now and then one of them
does something for a few seconds: enters, leaves, slides, bounces, blinks, spins, grows, shakes; or a card with a word
is shown. One thing happens at a time, with gaps, so that an event holds a frame or two in a hundred. Most events happen
once in a video; two refrains per video happen several times, to be counted. `pipeline.demo.render` draws a script.
"""

import random
from dataclasses import dataclass

from pipeline.demo.world import DEEDS, LEFT_EDGE, RIGHT_EDGE, SCENES, SLOTS, WORDS, Act, Thing, all_things


@dataclass(frozen=True)
class Event:
    """Holds an act on [start_s, end_s) from x0 to x1 (shares of the frame's width; equal where it stays)."""

    start_s: float
    end_s: float
    act: Act
    x0: float
    x1: float


@dataclass(frozen=True)
class Standing:
    """Holds a thing that stands still at x on [start_s, end_s)."""

    start_s: float
    end_s: float
    thing: Thing
    x: float


@dataclass(frozen=True)
class Scene:
    """Holds a stretch of time in one place."""

    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True)
class Script:
    """Holds all that a video shows. Scenes cover [0, seconds); events never overlap and never cross a scene's end."""

    seconds: float
    scenes: tuple[Scene, ...]
    events: tuple[Event, ...]
    standings: tuple[Standing, ...]


def write_script(seconds: float, seed: int) -> Script:
    """Writes a script of `seconds` (at least 30); the same for the same seed."""
    if seconds < 30:
        raise ValueError(f"seconds = {seconds}: a script needs at least 30 to hold a scene")
    rng = random.Random(seed)
    while True:
        writer = _Writer(rng, seconds)
        script = writer.write()
        acts = [event.act for event in script.events]
        # A refrain finds no room in a scene now and then; where that leaves none to be counted, another script does.
        if len(script.scenes) == 1 or any(acts.count(refrain) > 1 for refrain in writer.refrains):
            return script


class _Writer:
    """Writes one script scene by scene, so that no event but a refrain happens twice."""

    def __init__(self, rng: random.Random, seconds: float) -> None:
        self.rng, self.seconds = rng, seconds
        self.done: set[Act] = set()
        self.events: list[Event] = []
        self.standings: list[Standing] = []
        stars = rng.sample(all_things(), 2)
        self.refrains = [Act(deed, star) for deed, star in zip(rng.sample(DEEDS, 2), stars, strict=True)]
        self.done.update(self.refrains)

    def write(self) -> Script:
        scenes = self._scenes()
        # Each time a refrain is heard it is in another scene: so a single frame can tell the first time from the last.
        heard = {
            refrain: self.rng.sample(range(len(scenes)), min(self.rng.randint(2, 4), len(scenes)))
            for refrain in self.refrains
        }
        for index, scene in enumerate(scenes):
            self._fill(scene, [refrain for refrain in self.refrains if index in heard[refrain]])
        return Script(self.seconds, tuple(scenes), tuple(self.events), tuple(self.standings))

    def _scenes(self) -> list[Scene]:
        count = max(1, min(len(SCENES), round(self.seconds / self.rng.uniform(45, 60))))
        weights = [self.rng.uniform(0.75, 1.25) for _ in range(count)]
        cuts = [0.0]
        for weight in weights:
            cuts.append(cuts[-1] + self.seconds * weight / sum(weights))
        cuts = [*(round(cut, 1) for cut in cuts[:-1]), self.seconds]
        names = self.rng.sample(SCENES, count)
        return [Scene(start, end, name) for start, end, name in zip(cuts[:-1], cuts[1:], names, strict=True)]

    def _fill(self, scene: Scene, todo: list[Act]) -> None:
        """Lets things happen from the scene's start to its end. `on` is who stands where, and since when."""
        on = self._opening_cast(scene, todo)
        now = scene.start_s + self.rng.uniform(2, 5)
        while True:
            length = round(self.rng.uniform(3.5, 8.0), 1)
            if now + length > scene.end_s - 1.5:
                break
            late = scene.end_s - now < 16 * len(todo)
            if todo and (late or self.rng.random() < 0.35):
                act = todo.pop()
                slot = next(slot for slot, (thing, _) in on.items() if thing == act.thing)
                self._perform(act, slot, slot, now, length, on)
            else:
                kept = {act.thing for act in todo}
                act, x0, x1 = self._choose(on, kept)
                self._perform(act, x0, x1, now, length, on)
            now = round(now + length + self.rng.uniform(3, 8), 1)
        for x, (thing, since) in on.items():
            self.standings.append(Standing(since, scene.end_s, thing, x))

    def _opening_cast(self, scene: Scene, todo: list[Act]) -> dict[float, tuple[Thing, float]]:
        things = list(dict.fromkeys(act.thing for act in todo if act.thing))
        while len(things) < 2:
            things.append(self._newcomer(things))
        slots = self.rng.sample(SLOTS, len(things))
        return {slot: (thing, scene.start_s) for slot, thing in zip(slots, things, strict=True)}

    def _newcomer(self, present: list[Thing]) -> Thing:
        """A thing that isn't there; half the time like one that is, in colour or in shape."""
        free = [thing for thing in all_things() if thing not in present]
        similar = [t for t in free if any((t.colour == p.colour) != (t.shape == p.shape) for p in present)]
        return self.rng.choice(similar if similar and self.rng.random() < 0.5 else free)

    def _choose(self, on: dict, kept: set) -> tuple[Act, float, float]:
        """An act that hasn't happened yet, with where it starts and ends. Things in `kept` don't leave."""
        present = [thing for thing, _ in on.values()]
        options: list[tuple[float, Act, float, float]] = []
        for x, (thing, _) in on.items():
            options += [(1.0, Act(deed, thing), x, x) for deed in DEEDS]
            options += [
                (2.0, act, x, x1) for act, x1 in _ways(thing, x, on) if thing not in kept or "slide" in act.action
            ]
        if len(on) < len(SLOTS):
            newcomer = self._newcomer(present)
            sides = [("enter_left", LEFT_EDGE, SLOTS[0]), ("enter_right", RIGHT_EDGE, SLOTS[-1])]
            options += [(4.0, Act(way, newcomer), edge, slot) for way, edge, slot in sides if slot not in on]
        options += [(0.06, Act("card", word=word), 0.5, 0.5) for word in WORDS]
        options = [option for option in options if option[1] not in self.done]
        _, act, x0, x1 = self.rng.choices(options, weights=[option[0] for option in options])[0]
        self.done.add(act)
        return act, x0, x1

    def _perform(self, act: Act, x0: float, x1: float, now: float, length: float, on: dict) -> None:
        start, end = round(now, 1), round(now + length, 1)
        self.events.append(Event(start, end, act, x0, x1))
        if act.thing is None:
            return
        if x0 in on:
            thing, since = on.pop(x0)
            self.standings.append(Standing(since, start, thing, x0))
        if x1 in SLOTS:
            on[x1] = (act.thing, end)


def _ways(thing: Thing, x: float, on: dict) -> list[tuple[Act, float]]:
    """The moves open to a thing at slot x: off by the near edge, or over to a free slot beside it."""
    index = SLOTS.index(x)
    ways = []
    if index == 0:
        ways.append((Act("leave_left", thing), LEFT_EDGE))
    elif SLOTS[index - 1] not in on:
        ways.append((Act("slide_left", thing), SLOTS[index - 1]))
    if index == len(SLOTS) - 1:
        ways.append((Act("leave_right", thing), RIGHT_EDGE))
    elif SLOTS[index + 1] not in on:
        ways.append((Act("slide_right", thing), SLOTS[index + 1]))
    return ways
