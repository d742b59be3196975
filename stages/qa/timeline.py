"""The events of a video in time order, with what writers of questions look up in them."""

import hashlib
import random
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.qa.answers import may_be_true_of
from stages.qa.clean import only_goes_on
from stages.qa.config import WritingConfig
from stages.qa.event import Event, overlap_s
from stages.qa.lines import NEAR_LINES, is_whole_line, sentences_of
from stages.qa.names import lacks_object
from stages.qa.once import once
from stages.qa.similarity import content_words, core_words, near_duplicates
from stages.qa.steps import SOME, followed, outlines_of, places_of, steps_of


@dataclass(frozen=True, eq=False)
class Timeline:
    """Holds the events of one video, or of a window of one, sorted by start."""

    video_id: str
    duration_s: float
    events: tuple[Event, ...]
    config: WritingConfig
    elsewhere: tuple[Event, ...] = ()
    """Of a window: events of the same video that lie outside, on the window's clock."""
    not_here: tuple[Event, ...] = ()
    """Events of other videos that do not happen in this one, on the clocks of those."""

    @cached_property
    def visual(self) -> list[Event]:
        """Returns the events of kind `event`."""
        return [e for e in self.events if e.kind == "event"]

    @cached_property
    def scenes(self) -> list[Event]:
        """Returns the events of kind `scene`."""
        return [e for e in self.events if e.kind == "scene"]

    @cached_property
    def speech(self) -> list[Event]:
        """Returns the events of kind `speech`."""
        return [e for e in self.events if e.kind == "speech"]

    @cached_property
    def lines(self) -> list[Event]:
        """Returns speech that can be asked for."""
        return [e for e in sentences_of(self.speech) if self.is_quotable(e) and self.is_unique(e)]

    @cached_property
    def groups(self) -> dict[int, list[Event]]:
        """Returns the events of each group, in time order."""
        groups: dict[int, list[Event]] = {}
        for event in self.events:
            groups.setdefault(event.group, []).append(event)
        return groups

    @cached_property
    def outlines(self) -> frozenset[Event]:
        """Returns visual events that sum up others, such as a caption of the whole video beside those of its parts."""
        return outlines_of(self.visual)

    @cached_property
    def steps(self) -> list[Event]:
        """Returns visual events that surely follow one another; see `steps_of`."""
        return steps_of(self.visual, self.outlines)

    def rng(self, purpose: str) -> random.Random:
        """Returns a generator that depends on the seed, the video and the purpose, and on nothing else."""
        told = f"{self.config.seed}:{self.video_id}:{purpose}"
        return random.Random(int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big"))

    def some(self, events: Iterable[Any], rng: random.Random) -> list[Any]:
        """Returns events in a drawn order; of very many, only some."""
        events = list(events)
        return rng.sample(events, min(len(events), SOME))

    @once
    def is_nameable(self, event: Event) -> bool:
        """Returns whether a question can name an event: understood alone, unique, long enough to be sampled."""
        is_sampled = event.end_s - event.start_s >= self.config.min_event_s
        return is_sampled and event.is_named and self.is_short(event) and self.is_unique(event)

    def is_askable(self, event: Event) -> bool:
        """Returns whether a question can ask for an event: it can name it, and to find it shows something."""
        length = event.end_s - event.start_s
        return length <= self.config.max_event_share * self.duration_s and self.is_nameable(event)

    def error_s(self, event: Event) -> float:
        """Returns the seconds by which the times of an event may differ from what the frames show."""
        return 0.0 if event.kind == "speech" else self.config.time_error_s

    def is_tellable(self, event: Event) -> bool:
        """Returns whether an event can be told in its words, alone or in a list."""
        return not event.fault and (event.kind == "speech" or not only_goes_on(event.text))

    @once
    def is_short(self, event: Event) -> bool:
        """Returns whether an event's text can be quoted."""
        is_clear = event.kind == "speech" or not lacks_object(event.text)
        return is_clear and self.is_tellable(event) and len(event.text.split()) <= self.config.max_words

    def near(self, event: Event, pool: Sequence[Event]) -> list[Event]:
        """Returns the lines of speech of a pool that lie nearest to an event, so that one transcript holds them.

        A pool of what is to be seen is returned whole.
        """
        if not pool or pool[0].kind != "speech":
            return list(pool)
        at = bisect_left(pool, event.start_s, key=lambda e: e.start_s)
        return list(pool[max(0, at - NEAR_LINES) : at + NEAR_LINES + 1])

    def is_quotable(self, event: Event) -> bool:
        """Returns whether a text is short enough to be quoted and, of speech, a sentence of some words."""
        return self.is_short(event) and (event.kind != "speech" or is_whole_line(event.text))

    @once
    def is_unique(self, event: Event) -> bool:
        """Returns whether no other event of the video could be taken for it."""
        return len(self.groups[event.group]) == 1 and not self.rivals(event)

    @once
    def rivals(self, event: Event) -> list[Event]:
        """Returns some events of other groups that say about the same, by their words or their meaning.

        Others are those of which what this one says may be true as well: "the rabbit smiles" of "the rabbit smiles at
        the squirrel".
        """
        words = sorted(content_words(event.text), key=lambda word: len(self._holders[word]))
        others = dict.fromkeys(e for word in words for e in self._holders[word] if e.group != event.group)
        same_kind = (e for e in others if (e.kind == "speech") == (event.kind == "speech"))
        same_words = [e for e in same_kind if near_duplicates(event.text, e.text) or self._is_true_of(event, e)]
        return same_words or [e for e in self._meanings.get(event.meaning, []) if e.group != event.group]

    @once
    def is_vague(self, event: Event) -> bool:
        """Returns whether what an event says may be true of other moments of the video."""
        return any(e.group != event.group and self._is_true_of(event, e) for e in self.tells_of(event))

    @once
    def is_offered(self, event: Event) -> bool:
        """Returns whether an event can be a wrong option: short, and what it says is true of one moment alone.

        What sums up others under the same words may go on at the right event.
        """
        is_summed_up = any(e.group == event.group for e in self.outlines)
        return self.is_short(event) and not self.is_vague(event) and not is_summed_up

    @once
    def tells_of(self, event: Event) -> frozenset[Event]:
        """Returns the events that say the same in the same words, and those that what an event tells may be true of."""
        holders = min((self._holders.get(word, []) for word in core_words(event.text)), key=len, default=[])
        return frozenset((*self.groups.get(event.group, ()), *(e for e in holders if may_be_true_of(event, e))))

    def _is_true_of(self, event: Event, other: Event) -> bool:
        """Whether an event may happen where one of another group is told, at another time."""
        return overlap_s(event.span, other.span) == 0 and other in self.tells_of(event)

    def step(self, event: Event, number: int) -> Event | None:
        """Returns the event `number` steps on (back, where negative), each within `max_gap_s` of the last."""
        pool = {"event": self.steps, "scene": self.scenes, "speech": self.speech}[event.kind]
        at = self._places.get(event)
        if at is None or not 0 <= at + number < len(pool):
            return None
        low, high = (at, at + number) if number > 0 else (at + number, at)
        return pool[at + number] if self._followed.issuperset(pool[low:high]) else None

    def around(self, start_s: float, end_s: float, most: int = 40) -> Sequence[Event]:
        """Returns visual events of which a part lies between two times, of those `most` that begin last."""
        high = bisect_left(self.visual, end_s, key=lambda e: e.start_s)
        return [e for e in self.visual[max(0, high - most) : high] if e.end_s > start_s]

    @cached_property
    def _places(self) -> dict[Event, int]:
        """Where an event lies among those of its kind; of several with the same times, of the first."""
        return {**places_of(self.steps), **places_of(self.scenes), **places_of(self.speech)}

    @cached_property
    def _followed(self) -> frozenset[Event]:
        """Events that the next one of their kind surely follows within `max_gap_s`."""
        rows, gap_s = (self.steps, self.scenes, self.speech), self.config.max_gap_s
        return frozenset(e for row in rows for e in followed(row, gap_s, self.around, self.outlines))

    @cached_property
    def _meanings(self) -> dict[str, list[Event]]:
        """Events by what they mean, where that was looked for."""
        meanings: dict[str, list[Event]] = {}
        for event in self.events:
            if event.meaning:
                meanings.setdefault(event.meaning, []).append(event)
        return meanings

    @cached_property
    def _holders(self) -> dict[str, list[Event]]:
        holders: dict[str, list[Event]] = {}
        for event in self.events:
            for word in content_words(event.text):
                holders.setdefault(word, []).append(event)
        return holders
