"""Whether a question in other words still asks for the same: told by its words, since no model is trusted with that.

The new question must hold every word of the old one that carries content, as often and in the same order, and no other
such word that is not common in questions; the same numbers; the same words of order, in the same order where several
events are quoted; "of these"; as many negations; no letter of an option; and not the answer. So a caption that gives
the model instructions can change nothing but how a question is put. What fails keeps its old words.
"""

import re
from collections import Counter

from stages.qa.audit.words import answer_in_question
from stages.qa.realize.wordings import WORDINGS
from stages.qa.similarity import content_words, stem

_WORD = re.compile(r"[^\W_]+(?:[-:.\u2019'][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_LETTER = re.compile(r"\(\s*[A-Za-z]\s*\)|\b(?:option|answer|choice|letter)s?\b", re.I)
_QUOTED = re.compile(r'"[^"]*"')
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|nor|neither|without|except|cannot)\b|n['\u2019]t\b", re.I
)
_MORE = """action activity anybody anyone appear appears appearing beginning can clip could during ends ending exact
exactly film following footage frame happens happened happening immediately instance interval moment moments much
observed occasion occasions occur occurs occurred occurring often order part period point portion precise precisely
range right scene second seconds section see seen segment sequence shown shows span start starts take takes taking
tell time times timestamp timestamps total video watch whole you please give state name identify describe describes
list mention specify provide list lists summarise summarize outline account detail detailed happen main key events
event visible takes taken place directly straight soon shortly later earlier subsequently finally"""
# Words of one row mean the same in a question; those of different rows do not.
_ORDER = [
    frozenset(words.split())
    for words in (
        "after afterwards next later follows subsequent subsequently succeeds",
        "before previous previously earlier precedes preceding prior",
        "first initially",
        "last final finally",
        "second twice",
        "third",
        "fourth",
        "fifth",
        "backwards",
        "between",
    )
]
# "The second of these events" need not be the second of all.
_THESE = re.compile(r"\b(?:of|among|only) (?:these|those|the following)\b", re.I)
_PLACEHOLDER = re.compile(r"\{\w+\}")
_COMMON = frozenset(
    stem(word)
    for text in (
        *(w for wordings in WORDINGS.values() for w in wordings),
        _MORE,
        *(word for row in _ORDER for word in row),
    )
    for word in _WORD.findall(_PLACEHOLDER.sub(" ", text).lower())
)
_BEFORE, _LAST = _ORDER[1], _ORDER[3]


def problem(old: str, new: str, answer: str, language: str) -> str:
    """Returns why a new wording cannot take the place of an old one; empty where it can.

    Args:
        old: a question of the templates.
        new: what a model made of it.
        answer: the right one.
        language: of the events; the templates are English.
    """
    if not 8 <= len(new) <= 2 * len(old) + 80 or new.count("\n") or not new.endswith(("?", ".", "？", "。", "؟")):
        return "no question"
    if sorted(_NUMBER.findall(old)) != sorted(_NUMBER.findall(new)):
        return "other numbers"
    if sorted(_LETTER.findall(old)) != sorted(_LETTER.findall(new)):
        return "a letter of an option"
    if answer_in_question(new, answer) and not answer_in_question(old, answer):
        return "the answer"
    return _other_words(old, new) if language in ("en", "") else _other_quotes(old, new)


def _other_words(old: str, new: str) -> str:
    before, after, quoted = _counts(old), _counts(new), _counts(" ".join(_QUOTED.findall(old)))
    if any(after[word] < (quoted[word] if word in _COMMON else count) for word, count in before.items()):
        return "an event in other words"
    if any(count > before[word] for word, count in after.items() if word not in _COMMON):
        return "words of its own"
    if len(_NEGATION.findall(old)) != len(_NEGATION.findall(new)):
        return "another negation"
    if _told(old) != _told(new):
        return "an event in another order of words"
    if _is_among_these(old) and not _is_among_these(new):
        return "of all events"
    several = len(_QUOTED.findall(old)) > 1
    same = _order(old) == _order(new) and (not several or _order_words(old) == _order_words(new))
    return "" if same else "another order"


def _is_among_these(text: str) -> bool:
    return _THESE.search(_QUOTED.sub(" ", text)) is not None


def _order(text: str) -> list[bool]:
    """Which rows of words of order a text has. "Last before" and "next after" say what "before" and "after" say."""
    words = {*_WORD.findall(re.sub(r"\bbetween (?=\d)", "from ", text.lower()))}
    found = [bool(words & row) for row in _ORDER]
    if words & _BEFORE:
        found[_ORDER.index(_LAST)] = False
    return found


def _order_words(text: str) -> list[int]:
    """The rows of the words of order outside of quotation marks, as they follow each other."""
    words = _WORD.findall(_QUOTED.sub(" ", text).lower())
    return [number for word in words for number, row in enumerate(_ORDER) if word in row]


def _told(text: str) -> list[str]:
    """The words that tell of events, in their order: who does what to whom."""
    return [word for word in _content(text) if word not in _COMMON]


def _counts(text: str) -> Counter[str]:
    return Counter(_content(text))


def _content(text: str) -> list[str]:
    words = (re.sub("['\u2019]s$", "", word) for word in _WORD.findall(text.lower()))
    told = content_words(text) if text else frozenset()
    return [word for word in map(stem, words) if word in told]


def _other_quotes(old: str, new: str) -> str:
    """Another language: the events stay in quotation marks, and nothing outside of these is taken from them."""
    quoted = _QUOTED.findall(old)
    if sorted(quoted) != sorted(_QUOTED.findall(new)):
        return "an event in other words"
    named = {word for text in quoted for word in _WORD.findall(text.lower()) if len(word) > 3}
    outside = _QUOTED.sub(" ", new).lower()
    return "words of an event outside its quotation marks" if named & {*_WORD.findall(outside)} else ""
