"""Plans of scene relationship: where an event happens, what a scene holds, which scene comes when, what is said."""

from collections.abc import Iterator

from stages.qa.answers import same
from stages.qa.event import Event, overlap_s
from stages.qa.plan import Plan
from stages.qa.tasks.event_relationship import first_or_last_of
from stages.qa.tasks.options import wrong_events
from stages.qa.timeline import Timeline

TASK = "scene_relationship"


def scene_of(timeline: Timeline) -> Iterator[Plan]:
    """Asks in which scene an event happens."""
    rng = timeline.rng("scene_of")
    for event in timeline.some(filter(timeline.is_askable, timeline.visual), rng):
        scene = _scene_of(timeline, event)
        if scene is None or not timeline.is_short(scene):
            continue
        wrong = wrong_events(timeline, scene, _beside(timeline, scene), timeline.scenes, rng, asked=[event])
        if wrong:
            yield Plan(TASK, "scene_of", scene, _sorted(event, scene), wrong=wrong, asked=(event,), hops=2)


def in_scene(timeline: Timeline) -> Iterator[Plan]:
    """Asks which of these events happens in a scene."""
    rng, outsides = timeline.rng("in_scene"), dict[Event, list[Event]]()
    for event in timeline.some(timeline.visual, rng):
        scene = _scene_of(timeline, event)
        if scene is None or event.is_spread or not timeline.is_unique(event) or not timeline.is_short(event):
            continue
        if len(timeline.groups[scene.group]) > 1 or timeline.rivals(scene) or not timeline.is_short(scene):
            continue
        outside = outsides[scene] = outsides.get(scene) or _outside(timeline, scene)
        before = [e for e in outside if e.end_s <= scene.start_s][-1:]
        after = [e for e in outside if e.start_s >= scene.end_s][:1]
        wrong = wrong_events(timeline, event, [*before, *after], outside, rng, asked=[scene])
        if wrong:
            yield Plan(TASK, "in_scene", event, _sorted(event, scene), wrong=wrong, asked=(scene,), hops=2)


def next_scene(timeline: Timeline) -> Iterator[Plan]:
    """Asks which scene comes next, or second next, after a scene, or before it."""
    rng = timeline.rng("next_scene")
    for scene in timeline.some(timeline.scenes, rng):
        if len(timeline.groups[scene.group]) > 1 or timeline.rivals(scene) or not timeline.is_short(scene):
            continue
        number = rng.choice((1, 2))
        side, sign = rng.choice((("after", 1), ("before", -1)))
        path = [timeline.step(scene, sign * i) for i in range(1, number + 1)]
        behind = timeline.step(scene, -sign)
        if path[-1] is None or (number == 1 and behind is None):
            continue
        steps = [step for step in path if step]
        wrong = wrong_events(timeline, steps[-1], [*steps[:-1], behind], timeline.scenes, rng, asked=[scene])
        if wrong:
            yield Plan(
                TASK,
                "next_scene",
                steps[-1],
                _sorted(scene, *steps),
                wrong=wrong,
                asked=(scene,),
                number=number,
                side=side,
                hops=number + 1,
            )


def first_or_last_scene(timeline: Timeline) -> Iterator[Plan]:
    """Asks which of these scenes comes first, or last."""
    yield from first_or_last_of(timeline, timeline.scenes, TASK, "first_or_last_scene")


def while_said(timeline: Timeline) -> Iterator[Plan]:
    """Asks what is to be seen while a line is spoken."""
    yield from _while(timeline, "while_said", timeline.lines, timeline.visual)


def said_while(timeline: Timeline) -> Iterator[Plan]:
    """Asks which line is spoken while something happens."""
    yield from _while(timeline, "said_while", timeline.visual, timeline.speech)


WRITERS = (scene_of, in_scene, next_scene, first_or_last_scene, while_said, said_while)


def _while(timeline: Timeline, form: str, asked_for: list[Event], pool: list[Event]) -> Iterator[Plan]:
    rng = timeline.rng(form)
    for event in timeline.some(filter(timeline.is_askable, asked_for), rng):
        error_s = timeline.config.time_error_s
        at_once = [e for e in pool if overlap_s(e.span, (event.start_s - error_s, event.end_s + error_s)) > 0]
        if len(at_once) != 1 or at_once[0].is_spread or not timeline.is_quotable(at_once[0]):
            continue
        truth = at_once[0]
        seen, line = (truth, event) if event.kind == "speech" else (event, truth)
        if overlap_s((seen.start_s + error_s, seen.end_s - error_s), line.span) == 0:
            continue
        offered = timeline.near(event, pool)
        apart = [e for e in offered if not e.is_spread and timeline.is_quotable(e) and not same(e, truth)]
        before = [e for e in apart if e.end_s <= truth.start_s][-1:]
        after = [e for e in apart if e.start_s >= truth.end_s][:1]
        wrong = wrong_events(timeline, truth, [*before, *after], apart, rng, asked=[event])
        if wrong:
            yield Plan(TASK, form, truth, _sorted(event, truth), wrong=wrong, asked=(event,), hops=2, error_s=error_s)


def _scene_of(timeline: Timeline, event: Event) -> Event | None:
    """The one scene that an event lies in."""
    around = [s for s in timeline.scenes if overlap_s(s.span, event.span) > 0]
    inside = len(around) == 1 and overlap_s(around[0].span, event.span) >= 0.9 * (event.end_s - event.start_s)
    return around[0] if inside else None


def _beside(timeline: Timeline, scene: Event) -> list[Event | None]:
    """The scenes before and after, where they tell of something else."""
    beside = (timeline.step(scene, -1), timeline.step(scene, 1))
    return [other for other in beside if other is None or not same(other, scene)]


def _outside(timeline: Timeline, scene: Event) -> list[Event]:
    """The events that do not happen in a scene, under any words: those alone are wrong options."""
    inside = [e for e in timeline.visual if overlap_s(e.span, scene.span) > 0]
    return [e for e in timeline.visual if not e.is_spread and timeline.tells_of(e).isdisjoint(inside)]


def _sorted(*events: Event) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda e: (e.start_s, e.end_s)))
