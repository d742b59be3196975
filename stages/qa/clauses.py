"""Whether two clauses follow one another with nothing between them, or a subject and its verb do not agree."""

import re
from collections.abc import Sequence
from itertools import pairwise

from stages.qa.broken import lacks_article
from stages.qa.lexicon import VERB, Form, form_of, tokens
from stages.qa.small_words import AFTER_VERB, ARTICLES, FINITE, JOINS, PERSONS, PREPOSITIONS, PRONOUNS

_SUBJECTS = frozenset(("he", "she", "they", "we", "i"))
_PERSONS = PERSONS | {"men", "women", "people", "boys", "girls"}
_OBJECTS = frozenset(("it", "them", "him", "her", "a", "an"))
# "As it starts the man blows it out": what begins so is a part of the clause that follows.
_OPENINGS = frozenset(("when", "as", "after", "if", "while", "before", "once", "because", "since", "where", "until"))
# "The first thing the man tells us": the clause belongs to the noun.
_OF_CLAUSE = frozenset(("way", "time", "moment", "thing", "what", "that", "first", "all", "everything"))
_PARTICIPLES = frozenset(("covered", "dressed", "filled", "surrounded"))
_MOVES = frozenset(("jump", "move", "sit", "stand", "swim", "go", "come", "fall", "climb", "dive", "enter"))
# "Turn on screen" may be an order, or somebody who turns.
_NO_OBJECT = re.compile(
    r"^(?:pour|put|place|throw|transfer|dip|drop)s? (?:into|onto) |^turns? (?:on|off) screen$|^stir fries$"
    r"|^a person (?:sits|lies|stands) (?:down )?(?:on|in|at|by) (?:the|a|their) \w+ to \w+ (?:it|them)$",
    re.I,
)
_ADDRESS = re.compile(r"\w\.(?:com|edu|gov|io|net|org|tv)\b", re.I)
# Before an address that is a part of the sentence: "I am from", "visit".
_LEADS_TO_ADDRESS = PREPOSITIONS | {"visit", "see", "is", "and", "or", "called"}
# "When we think ...say": words are left out there.
_CUT_INSIDE = re.compile(r"\s\.{3}\s?[a-z]")
_BE = re.compile(
    r"(?<!\blet )(?<!\bmay )(?<!\bcan )(?<!\bwill )(?<!\bthat )(?<!\bmight )(?<!\bcould )(?<!\bwould )(?<!\bshould )"
    r"\b(?:he|she|it) be\b",
    re.I,
)
_FOR_TEST = re.compile(r"\b(?:for|in|at|on|of|take|have) (?:test|exam|quiz|interview|meeting)[.!?]?$", re.I)
_INNER_MARK = re.compile(r"[,;:.?!\u2013\u2014](?=.)| - ")
_LONG_LINE = 15


def runs_on(text: str) -> bool:
    """Returns whether a caption goes on with a new subject after a noun, lacks an object, or has a verb without "-s".

    "A fire starts on the stove the person blows it out", "Pour into the soup", "Female swimmer jump off".
    """
    words = tokens(text)
    return _has_second_subject(words) or _NO_OBJECT.match(text) is not None or _lacks_ending(words)


def is_line_run_on(text: str) -> bool:
    """Returns whether a spoken line holds an address, lacks words, or is long and has two clauses without a mark."""
    words = text.lower().split()
    if any(_ADDRESS.search(word) and before not in _LEADS_TO_ADDRESS for before, word in pairwise(words)):
        return True
    if _CUT_INSIDE.search(text) or lacks_article(words) or _FOR_TEST.search(text) or _BE.search(text):
        return True
    if len(words) < _LONG_LINE or _INNER_MARK.search(text.rstrip(" .!?")):
        return False
    clauses = [at for at in range(len(words)) if _begins_clause(words, at)]
    return len([at for at in clauses if not at or words[at - 1] not in JOINS]) > 1


def _begins_clause(words: Sequence[str], at: int) -> bool:
    is_contracted = words[at] in FINITE and "'" in words[at] and "n't" not in words[at]
    is_told = words[at] in PRONOUNS and at + 1 < len(words) and words[at + 1] in FINITE
    return is_contracted or is_told


def _has_second_subject(words: Sequence[str]) -> bool:
    if not words or words[0] in PREPOSITIONS:
        return False
    for at in range(3, len(words) - 2):
        subject = at + 1 if words[at] in ("the", "a", "another") else at
        is_person = words[subject] in (_PERSONS if subject > at else _SUBJECTS)
        before, after = words[at - 1], words[subject + 1 : subject + 3]
        if not is_person or len(after) < 2 or not form_of(before) & Form.NOUN or before in _OF_CLAUSE:
            continue
        is_verb = form_of(after[0]) & (Form.BASE | Form.THIRD | Form.PAST) and after[1] in _OBJECTS
        if is_verb and _OPENINGS.isdisjoint(words[:at]) and any(_is_verb(words, i) for i in range(1, at - 1)):
            return True
    return False


def _is_verb(words: Sequence[str], at: int) -> bool:
    form = form_of(words[at])
    return words[at] in FINITE or (bool(form & Form.THIRD) and words[at - 1] not in ARTICLES | PREPOSITIONS)


def _lacks_ending(words: Sequence[str]) -> bool:
    """Whether one subject without an article has a verb that lacks its "-s": "female swimmer jump off"."""
    for at in range(1, min(3, len(words) - 1)):
        noun, verb = words[at - 1], words[at]
        is_agent = noun in PERSONS - {"couple"} or (noun.endswith(("er", "or")) and form_of(noun) == Form.NOUN)
        is_alone = at == 1 or (bool(form_of(words[0]) & Form.ADJECTIVE) and not form_of(words[0]) & VERB)
        if is_agent and is_alone and verb in _MOVES and words[at + 1] in AFTER_VERB | PREPOSITIONS:
            return True
    # "A bud covered with dew move in wind"
    part = next((at for at in range(1, len(words)) if words[at] in _PARTICIPLES), 0)
    if not part or not _is_one(words[part - 1]) or "and" in words[:part]:
        return False
    return any(
        words[at] in _MOVES
        and words[at + 1] in PREPOSITIONS
        and not JOINS & {*words[part:at]}
        and words[at - 1] != "to"
        for at in range(part + 2, len(words) - 1)
    )


def _is_one(word: str) -> bool:
    form = form_of(word)
    return bool(form & Form.NOUN) and not form & Form.PLURAL and word not in ("people", "police", "group", "crowd")
