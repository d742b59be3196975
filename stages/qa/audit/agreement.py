"""Whether the pairs of one video agree with each other, by what they say: answers are compared as the solver does."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

from stages.qa.audit.checks import Pair, key_of
from stages.qa.audit.features import quoted
from stages.qa.plan import Answer
from stages.qa.similarity import near_duplicates
from stages.qa.solver import same

_SPAN = re.compile(r"(?:from )?(\d+(?:\.\d+)?) s to (\d+(?:\.\d+)?) s\.?", re.I)
_POINT = re.compile(r"(?:at )?(?:about )?(\d+(?:\.\d+)?) s\.?", re.I)
_LISTED = re.compile(r"\((\d{1,2})\)")
_MOST = 200  # pairs that ask the same; of more, the rest is not compared
_FREE_FORMS = ("summary", "brief", "part", "timed_part", "conversation")
"""Questions that have many right answers."""


def disagreements(pairs: Sequence[Pair]) -> dict[int, str]:
    """Positions of pairs with `duplicate` or `contradiction`, in the order of `pairs`, all of one video.

    Of pairs that say the same, the first is no duplicate; of pairs that contradict each other, none can be trusted.
    """
    found: dict[int, str] = {}
    asked: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        asked[key_of(pair)].append(i)
    for group in asked.values():
        for i, j in combinations(group[:_MOST], 2):
            if _is_exempt(pairs[i]) or _is_exempt(pairs[j]):
                continue
            a, b = pairs[i], pairs[j]
            if sorted(a["options"]) == sorted(b["options"]) and _says(a, b):
                found.setdefault(j, "duplicate")
            elif a["form"] not in _FREE_FORMS and not _says(a, b) and _asks_the_same(a, b):
                found[i] = found[j] = "contradiction"
    for i, j in _reversed_orders(pairs):
        found[i] = found[j] = "contradiction"
    return found


def _is_exempt(pair: Pair) -> bool:
    return "none_of_these" in pair["flags"]


def _asks_the_same(a: Pair, b: Pair) -> bool:
    """Whether one question cannot have two answers: of open ones, or where each answer is offered in both."""
    return bool(quoted(a["question"])) and (
        not (a["options"] or b["options"]) or (b["answer"] in a["options"] and a["answer"] in b["options"])
    )


def _says(a: Pair, b: Pair) -> bool:
    first, second = _value(a["answer"]), _value(b["answer"])
    if first is None or second is None or type(first) is not type(second):
        return a["answer"] == b["answer"] or (first is second and near_duplicates(a["answer"], b["answer"]))
    return same(first, second)


def _value(answer: str) -> Answer | None:
    """A span of time or a number, as the solver has them; None for text."""
    if found := _SPAN.fullmatch(answer.strip()):
        return float(found[1]), float(found[2])
    if found := _POINT.fullmatch(answer.strip()):
        return float(found[1]) - 1, float(found[1]) + 1
    return int(answer) if answer.strip().isdigit() and len(answer) < 10 else None


def _reversed_orders(pairs: Sequence[Pair]) -> Iterator[tuple[int, int]]:
    """Pairs of positions of which one has A before B and the other B before A."""
    said: dict[tuple[str, str], int] = {}
    for i, pair in enumerate(pairs):
        for first, second in [] if _is_exempt(pair) else _orders(pair):
            if (second, first) in said:
                yield said[second, first], i
            said.setdefault((first, second), i)


def _orders(pair: Pair) -> list[tuple[str, str]]:
    """What a pair says comes before what; of forms alone whose events happen once."""
    named, answer = [text.lower() for text in quoted(pair["question"])], pair["answer"].lower()
    if pair["form"] == "order":
        order = [int(n) for n in _LISTED.findall(answer)]
        return [(named[a - 1], named[b - 1]) for a, b in pairwise(order) if min(a, b) > 0 and max(a, b) <= len(named)]
    if pair["form"] == "first_or_last":
        others = [option.lower() for option in pair["options"] if option.lower() != answer]
        is_last = re.search(r"\blast\b", pair["question"].lower()) is not None
        return [(other, answer) if is_last else (answer, other) for other in others]
    return []
