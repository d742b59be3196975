"""Long video captioning: what happens in a video, or in a stretch of it, told in the order of time."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from stages.qa.draft import Draft, Template
from stages.qa.grammar import capitalised
from stages.qa.moment import Moment, Span, quoted, seconds, span_text
from stages.qa.similarity import near_duplicates
from stages.qa.video import Video

_WHOLE = (
    "What happens in this video, from beginning to end?",
    "Describe the video in the order in which things happen.",
    "Give a summary of the whole video.",
)
_PART = (
    "What happens between {start} and {end}?",
    "Describe what can be seen from {start} to {end}.",
    "Tell in order what happens in the part of the video from {start} to {end}.",
)
_TIMED = (
    "What happens between {start} and {end}, and when?",
    "List what happens from {start} to {end}, with times.",
)
_LINKS = ("Then ", "After that, ", "", "Next, ", "")


def whole_video(video: Video) -> Iterator[Draft]:
    """A summary of all that is to be seen: of many moments those that are longest, spread over the video."""
    most = video.config.caption_events
    scenes = spread([m for m in video.scenes if tellable(m)], most // 2)
    events = spread([m for m in video.visual if tellable(m)], most - len(scenes))
    told = sorted([*scenes, *events], key=lambda m: (m.start_s, -m.end_s))
    if len(told) >= 2:
        question = video.rng("captioning/whole_video").choice(_WHOLE)
        yield Draft(question, story(told), ((0.0, video.duration_s),), tuple(m.event_id for m in told))


def part(video: Video) -> Iterator[Draft]:
    """What happens in a stretch that cuts no event in two."""
    yield from _parts(video, "part", _PART, story)


def timed_list(video: Video) -> Iterator[Draft]:
    """The same with the times of each event."""
    yield from _parts(video, "timed_list", _TIMED, timed, with_scenes=False)


def dialogue(video: Video) -> Iterator[Draft]:
    """What is said over the whole video, the pauses named."""
    lines = video.speech
    if 3 <= len(lines) <= 3 * video.config.caption_events:
        question = "What is said in this video, from beginning to end?"
        spans = tuple(line.span for line in lines)
        yield Draft(question, retold(video), spans, tuple(m.event_id for m in lines), flags=("from_speech",))


def conversation(video: Video) -> Iterator[Draft]:
    """What is said in one stretch of talk, or in a part of a long one."""
    rng = video.rng("captioning/conversation")
    most = video.config.caption_events
    parts = [lines[i : i + most] for lines in video.conversations for i in range(0, len(lines), most)]
    for lines in video.shuffled(parts, rng):
        if 2 <= len(lines) < len(video.speech):
            start, end = lines[0].start_s, max(line.end_s for line in lines)
            question = f"What is said between {seconds(start)} and {seconds(end)}?"
            answer = " ".join(quoted(line.text) for line in lines)
            yield Draft(question, answer, ((start, end),), tuple(m.event_id for m in lines), flags=("from_speech",))


TEMPLATES: dict[str, Template] = {
    "part": part,
    "whole_video": whole_video,
    "timed_list": timed_list,
    "dialogue": dialogue,
    "conversation": conversation,
}


def tellable(moment: Moment) -> bool:
    """Words, not a bare number or a name: "0:09:59" is nothing to sum a video up with."""
    return moment.has_words and " " in moment.text


def spread(moments: Sequence[Moment], count: int) -> list[Moment]:
    """At most `count` moments in time order, the longest of each of `count` equal parts, none told twice."""
    if len(moments) <= count:
        return list(moments)
    start, end = moments[0].start_s, max(m.start_s for m in moments)
    best: dict[int, Moment] = {}
    for m in moments:
        slot = min(count - 1, int(count * (m.start_s - start) / (end - start or 1.0)))
        if slot not in best or m.end_s - m.start_s > best[slot].end_s - best[slot].start_s:
            best[slot] = m
    told: list[Moment] = []
    for m in sorted(best.values(), key=lambda m: m.start_s):
        if not told or not near_duplicates(told[-1].text, m.text):
            told.append(m)
    return told


def story(moments: Sequence[Moment]) -> str:
    """Sentences in order, linked as one tells them."""
    sentences = []
    for i, m in enumerate(moments):
        if i == 0:
            link = "First, "
        elif i == len(moments) - 1:
            link = "Finally, "
        else:
            link = _LINKS[(i - 1) % len(_LINKS)]
        sentences.append(_stopped(capitalised(link + m.when)))
    return " ".join(sentences)


def timed(moments: Sequence[Moment]) -> str:
    """A line an event: "62 s to 67.5 s: The rabbit smells white flowers."."""
    return "\n".join(f"{span_text(m.span)}: {_stopped(m.sentence)}" for m in moments)


def retold(video: Video) -> str:
    """All lines, stretch by stretch: what follows a long silence is told so."""
    parts: list[str] = []
    end = 0.0
    for lines in video.conversations:
        said = " ".join(quoted(line.text) for line in lines)
        pause = lines[0].start_s - end
        parts.append(said if not parts else f"After {round(pause)} seconds without a word: {said}")
        end = max(line.end_s for line in lines)
    return "\n".join(parts)


def _parts(
    video: Video,
    name: str,
    wordings: Sequence[str],
    tell: Callable[[Sequence[Moment]], str],
    with_scenes: bool = True,
) -> Iterator[Draft]:
    rng = video.rng(f"captioning/{name}")
    moments = [m for m in video.visual or video.scenes if tellable(m)]
    given: list[Span] = []
    latest_end = list(accumulate((m.end_s for m in moments), max, initial=0.0))
    for first in video.shuffled(range(len(moments)), rng):
        inside = moments[first : first + rng.randint(3, 7)]
        if len(inside) < 3:
            continue
        start, end = inside[0].start_s, max(m.end_s for m in inside)
        after = moments[first + len(inside)].start_s if first + len(inside) < len(moments) else end
        cut = latest_end[first] > start or after < end
        same = any(near_duplicates(a.text, b.text) for a, b in zip(inside, inside[1:], strict=False))
        told = any(min(end, e) - max(start, s) > 0.3 * min(end - start, e - s) for s, e in given)
        if cut or same or told or end - start > 0.6 * video.duration_s:
            continue
        given.append((start, end))
        # A scene that begins meanwhile belongs to the story, one that only lasts on does not.
        begun = [s for s in video.scenes if with_scenes and start <= s.start_s < end and s not in inside]
        inside = sorted([*inside, *begun], key=lambda m: m.start_s)
        question = rng.choice(wordings).format(start=seconds(start), end=seconds(end))
        yield Draft(question, tell(inside), ((start, end),), tuple(m.event_id for m in inside))


def _stopped(sentence: str) -> str:
    return sentence if sentence.endswith(('."', '!"', '?"', ".", "!", "?")) else sentence + "."
