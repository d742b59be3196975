"""Whether the pairs of one video agree with each other, by what they say: answers are compared as the solver does."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

from schemas.rows import QaRow
from stages.qa.answers import same
from stages.qa.audit.checks import key_of
from stages.qa.audit.features import quoted
from stages.qa.plan import ORDERS, Answer
from stages.qa.similarity import content_words, near_duplicates

_SPAN = re.compile(r"(?:from )?(\d+(?:\.\d+)?) s to (\d+(?:\.\d+)?) s\.?", re.I)
_POINT = re.compile(r"(?:at )?(?:about )?(\d+(?:\.\d+)?) s\.?", re.I)
_LISTED = re.compile(r"\((\d{1,2})\)")
_MOST = 200  # different statements about one question; more of them are compared by keys, not each with each
_FREE_FORMS = ("summary", "brief", "part", "timed_part", "conversation")
"""Questions that have many right answers."""


def disagreements(pairs: Sequence[QaRow]) -> dict[int, str]:
    """Returns positions of pairs with `duplicate` or `contradiction`, in the order of `pairs`, all of one video.

    Of pairs that say the same, the first is no duplicate; of pairs that contradict each other, none can be trusted.
    What is said of one window of a video neither repeats nor contradicts what is said of another.
    """
    windows: dict[object, list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        windows[tuple((pair.get("sample_window") or {}).values())].append(i)
    return {
        places[i]: problem
        for places in windows.values()
        for i, problem in _of_one_sample([pairs[i] for i in places]).items()
    }


def _of_one_sample(pairs: Sequence[QaRow]) -> dict[int, str]:
    found: dict[int, str] = {}
    asked: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        asked[key_of(pair)].append(i)
    for group in asked.values():
        for i, j in _to_compare(pairs, [i for i in group if not _is_exempt(pairs[i])]):
            a, b = pairs[i], pairs[j]
            if sorted(a["options"]) == sorted(b["options"]) and _says(a, b):
                found.setdefault(j, "duplicate")
            elif a["form"] not in _FREE_FORMS and not _says(a, b) and _asks_the_same(a, b):
                found[i] = found[j] = "contradiction"
    return found | dict.fromkeys(_reversed_orders(pairs), "contradiction")


def _to_compare(pairs: Sequence[QaRow], group: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Positions, two at a time, of pairs that may say the same or the opposite; their number grows with the group.

    Of equal statements, each is compared with the first one. Of more than `_MOST` different ones, each is compared with
    the first of these, with the first that has the same words, and with one that offers its answer the other way round.
    """
    first: dict[object, int] = {}
    equal = [(first.setdefault(_statement(pairs[i]), i), i) for i in group]
    distinct = [i for before, i in equal if before == i]
    yield from combinations(distinct[:_MOST], 2)
    rest = distinct[_MOST:]
    for i in rest:
        yield from ((j, i) for j in distinct[:_MOST])
        words = (content_words(pairs[i]["answer"]), _statement(pairs[i])[1])
        if (same := first.setdefault(words, i)) != i:
            yield same, i
        for option in pairs[i]["options"]:
            first.setdefault(("offers", pairs[i]["answer"], option), i)
    for i in rest:
        for option in pairs[i]["options"]:
            if (
                option != pairs[i]["answer"]
                and (other := first.get(("offers", option, pairs[i]["answer"]))) is not None
            ):
                yield other, i
    yield from ((before, i) for before, i in equal if before != i)


def _statement(pair: QaRow) -> tuple[str, tuple[str, ...]]:
    return pair["answer"], tuple(sorted(pair["options"]))


def _is_exempt(pair: QaRow) -> bool:
    return "none_of_these" in pair["flags"]


def _asks_the_same(a: QaRow, b: QaRow) -> bool:
    """Whether one question cannot have two answers: of open ones, or where each answer is offered in both."""
    return bool(quoted(a["question"])) and (
        not (a["options"] or b["options"]) or (b["answer"] in a["options"] and a["answer"] in b["options"])
    )


def _says(a: QaRow, b: QaRow) -> bool:
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


def _reversed_orders(pairs: Sequence[QaRow]) -> Iterator[int]:
    """Positions of the pairs that have A before B where others have B before A."""
    said: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        for order in [] if _is_exempt(pair) else _orders(pair):
            said[order].append(i)
    for (first, second), positions in said.items():
        if (second, first) in said:
            yield from positions


def _orders(pair: QaRow) -> list[tuple[str, str]]:
    """What a pair says comes before what; of forms alone whose events happen once."""
    named, answer = [text.lower() for text in quoted(pair["question"])], pair["answer"].lower()
    if pair["form"] in ORDERS:
        order = [int(n) for n in _LISTED.findall(answer)]
        return [(named[a - 1], named[b - 1]) for a, b in pairwise(order) if min(a, b) > 0 and max(a, b) <= len(named)]
    if pair["form"].startswith("first_or_last"):
        others = [option for option in (o.lower() for o in pair["options"]) if option != answer]
        is_last = re.search(r"\blast\b", pair["question"].lower()) is not None
        return [(other, answer) if is_last else (answer, other) for other in others]
    return []
