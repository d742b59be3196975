"""Whether a sentence surely is broken: a wrong form of a verb, or two clauses with nothing between them."""

import re
from collections.abc import Sequence
from itertools import pairwise

from stages.qa.lexicon import VERB, Form, form_of, tokens
from stages.qa.small_words import AFTER_VERB, ARTICLES, FINITE, JOINS, PERSONS, PREPOSITIONS

_GROUP_WORDS = """audience band class couple crew crowd family group lot majority men number others pair people police
rest row series staff team trio two three four women"""
_GROUPS = frozenset(_GROUP_WORDS.split())
_ONE_OF_MANY = re.compile(
    r"\b(?:an?|another|one) (?!few|lot|couple|group|pair|number|dozen|hundred|crowd|team)(?:[a-z]+ )?"
    r"(?:women|men|people|children|persons)\b(?!['\u2019]s?)(?! (?:mover|carrier|person))",
    re.I,
)
_PERSON_WHO = re.compile(
    r"^(?:(?:a|an|the|this|another) )?(?:[a-z]+ )?person (?:one|two|after|upon|their|his|her|they|he|she|until|then)\b",
    re.I,
)
# "At a sunny day", "only one of the men are", "The man with the knife, he cuts bread", "a blanket/pillow".
_WRONG_WORDS = re.compile(
    r"\b(?:at|in) (?:an? )?(?:sunny|rainy|cloudy|windy|snowy) (?:\w+ )?(?:day|morning|evening|afternoon)\b"
    r"|\bone of the \w+ (?:are|were|have)\b|^(?:the|an?|one|this) [^,]+, (?:he|she|they|it) |[a-z]{2}/[a-z]{2}"
    r"|\bat the (?:first|second|third|last) time\b|\b(?:eggs|beans) (?:yolk|white|shell|sprout)s?\b"
    r"|\b(?:at|in|to) outdoors\b|\b(?:in|into) in\b|\bof of\b|[a-z]{2}/ [a-z]"
    r"|\b(?:pour|put|add)s? in (?:[a-z]+ ){1,3}in(?:$| to\b)"
    r"|\b(?:sees?|holds?|watch(?:es)?|at|by|behind|near|with) (?:person|woman|boy|girl|lady|guy)$"
    r"|\bthrows? it (?:someone|somebody)\b|\ba (?:[a-z]+ing )?(?:pliers|scissors|tongs|tweezers|pants|jeans)\b"
    r"|\ba series (?!of\b)[a-z]|\ban? [^,]* appears? that (?:include|contain|have|show|say)\b"
    r"|\bone of the (?:player|man|woman|girl|boy|person|child|kid|dancer|runner)\b(?!['\u2019]s)"
    r"|^[^,]* (?:lies|sits|walks|stands|runs|goes|falls) (?:down |back )?and had\b"
    r"|\bthe (?:a|picks|takes|puts|turns|goes|gets)\b"
    r"|\bclos(?:e|es|ed|ing) the \w+ back$|\b(?:puts?|putting|places|placing) (?:the|an?|some|their|his|her) [a-z]+$",
    re.I,
)
# "When they start laughing": of what happens then, nothing is told.
_CLAUSE_ALONE = re.compile(r"^(?:when|while|as|after|before|if|because|where|until|that|which|who)\b[^,]*$", re.I)
_SUBJECT_VERB = re.compile(
    r"^(?:they|we|you|i|people|(?:two|three|four|several|many) [a-z]+s) (?P<verb>[a-z]+s)\b", re.I
)


def is_broken(text: str) -> bool:
    """Returns whether a sentence surely has a wrong verb form or "a", or two verbs with nothing between them."""
    if _ONE_OF_MANY.search(text) or _PERSON_WHO.match(text) or _CLAUSE_ALONE.match(text) or _WRONG_WORDS.search(text):
        return True
    words = tokens(text)
    return (
        _is_of_two_verbs(words)
        or _has_wrong_form(words)
        or lacks_article(words)
        or _mixes_forms(words)
        or _runs_on(words)
    )


def _is_of_two_verbs(words: Sequence[str]) -> bool:
    """Whether a verb follows a form of "to be": "is gets", "are stand on"."""
    for be, verb, after in zip(words, words[1:], (*words[2:], ""), strict=False):
        form = form_of(verb)
        is_verb_alone = not form & (Form.NOUN | Form.ADJECTIVE | Form.ADVERB | Form.PAST | Form.ING)
        is_verb = form & Form.THIRD or (form & Form.BASE and after in AFTER_VERB)
        if be in ("is", "was") and form & Form.THIRD:
            return True
        if be in ("is", "are", "was", "were") and is_verb and is_verb_alone:
            return True
    return words[:2] in (["people", "is"], ["people", "was"], ["people", "has"])


def _lacks_s(words: Sequence[str]) -> bool:
    """Whether one person does something in the form of many: "a man stand on"."""
    if len(words) < 4 or words[0] not in ("a", "an", "another", "one") or words[1] not in PERSONS - {"couple"}:
        return False
    form = form_of(words[2])
    is_base = bool(form & Form.BASE) and not form & (Form.PAST | Form.ADJECTIVE | Form.ADVERB)
    return is_base and (not form & Form.NOUN or words[3] in AFTER_VERB)


