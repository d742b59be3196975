"""Temporal grounding: when does a thing happen? Only what happens once, or is asked for by its turn."""

from collections.abc import Iterator

from stages.qa.draft import Draft, Template
from stages.qa.moment import Moment, overlap, quoted, span_text
from stages.qa.video import Video

_HINT = "Give the start and the end in seconds."
_ASK = ("When {inverted}?", "At what time {inverted}?", "During which part of the video {inverted}?")
_FIND = ("When does this happen: {when}?", "At what point in the video does this happen: {when}?")
_SAID = ("When does someone say {text}?", "At what time is the line {text} spoken?")
_SHOWN = ("When does the video show {text}?", "At what time can one see {text}?")
_SCENE = ("When do we see {text}?", "Which part of the video shows {text}?")
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


def span(video: Video) -> Iterator[Draft]:
    """Open: the answer is start and end."""
    for moment, question in _asked(video, "span"):
        yield Draft(
            question,
            f"From {span_text(moment.span)}.",
            (moment.span,),
            (moment.event_id,),
            asked=(moment.text,),
            flags=_flags(moment),
            hint=_HINT,
        )


def choice(video: Video) -> Iterator[Draft]:
    """Multiple choice: the other spans are those of other events, when something else is to be seen."""
    rng = video.rng("temporal_grounding/choice/wrong")
    for moment, question in _asked(video, "choice"):
        pool = video.speech if moment.kind == "speech" else [m for m in video.moments if m.kind != "speech"]
        wrong: list[Moment] = []
        # Scenes last longer than events: a span of the other kind would stand out.
        for m in sorted(video.shuffled(pool, rng), key=lambda m: (m.kind == "scene") != (moment.kind == "scene")):
            if video.askable(m) and not any(overlap(m.span, k.span) for k in [moment, *wrong]):
                wrong.append(m)
            if len(wrong) == video.config.num_options - 1:
                break
        texts = {span_text(m.span) for m in wrong} - {span_text(moment.span)}
        if video.enough(len(texts)):
            yield Draft(
                question,
                span_text(moment.span),
                (moment.span,),
                (moment.event_id,),
                wrong=tuple(sorted(texts)),
                asked=(moment.text,),
                flags=_flags(moment),
            )


def turn(video: Video) -> Iterator[Draft]:
    """Of what happens several times: when for the second time?"""
    rng = video.rng("temporal_grounding/turn")
    for group in video.shuffled(video.repeated, rng):
        index = rng.randrange(min(len(group), len(_ORDINALS)))
        asked = group[index]
        word = "last" if index == len(group) - 1 and rng.random() < 0.5 else _ORDINALS[index + 1]
        # The next time must not have begun before this one ends, or turns have no order.
        parted = all(a.end_s <= b.start_s for a, b in zip(group, group[1:], strict=False))
        if parted and asked.question and video.askable(asked):
            question = f"When {asked.question} for the {word} time?"
            answer = f"From {span_text(asked.span)}."
            yield Draft(question, answer, (asked.span,), (asked.event_id,), asked=(asked.text,), hint=_HINT)


TEMPLATES: dict[str, Template] = {"span": span, "choice": choice, "turn": turn}


def _asked(video: Video, name: str) -> Iterator[tuple[Moment, str]]:
    """Moments that can be asked for, with a question each."""
    rng = video.rng(f"temporal_grounding/{name}")
    for moment in video.shuffled(video.moments, rng):
        if video.askable(moment) and video.unique(moment):
            yield moment, _question(moment, rng)


def _question(moment: Moment, rng) -> str:
    text, form = moment.parsed.text, moment.parsed.form
    if moment.kind == "speech":
        return rng.choice(_SAID).format(text=quoted(moment.text))
    if moment.question:
        return rng.choice(_ASK).format(inverted=moment.question)
    if form == "phrase":
        return rng.choice(_SCENE).format(text=text)
    if form == "quote":
        return rng.choice(_SHOWN).format(text=quoted(text))
    return rng.choice(_FIND).format(when=moment.when)


def _flags(moment: Moment) -> tuple[str, ...]:
    return ("from_speech",) if moment.kind == "speech" else ()
