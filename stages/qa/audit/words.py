"""The audit of pairs in words: what gives an answer away or makes a pair unusable. `stages.qa.solver` audits plans.

An outside audit of LongVid found 22% of rows with the answer in the question, "what happens after X" whose answer is X
again, and a third of rows that ask for a number. Pairs with a problem named here are dropped and counted.
"""

import re
from functools import lru_cache

from stages.qa.plan import Plan
from stages.qa.realize.templates import Realized
from stages.qa.similarity import content_words, near_duplicates

PROBLEMS = {
    "empty": "question or answer has no words",
    "answer_in_question": "the question holds the answer",
    "answer_copies_event": "the answer says again what the question tells of",
    "options_alike": "two options say the same",
    "outside_video": "the evidence lies outside the video or is empty",
    "too_long": "question, options and answer are longer than a model should read for one pair",
}
MOST_CHARS = 6000
_OPTIONS = re.compile(r"(?:^|\s)\(?A[.):]\s")
_WORD = re.compile(r"[^\W_]+(?:['\u2019.:][^\W_]+)*")
_NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"}


def problems(plan: Plan, words: Realized, duration_s: float) -> list[str]:
    """Returns the codes of PROBLEMS that a pair has.

    A text that is too long is not checked further, which is quadratic.
    """
    if sum(map(len, (words.question, words.answer, *words.wrong))) > MOST_CHARS:
        return ["too_long"]
    found = []
    is_text = not (isinstance(plan.answer, int) or plan.is_order or plan.is_none)
    if not _WORD.search(words.question) or not _WORD.search(words.answer):
        found.append("empty")
    if is_text and answer_in_question(words.question, words.answer):
        found.append("answer_in_question")
    if is_text and not _is_times(words.answer) and any(near_duplicates(words.answer, e.text) for e in plan.asked):
        found.append("answer_copies_event")
    options = [" ".join(_words(option)) or option for option in (words.answer, *words.wrong)]
    if len(set(options)) < len(options):
        found.append("options_alike")
    if not (plan.evidence or plan.is_absent) or not all(0 <= e.start_s < e.end_s <= duration_s for e in plan.evidence):
        found.append("outside_video")
    return found


def answer_in_question(question: str, answer: str) -> bool:
    """Returns whether the question holds the answer: its words in a row, or nearly all that carry content."""
    asked, answered = _words(question), _words(answer)
    if answered and f" {' '.join(answered)} " in f" {' '.join(asked)} ":
        return True
    telling = {word for word in content_words(answer) if len(word) > 1}
    return len(telling) >= 2 and len(telling & content_words(question)) / len(telling) >= 0.8


def without_options(question: str) -> str:
    """Returns a question without its lettered options, one of which is the answer."""
    return _OPTIONS.split(question, maxsplit=1)[0]


@lru_cache(maxsize=1 << 14)  # an event is quoted in many pairs
def _words(text: str) -> tuple[str, ...]:
    return tuple(_NUMBERS.get(word, word) for word in _WORD.findall(text.lower()))


def _is_times(answer: str) -> bool:
    """A number or a span of time: its words cannot copy an event's."""
    return all(word[:1].isdigit() or word in ("s", "to", "from", "at", "about") for word in _words(answer))
