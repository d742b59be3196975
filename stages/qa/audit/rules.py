"""What can be guessed without the video by one rule over question and options.

Two rules read when the events of the options happen, which a reader of the text alone does not know: they find places
in time that give the right option away.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from stages.qa.audit.features import Choice, is_listed, number_of

Rule = Callable[[Choice], int | None]
_SPAN = re.compile(r"(\d+(?:\.\d+)?) s to (\d+(?:\.\d+)?) s")


def longest(pair: Choice) -> int | None:
    """Guesses the longest option."""
    return _extreme([len(option) for option in pair.options])


def shortest(pair: Choice) -> int | None:
    """Guesses the shortest option."""
    return _extreme([-len(option) for option in pair.options])


def earliest(pair: Choice) -> int | None:
    """Chooses the option whose event comes first in the video (but where the question asks for just that)."""
    if pair.form.startswith("first_or_last") or len(pair.option_times) < len(pair.options):
        return None
    return _extreme([-time for time in pair.option_times])


def nearest(pair: Choice) -> int | None:
    """Chooses the option whose event lies nearest in time to what the question names."""
    if len(pair.option_times) < len(pair.options) or not pair.asked_times or pair.form in ("scene_of", "in_scene"):
        return None
    return _extreme([-min(abs(t - a) for a in pair.asked_times) for t in pair.option_times])


def smallest_number(pair: Choice) -> int | None:
    """Chooses the option that begins with the smallest number."""
    if pair.form not in ("count", "count_beside", "when", "occurrence"):
        return None
    numbers = [number_of(option) for option in pair.options]
    if None in numbers:
        return None
    return _extreme([-number for number in numbers if number is not None])


def adjoining(pair: Choice) -> int | None:
    """Chooses the span of time that lies nearest to two others: neighbours in time make likely wrong options."""
    spans = [(float(found[1]), float(found[2])) for found in map(_SPAN.fullmatch, pair.options) if found]
    if len(spans) < max(3, len(pair.options)):
        return None
    gaps = ([max(a, c) - min(b, d) for c, d in spans[:i] + spans[i + 1 :]] for i, (a, b) in enumerate(spans))
    return _extreme([-sum(sorted(each)[:2]) for each in gaps])


def listed_order(pair: Choice) -> int | None:
    """Chooses the order in which the question lists the events."""
    found = [i for i, option in enumerate(pair.options) if is_listed(option)]
    return found[0] if len(found) == 1 else None


def _extreme(values: Sequence[float]) -> int | None:
    best = max(values)
    return values.index(best) if list(values).count(best) == 1 else None


RULES: dict[str, Rule] = {
    "longest": longest,
    "shortest": shortest,
    "earliest": earliest,
    "nearest_in_time": nearest,
    "smallest_number": smallest_number,
    "adjoining": adjoining,
    "listed_order": listed_order,
}


def most_frequent(pairs: Sequence[Choice]) -> list[int | None]:
    """Chooses for each pair the option whose text is right most often in the pairs of other videos."""
    right: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in pairs:
        right[pair.options[pair.answer_index]][pair.video_id] += 1
    totals = {text: counts.total() for text, counts in right.items()}
    guesses = []
    for pair in pairs:
        # By `get`: a defaultdict would keep every option that was ever looked up.
        seen = [totals[o] - right[o][pair.video_id] if o in totals else 0 for o in pair.options]
        guesses.append(_extreme(seen) if any(seen) else None)
    return guesses
