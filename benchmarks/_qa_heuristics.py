"""What can be guessed without the video: single rules over question and options, per form, with their chance.

Times of events are looked up in the annotation, which a reader of the text alone would not have: what is measured is
whether a place in the video gives the right option away.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

Pair = dict[str, Any]
Rule = Callable[[Pair], int | None]
_NUMBER = re.compile(r"^\D*(\d+(?:\.\d+)?)")


def longest(pair: Pair) -> int | None:
    return _extreme([len(option) for option in pair["options"]])


def shortest(pair: Pair) -> int | None:
    return _extreme([-len(option) for option in pair["options"]])


def earliest(pair: Pair) -> int | None:
    """The option whose event comes first in the video (but where the question asks for just that)."""
    if pair["form"].startswith("first_or_last"):
        return None
    return _extreme([-time for time in pair["option_times"]]) if pair["option_times"] else None


def nearest(pair: Pair) -> int | None:
    """The option whose event lies nearest in time to what the question names."""
    if not pair["option_times"] or not pair["asked_times"] or pair["form"] in ("scene_of", "in_scene"):
        return None
    return _extreme([-min(abs(t - a) for a in pair["asked_times"]) for t in pair["option_times"]])


def smallest_number(pair: Pair) -> int | None:
    """The option that begins with the smallest number."""
    numbers = [found and float(found[1]) for found in map(_NUMBER.match, pair["options"])]
    if pair["form"] not in ("count", "count_beside", "when", "occurrence") or None in numbers:
        return None
    return _extreme([-number for number in numbers if number is not None])


def listed_order(pair: Pair) -> int | None:
    """The order in which the question lists the events."""
    if pair["form"] != "order":
        return None
    count = pair["options"][0].count("(")
    wanted = ", ".join(f"({n})" for n in range(1, count + 1))
    return pair["options"].index(wanted) if wanted in pair["options"] else None


def _extreme(values: Sequence[float]) -> int | None:
    best = max(values)
    return values.index(best) if list(values).count(best) == 1 else None


RULES: dict[str, Rule] = {
    "longest": longest,
    "shortest": shortest,
    "earliest": earliest,
    "nearest in time": nearest,
    "smallest number": smallest_number,
    "listed order": listed_order,
}


def most_frequent(pairs: Sequence[Pair]) -> list[int | None]:
    """For each pair the option whose text is right most often in the pairs of other videos."""
    right: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in pairs:
        right[pair["answer"]][pair["video_id"]] += 1
    totals = {text: counts.total() for text, counts in right.items()}
    guesses = []
    for pair in pairs:
        seen = [totals.get(option, 0) - right[option][pair["video_id"]] for option in pair["options"]]
        guesses.append(_extreme(seen) if any(seen) else None)
    return guesses


def over_chance(pairs: Sequence[Pair], guesses: Sequence[int | None], *, rounds: int = 500) -> tuple[float, float, int]:
    """Points over chance, the lower end of their 95% interval (bootstrap over videos), and the number of guesses."""
    by_video: dict[str, list[float]] = defaultdict(list)
    for pair, guess in zip(pairs, guesses, strict=True):
        if guess is not None:
            by_video[pair["video_id"]].append((guess == pair["answer_index"]) - 1 / len(pair["options"]))
    gains = list(by_video.values())
    count = sum(map(len, gains))
    if not count:
        return 0.0, 0.0, 0
    sums = [(sum(gain), len(gain)) for gain in gains]
    rng = random.Random(0)
    drawn = []
    for _ in range(rounds):
        sample = rng.choices(sums, k=len(sums))
        drawn.append(sum(s for s, _ in sample) / sum(n for _, n in sample))
    return 100 * sum(s for s, _ in sums) / count, 100 * sorted(drawn)[int(0.025 * rounds)], count