def _has_wrong_form(words: Sequence[str]) -> bool:
    """Whether a verb does not fit its subject: "a man stand on", "add cheese and keeps", "they walks"."""
    if _lacks_s(words):
        return True
    for at in range(len(words) - 2):
        begins = not at or words[at - 1] in ("and", "while", "as", "when", "but", "then", ",")
        noun = form_of(words[at + 1])
        is_many = Form.PLURAL in noun or words[at + 1] in _GROUPS or words[at + 1].endswith("s")
        is_one = Form.NOUN in noun and not is_many
        is_bare = form_of(words[at + 2]) == Form.BASE and words[at + 3 : at + 4] not in (["is"], ["was"])
        if begins and words[at] in ("a", "an", "the") and is_one and is_bare:
            return True
    for at in range(min(3, len(words) - 2)):
        is_agent = words[at] in PERSONS - {"couple"} or (at > 0 and words[at].endswith(("er", "or", "rist")))
        form, noun = form_of(words[at + 1]), form_of(words[at])
        is_base = Form.BASE in form and not form & (Form.PAST | Form.THIRD) and words[at + 2] in ("a", "an", "the")
        is_one = not noun & (VERB | Form.PLURAL) and words[0] not in ARTICLES and "and" not in words[:at]
        if is_agent and is_one and is_base:
            return True
    is_of_one = bool(words) and words[0] in ("a", "an", "the", "another", "one", "he", "she", "it")
    for before, join, verb in zip(words, words[1:], words[2:], strict=False):  # "she stops and continue"
        is_verb = Form.THIRD in form_of(before) and before != "clothes"
        if is_of_one and join == "and" and is_verb and form_of(verb) == Form.BASE:
            return True
    for join, verb, after in zip(words, words[1:], words[2:], strict=False):  # "before decided to"
        if (
            join in ("before", "after", "without")
            and form_of(verb) == Form.PAST
            and (after == "to" or after in ARTICLES)
        ):
            return True
    first, second = (form_of(word) for word in (*words[:2], "", "")[:2])
    if first & Form.BASE and not (first & Form.ADJECTIVE or second & Form.THIRD or words[0] in PERSONS):
        for join, verb, after in zip(words, words[1:], (*words[2:], ""), strict=False):
            form = form_of(verb)
            does = form_of(after) == Form.ING  # "keeps whisking"
            if join in ("and", "then") and form & Form.THIRD and (not form & Form.NOUN or does):
                return True
    found = _SUBJECT_VERB.match(" ".join(words))
    form = form_of(found["verb"]) if found else Form.NONE
    return bool(form & Form.THIRD) and not form & (Form.NOUN | Form.BASE | Form.PAST)


def _mixes_forms(words: Sequence[str]) -> bool:
    """Whether "and" joins a past and a form in "-ing", or a preposition stands for "is": "in interviewed by"."""
    if len(words) < 4:
        return False
    for word, verb, after in zip(words, words[1:], words[2:], strict=False):
        if word in ("in", "at", "of") and form_of(verb) == Form.PAST and after in AFTER_VERB | {"next", "in", "on"}:
            return True
    past = next((at for at in range(1, len(words)) if form_of(words[at]) == Form.PAST), 0)
    join = words.index("and", past) if past and "and" in words[past:] else 0
    if not join or join + 2 > len(words) or FINITE & {*words[:join]}:
        return False
    is_finite = not any(form_of(word) & (VERB & ~Form.PAST) for word in words[1:past])
    is_ing = form_of(words[join + 1]) == Form.ING and words[past + 1] in PREPOSITIONS
    return is_finite and is_ing and not any(word.endswith("ing") or word == "," for word in words[past:join])


def lacks_article(words: Sequence[str]) -> bool:
    """Returns whether a verb has one of many of something without an article: "memorize list of words"."""
    return any(
        of == "of" and many in ("list", "pair", "series", "bunch", "couple", "variety") and _is_only_verb(form_of(verb))
        for verb, many, of in zip(words, words[1:], words[2:], strict=False)
    )


def _is_only_verb(form: Form) -> bool:
    return bool(form & VERB) and not form & ~VERB


def _runs_on(words: Sequence[str]) -> bool:
    """Whether nothing joins two verbs: "a person walks in opens a box", "a person eats they walk out"."""
    if "person" not in words[:4]:
        return False
    first = words.index("person") + 1
    verbs = [at for at in range(first, len(words)) if _is_certain_verb(words, at)]
    if first < len(words) and form_of(words[first]) & Form.THIRD and first not in verbs:
        verbs.insert(0, first)
    for verb, other in pairwise(verbs):
        if not any(word in JOINS for word in words[verb + 1 : other]):
            return True
    for at in range(4, len(words) - 2):
        is_clause = words[at] in ("they", "he", "she") and form_of(words[at + 1]) & (Form.BASE | Form.THIRD)
        if is_clause and verbs and verbs[0] < at and not any(word in JOINS for word in words[verbs[0] + 1 : at]):
            return True
    return False


def _is_certain_verb(words: Sequence[str], at: int) -> bool:
    """Whether a word is a verb in "-s", or a form of "to be", with its object or adverb after it."""
    word, form = words[at], form_of(words[at])
    if words[at - 1] in ARTICLES or words[at - 1] in PREPOSITIONS or form & Form.ING:
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    if word in ("is", "was"):
        return True
    has_object = after in ARTICLES or after in ("it", "them", "up", "off", "down", "out", "away")
    return bool(form & Form.THIRD) and word not in ("clothes", "shoes") and (not form & Form.NOUN or has_object)
