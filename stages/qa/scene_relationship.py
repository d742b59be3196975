"""Scene relationship: which scene comes when, what happens in it, where an event takes place, whose talk a line is."""

from collections.abc import Iterator
from dataclasses import replace

from stages.qa.draft import Draft, Template, choice
from stages.qa.grammar import capitalised, inverted, parse
from stages.qa.moment import Moment, overlap, quoted
from stages.qa.places import split_setting
from stages.qa.similarity import covers, near_duplicates
from stages.qa.video import Video


def scene_of_event(video: Video) -> Iterator[Draft]:
    """Which scene an event happens in."""
    rng = video.rng("scene_relationship/scene_of_event")
    for event in video.shuffled(video.visual, rng):
        scene = _scene_around(video, event)
        if scene is None or not video.unique(event) or near_duplicates(event.text, scene.text):
            continue
        wrong = video.wrong(scene, video.scenes, rng, asked=(event,))
        if wrong:
            question = (
                f"In which scene {event.question}?" if event.question else f"In which scene is it that {event.when}?"
            )
            yield choice(question, scene, wrong, [event, scene], asked=(event,))


def event_in_scene(video: Video) -> Iterator[Draft]:
    """Which of some events happens in a scene."""
    rng = video.rng("scene_relationship/event_in_scene")
    for event in video.shuffled(video.visual, rng):
        scene = _scene_around(video, event)
        if (
            scene is None
            or not _once(video, scene)
            or near_duplicates(event.text, scene.text)
            or not video.unique(event)
        ):
            continue
        wrong = video.wrong(event, video.visual, rng, asked=(scene,), outside=scene.span, accept=video.unique)
        if wrong:
            question = f"Which of these happens in {_scene(scene)}?"
            yield choice(question, event, wrong, [event, scene], asked=(scene,))


def next_scene(video: Video) -> Iterator[Draft]:
    """Which scene follows another, or comes before it."""
    rng = video.rng("scene_relationship/next_scene")
    for scene in video.shuffled(video.scenes, rng):
        side = rng.choice(("after", "before"))
        truth = (video.next if side == "after" else video.previous)(scene, video.scenes)
        if truth is None or not _once(video, scene) or near_duplicates(scene.text, truth.text):
            continue
        wrong = video.wrong(truth, video.scenes, rng, asked=(scene,))
        if wrong:
            question = f"Which scene comes right {side} {_scene(scene)}?"
            yield choice(question, truth, wrong, [scene, truth], asked=(scene,))


def first_or_last_scene(video: Video) -> Iterator[Draft]:
    """Which of some scenes comes first, or last."""
    rng = video.rng("scene_relationship/first_or_last_scene")
    scenes = [s for s in video.scenes if _once(video, s)]
    left = video.shuffled(scenes, rng)
    while len(left) >= 3:
        chosen = sorted(left[: video.config.num_options], key=lambda s: s.start_s)
        left = left[video.config.num_options :]
        if any(overlap(a.span, b.span) for a, b in zip(chosen, chosen[1:], strict=False)):
            continue
        place = rng.choice(("first", "last"))
        truth = chosen[0] if place == "first" else chosen[-1]
        question = f"Which of these scenes comes {place} in the video?"
        wrong = [s for s in chosen if s is not truth]
        yield replace(choice(question, truth, wrong, chosen), query_options=True)


def event_beside_scene(video: Video) -> Iterator[Draft]:
    """What happens right after a scene ends, or right before it starts."""
    rng = video.rng("scene_relationship/event_beside_scene")
    for scene in video.shuffled(video.scenes, rng):
        for side, find in video.shuffled((("after", video.next), ("before", video.previous)), rng):
            event = find(scene, video.visual)
            if event is None or not _once(video, scene) or near_duplicates(scene.text, event.text):
                continue
            if any(s is not scene and overlap(s.span, _gap(scene, event)) for s in video.scenes):
                continue
            near = (min(scene.start_s, event.start_s) - 15.0, max(scene.end_s, event.end_s) + 15.0)
            wrong = video.wrong(event, video.visual, rng, asked=(scene,), outside=near)
            if wrong:
                question = f"What happens right {side} {_scene(scene)}?"
                yield choice(question, event, wrong, [scene, event], asked=(scene,))


