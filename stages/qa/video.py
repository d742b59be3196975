"""A video as the writer sees it: its moments in time order, and which of them can be told apart."""

import hashlib
import random
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from stages.qa.config import WritingConfig
from stages.qa.moment import Moment, Span, overlap
from stages.qa.similarity import content_words, covers, near_duplicates

# Ego4D's narrations write the person who wears the camera so.
_CAMERA_WEARER = re.compile(r"^#[Cc]\s+C\b")
# In a video of ten thousand events enough is found among these.
_TRIES = 300
# Annotators' cuts overlap by so much where one event follows another.
_SLACK_S = 0.25


@dataclass(frozen=True)
class Video:
    """A video's moments, sorted by start."""

    video_id: str
    duration_s: float
    moments: tuple[Moment, ...]
    config: WritingConfig

    @cached_property
    def visual(self) -> list[Moment]:
        return [m for m in self.moments if m.kind in ("event", "caption")]

    @cached_property
    def scenes(self) -> list[Moment]:
        return [m for m in self.moments if m.kind == "scene"]

    @cached_property
    def speech(self) -> list[Moment]:
        return [m for m in self.moments if m.kind == "speech"]

    @cached_property
    def conversations(self) -> list[list[Moment]]:
        """Lines of speech in stretches without a long silence."""
        stretches: list[list[Moment]] = []
        end = 0.0
        for line in self.speech:
            if not stretches or line.start_s - end > self.config.silence_s:
                stretches.append([])
            stretches[-1].append(line)
            end = max(end, line.end_s)
        return stretches

    @cached_property
    def repeated(self) -> list[list[Moment]]:
        """Visual events told at least twice in the same words (but for the article), in time order, never two at once,
        and of which no other event tells among other things.
        """
        groups: dict[tuple[str, ...], list[Moment]] = {}
        for m in self.visual:
            words = m.text.lower().rstrip(".!").split()
            groups.setdefault(tuple(w for w in words if w not in ("a", "an", "the")), []).append(m)
        kept = []
        for group in groups.values():
            if not 2 <= len(group) <= self.config.max_count:
                continue
            apart = all(a.end_s <= b.start_s + 1e-6 for a, b in zip(group, group[1:], strict=False))
            told = content_words(group[0].text)
            if not told:  # nothing but signs, such as an emoji
                continue
            rarest = min((self._holders[False][word] for word in told), key=len)
            if apart and not any(told <= content_words(m.text) and m not in group for m in rarest):
                kept.append(group)
        return kept

    def rng(self, purpose: str) -> random.Random:
        """Chance that depends on the seed, the video and the purpose, on nothing else."""
        told = f"{self.config.seed}:{self.video_id}:{purpose}"
        return random.Random(int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big"))

    def shuffled(self, items: Iterable[Any], rng: random.Random) -> list[Any]:
        """Items in an order of chance; of very many, only so many as it takes to find what is asked for."""
        items = list(items)
        return rng.sample(items, min(len(items), _TRIES))

    def askable(self, moment: Moment) -> bool:
        """Long enough to be sampled, short enough to be worth finding."""
        length = moment.end_s - moment.start_s
        return self.config.min_event_s <= length <= self.config.max_event_share * self.duration_s

    def unique(self, moment: Moment) -> bool:
        """Whether nothing else in the video could be taken for it."""
        known = self._known_unique
        if moment.event_id not in known:
            holders = self._holders[moment.kind == "speech"]
            # Rivals share the rare words: where there are some, they are found at once.
            words = sorted(content_words(moment.text), key=lambda word: (len(holders[word]), word))
            rivals = (m for word in words for m in holders[word] if m is not moment)
            known[moment.event_id] = not any(covers(moment.text, m.text) for m in rivals)
        return known[moment.event_id]

    def next(self, moment: Moment, pool: list[Moment]) -> Moment | None:
        """What surely comes next in `pool` (`visual`, `scenes` or `speech`): starts soon after the moment ends, before
        anything else starts and while nothing else goes on.
        """
        index = bisect_left(pool, moment.end_s - _SLACK_S, key=lambda m: m.start_s)
        later = [m for m in pool[index : index + 3] if m is not moment]
        if not later or (len(later) > 1 and later[1].start_s < later[0].start_s + 2 * _SLACK_S):
            return None
        return later[0] if self._follows(moment, later[0], pool) else None

    def previous(self, moment: Moment, pool: list[Moment]) -> Moment | None:
        """What surely came last in `pool` before the moment starts: the same the other way round."""
        by_end = self._by_end[id(pool)]
        index = bisect_right(by_end, moment.start_s + _SLACK_S, key=lambda m: m.end_s)
        earlier = [m for m in by_end[max(0, index - 3) : index] if m is not moment]
        if not earlier or (len(earlier) > 1 and earlier[-2].end_s > earlier[-1].end_s - 2 * _SLACK_S):
            return None
        return earlier[-1] if self._follows(earlier[-1], moment, pool) else None

    def _follows(self, first: Moment, second: Moment, pool: list[Moment]) -> bool:
        """Whether little time lies between two moments, and nothing of `pool` goes on in it."""
        if second.start_s - first.end_s > self.config.max_gap_s:
            return False
        latest_end = self._latest_end[id(pool)]
        index = bisect_left(pool, second.start_s, key=lambda m: m.start_s)
        while index > 0 and latest_end[index] > first.end_s:
            index -= 1
            m = pool[index]
            through = m.start_s < first.end_s - _SLACK_S and m.end_s > second.start_s + _SLACK_S
            if m not in (first, second) and (through or overlap(m.span, (first.end_s, second.start_s))):
                return False
        return True

    def wrong(
        self,
        truth: Moment,
        pool: Iterable[Moment],
        rng: random.Random,
        *,
        asked: Sequence[Moment] = (),
        outside: Span | None = None,
        accept: Callable[[Moment], bool] = lambda m: True,
    ) -> list[Moment]:
        """Wrong options: moments that are clearly something else than `truth` and `asked`, from another time.

        Of the same form and the same subject first: an answer should not stand out. `outside`: a span of time that they
        must not touch. None at all where there are not `enough`.
        """
        chosen: list[Moment] = []
        order = self.shuffled(pool, rng)
        order.sort(key=lambda m: (m.parsed.form != truth.parsed.form, m.subject != truth.subject))
        spans = [truth.span, *([outside] if outside else [])]
        for m in order:
            known = [truth, *asked, *chosen]
            if m in known or any(overlap(m.span, span) for span in spans) or not accept(m):
                continue
            if not any(near_duplicates(m.text, k.text) for k in known):
                chosen.append(m)
            if len(chosen) == self.config.num_options - 1:
                break
        return chosen if self.enough(len(chosen)) else []

    def enough(self, num_wrong: int) -> bool:
        """Whether wrong options are as many as are wanted, or one less."""
        return num_wrong >= max(1, self.config.num_options - 2)

    @cached_property
    def _holders(self) -> dict[bool, dict[str, list[Moment]]]:
        """Moments by the words they hold; speech (True) and what is seen (False) apart."""
        holders: dict[bool, dict[str, list[Moment]]] = {True: {}, False: {}}
        for m in self.moments:
            for word in content_words(m.text):
                holders[m.kind == "speech"].setdefault(word, []).append(m)
        return holders

    @cached_property
    def _known_unique(self) -> dict[str, bool]:
        return {}

    @property
    def _pools(self) -> tuple[list[Moment], list[Moment], list[Moment]]:
        return self.visual, self.scenes, self.speech

    @cached_property
    def _latest_end(self) -> dict[int, list[float]]:
        """For each pool the latest end of its first i moments."""
        return {id(pool): list(accumulate((m.end_s for m in pool), max, initial=0.0)) for pool in self._pools}

    @cached_property
    def _by_end(self) -> dict[int, list[Moment]]:
        return {id(pool): sorted(pool, key=lambda m: (m.end_s, m.start_s)) for pool in self._pools}


def make_video(video_id: str, duration_s: float, events: Iterable[dict[str, Any]], config: WritingConfig) -> Video:
    """The view of rows of the schema EVENT; conversations are left out, spans are cut to the video."""
    moments = []
    for row in events:
        if row["kind"] == "conversation" or row["start_s"] >= duration_s:
            continue
        text = _CAMERA_WEARER.sub("the camera wearer", row["text"])
        moments.append(Moment(row["event_id"], row["start_s"], min(row["end_s"], duration_s), row["kind"], text))
    return Video(video_id, duration_s, tuple(sorted(moments, key=lambda m: (m.start_s, m.end_s, m.event_id))), config)