def setting(video: Video) -> Iterator[Draft]:
    """Where an event takes place, when its text tells; the wrong places are those of other events."""
    rng = video.rng("scene_relationship/setting")
    settings = {m: found for m in video.visual if (found := split_setting(m.parsed.text)) and m.parsed.form == "clause"}
    for event in video.shuffled(settings, rng):
        what, where, group = settings[event]
        clause = parse(what)
        question = inverted(clause)
        told_again = any(covers(what, m.text) for m in video.visual if m is not event)
        if question is None or clause.base in ("be", "have") or told_again:
            continue
        others: dict[int, str] = {}
        for m in video.shuffled(settings, rng):
            _, elsewhere, other_group = settings[m]
            if other_group != group and not near_duplicates(where, elsewhere):
                others.setdefault(other_group, capitalised(elsewhere))
        wrong = list(others.values())[: video.config.num_options - 1]
        if video.enough(len(wrong)):
            evidence = (event.span,)
            yield Draft(
                f"Where {question}?", capitalised(where), evidence, (event.event_id,), wrong=tuple(wrong), asked=(what,)
            )


def same_conversation(video: Video) -> Iterator[Draft]:
    """Which line is from the same stretch of talk as another; stretches are parted by silence."""
    rng = video.rng("scene_relationship/same_conversation")
    for lines in video.shuffled([c for c in video.conversations if len(c) >= 2], rng):
        asked, truth = rng.sample(lines, 2)
        if not video.unique(asked) or not video.unique(truth) or near_duplicates(asked.text, truth.text):
            continue
        span = (lines[0].start_s, max(line.end_s for line in lines))
        wrong = video.wrong(truth, video.speech, rng, asked=(asked,), outside=span)
        if wrong:
            question = f"Which line is part of the same conversation as {quoted(asked.text)}?"
            yield choice(question, truth, wrong, [asked, truth], asked=(asked,))


def after_silence(video: Video) -> Iterator[Draft]:
    """What is said first when a silence ends."""
    rng = video.rng("scene_relationship/after_silence")
    pairs = list(zip(video.conversations, video.conversations[1:], strict=False))
    for before, after in video.shuffled(pairs, rng):
        asked, truth = before[-1], after[0]
        pause = truth.start_s - max(line.end_s for line in before)
        if pause < 2 * video.config.silence_s or not video.unique(asked) or near_duplicates(asked.text, truth.text):
            continue
        wrong = video.wrong(truth, video.speech, rng, asked=(asked,))
        if wrong:
            question = f"After {quoted(asked.text)} no one speaks for {round(pause)} seconds. What is said then?"
            yield choice(question, truth, wrong, [asked, truth], asked=(asked,), flags=("annotation_dependent",))


TEMPLATES: dict[str, Template] = {
    "scene_of_event": scene_of_event,
    "event_in_scene": event_in_scene,
    "next_scene": next_scene,
    "event_beside_scene": event_beside_scene,
    "setting": setting,
    "same_conversation": same_conversation,
    "after_silence": after_silence,
    "first_or_last_scene": first_or_last_scene,
}


def _scene(scene: Moment) -> str:
    forms = {"clause": "the scene where {}", "phrase": "the scene that shows {}"}
    return forms.get(scene.parsed.form, 'the scene "{}"').format(scene.parsed.text)


def _scene_around(video: Video, event: Moment) -> Moment | None:
    """The one scene that an event lies in whole, None where it touches none or several."""
    touched = [s for s in video.scenes if overlap(s.span, event.span)]
    inside = len(touched) == 1 and touched[0].start_s <= event.start_s and event.end_s <= touched[0].end_s
    return touched[0] if inside else None


def _once(video: Video, scene: Moment) -> bool:
    return not any(near_duplicates(scene.text, s.text) for s in video.scenes if s is not scene)


def _gap(a: Moment, b: Moment) -> tuple[float, float]:
    return min(a.end_s, b.end_s), max(a.start_s, b.start_s)
