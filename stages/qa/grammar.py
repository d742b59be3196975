"""Whether a caption is a sentence, and whether it is a broken one, by what its words can be.

A word may be several things, so both answers are "no" where that is not certain.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from stages.qa.lexicon import Form, form_of, tokens

_FINITE_WORDS = """is are was were am isn't aren't wasn't weren't has have had hasn't haven't does do did doesn't
don't didn't can cannot can't could may might must shall should will won't would it's there's he's she's that's
they're we're"""
_FINITE = frozenset(_FINITE_WORDS.split())
_ARTICLE_WORDS = """a an the both all some his her their its my our your this that these those another each every one
two three four"""
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
# After a verb in "-s" that may be a plural: "a man stands in ...", "lights of the city".
_AFTER_VERB_WORDS = """a an the his her their its it them him into onto up down off out over away back around along
across through toward towards past himself herself themselves together apart forward backward upon something someone
by at to"""
_AFTER_VERB = frozenset(_AFTER_VERB_WORDS.split())
_PREPOSITION_WORDS = """of in on with for from at by into onto to under over near beside behind between against
through along across around above below inside outside without within during like as after before while when until"""
_PREPOSITIONS = frozenset(_PREPOSITION_WORDS.split())
_JOIN_WORDS = """and or but then who whom whose that which what where when while as because if so before after until
since though although than how why whether also not to , ; : ( )"""
_JOINS = frozenset(_JOIN_WORDS.split())
_PERSON_WORDS = """person man woman boy girl lady guy kid child baby toddler teenager player chef cook blogger vlogger
couple driver dancer singer coach dog cat"""
_PERSONS = frozenset(_PERSON_WORDS.split())
_FILM_WORDS = "video clip photo photograph picture shot view footage scene film image"
_NOUNS_OF_FILM = frozenset(_FILM_WORDS.split())
_STATE_WORDS = """being belonging consisting containing depicting featuring following having including lasting
regarding surrounding"""
_STATES = frozenset(_STATE_WORDS.split())
_COLOURS = frozenset(("black", "blue", "brown", "green", "white", "yellow"))
_PRONOUNS = frozenset(("he", "she", "they", "it", "we", "i", "you"))
_ONE_OF_MANY = re.compile(
    r"\b(?:an?|another|one) (?!few|lot|couple|group|pair|number|dozen|hundred|crowd|team)(?:[a-z]+ )?"
    r"(?:women|men|people|children|persons)\b(?!['\u2019]s?)(?! (?:mover|carrier|person))",
    re.I,
)
_PERSON_WHO = re.compile(
    r"^(?:(?:a|an|the|this|another) )?(?:[a-z]+ )?person (?:one|two|after|upon|their|his|her|they|he|she|until|then)\b",
    re.I,
)
# "When they start laughing": of what happens then, nothing is told.
_CLAUSE_ALONE = re.compile(r"^(?:when|while|as|after|before|if|because|where|until|that|which|who)\b[^,]*$", re.I)
_SUBJECT_VERB = re.compile(
    r"^(?:they|we|you|i|people|(?:two|three|four|several|many) [a-z]+s) (?P<verb>[a-z]+s)\b", re.I
)


def is_fragment(text: str) -> bool:
    """Returns whether a text surely has no verb that makes it a sentence: "city traffic lights"."""
    words = tokens(text)
    return bool(words) and not any(_may_be_finite(words, at) for at in range(len(words)))


def is_sentence(text: str) -> bool:
    """Returns whether a text surely is a sentence: an instruction, or somebody or something and what they do."""
    words = tokens(text)
    return any(_is_finite(words, at) for at in range(len(words)))


def is_broken(text: str) -> bool:
    """Returns whether a sentence surely has a wrong verb form or "a", or two verbs with nothing between them."""
    if _ONE_OF_MANY.search(text) or _PERSON_WHO.match(text) or _CLAUSE_ALONE.match(text):
        return True
    words = tokens(text)
    return _is_of_two_verbs(words) or _has_wrong_form(words) or _runs_on(words)


def with_verb(text: str) -> str:
    """Returns a fragment that only lacks "is" with it: "A man talking" becomes "A man is talking".

    Only where the verb comes right after the noun: "A man in a hat talking" stays.
    """
    words = text.lower().split()
    verb = next((at for at in range(2, min(6, len(words))) if _is_participle(words, at)), 0)
    if verb < 2 or words[0] not in ("a", "an", "the", "another", "one") or words[verb] in _STATES:
        return text
    noun, between = form_of(words[verb - 1]), words[1:verb]
    is_one = bool(noun & Form.NOUN) and not noun & Form.PLURAL and words[verb - 1] not in _NOUNS_OF_FILM
    if not is_one or any(word in _PREPOSITIONS or word in _JOINS for word in between) or not is_fragment(text):
        return text
    return " ".join([*text.split()[:verb], "is", *text.split()[verb:]])


def _is_participle(words: Sequence[str], at: int) -> bool:
    """Whether a word in "-ing" after a noun tells what that does: "a man standing"."""
    form, after = form_of(words[at]), words[at + 1] if at + 1 < len(words) else ""
    has_more = words[at - 1] in _PERSONS or after in _ARTICLES or after in _PREPOSITIONS or after in _AFTER_VERB
    return form == Form.ING or (bool(form & Form.ING) and has_more)


def _may_be_finite(words: Sequence[str], at: int) -> bool:
    word, form = words[at], form_of(words[at])
    before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    if word in _FINITE:
        return True
    if before in _ARTICLES or before in _PREPOSITIONS:
        return False
    if at == 0 or (at == 1 and before.endswith("ly")):
        return bool(form & Form.BASE) and not _is_noun(words, at)
    if form & Form.THIRD:
        # The last word may be a plural: "city traffic lights".
        is_verb = after in _AFTER_VERB or before in _PERSONS or not _ARTICLES.isdisjoint(words[:at])
        return not form & Form.NOUN or (is_verb and (bool(after) or before in _PERSONS))
    if form & Form.PAST or (not form and word.endswith("ed")):
        return not form & Form.ADJECTIVE or after in _AFTER_VERB or before in _PRONOUNS
    is_of_many = bool(form_of(before) & Form.PLURAL)
    return bool(form & Form.BASE) and (is_of_many or before in _PRONOUNS or after in _AFTER_VERB or before == "to")


def _is_noun(words: Sequence[str], at: int) -> bool:
    """Whether a first word that may be a verb is none: "cat climbing", "green trees"."""
    after = words[at + 1] if at + 1 < len(words) else ""
    may_be = form_of(words[at]) & Form.NOUN
    return bool(may_be) and (form_of(after) == Form.ING or (words[at] in _COLOURS and after not in _ARTICLES))


def _is_finite(words: Sequence[str], at: int) -> bool:
    word, form = words[at], form_of(words[at])
    before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    if word in _FINITE:
        return at > 0 or word in ("it's", "there's", "he's", "she's", "that's", "they're", "we're", "do", "don't")
    if at == 0:  # an instruction
        is_verb = not form & (Form.NOUN | Form.ADJECTIVE) or after in _ARTICLES or after not in _PREPOSITIONS
        return bool(form & Form.BASE) and is_verb and not _is_noun(words, at) and len(words) > 1
    if before in _ARTICLES or before in _PREPOSITIONS or before in ("and", "or", ","):
        return False
    if form & Form.THIRD:
        is_told = not _ARTICLES.isdisjoint(words[:at]) and (after in _AFTER_VERB or after in _PREPOSITIONS)
        return not form & Form.NOUN or before in _PERSONS or is_told
    if form & Form.PAST and (before in _PRONOUNS or before in _PERSONS):
        return before in _PRONOUNS or after in _ARTICLES or after in ("up", "down", "off", "out", "away")
    is_plural = before in _PRONOUNS or bool(form_of(before) & Form.PLURAL)
    if form & Form.BASE and is_plural:
        return not form & Form.NOUN or after in _AFTER_VERB
    return False


def _is_of_two_verbs(words: Sequence[str]) -> bool:
    """Whether a verb follows a form of "to be": "is gets", "are stand on"."""
    for be, verb, after in zip(words, words[1:], (*words[2:], ""), strict=False):
        form = form_of(verb)
        is_verb_alone = not form & (Form.NOUN | Form.ADJECTIVE | Form.ADVERB | Form.PAST | Form.ING)
        is_verb = form & Form.THIRD or (form & Form.BASE and after in _AFTER_VERB)
        if be in ("is", "was") and form & Form.THIRD:
            return True
        if be in ("is", "are", "was", "were") and is_verb and is_verb_alone:
            return True
    return words[:2] in (["people", "is"], ["people", "was"], ["people", "has"])


def _has_wrong_form(words: Sequence[str]) -> bool:
    """Whether a verb does not fit its subject: "a man stand on", "add cheese and keeps", "they walks"."""
    after_article = words[1:] if words[:1] and words[0] in ("a", "an", "the", "another", "one") else words
    singular = words[:1] and words[0] in ("a", "an", "another", "one")
    if singular and len(after_article) > 2 and after_article[0] in _PERSONS - {"couple"}:
        form = form_of(after_article[1])
        is_base = bool(form & Form.BASE) and not form & (Form.PAST | Form.ADJECTIVE | Form.ADVERB)
        if is_base and (not form & Form.NOUN or after_article[2] in _AFTER_VERB):
            return True
    first, second = (form_of(word) for word in (*words[:2], "", "")[:2])
    if first & Form.BASE and not (first & Form.ADJECTIVE or second & Form.THIRD or words[0] in _PERSONS):
        for join, verb in pairwise(words):
            form = form_of(verb)
            if join in ("and", "then") and form & Form.THIRD and not form & Form.NOUN:
                return True
    found = _SUBJECT_VERB.match(" ".join(words))
    form = form_of(found["verb"]) if found else Form.NONE
    return bool(form & Form.THIRD) and not form & (Form.NOUN | Form.BASE | Form.PAST)


def _runs_on(words: Sequence[str]) -> bool:
    """Whether nothing joins two verbs: "a person walks in opens a box", "a person eats they walk out"."""
    if "person" not in words[:4]:
        return False
    first = words.index("person") + 1
    verbs = [at for at in range(first, len(words)) if _is_certain_verb(words, at)]
    if first < len(words) and form_of(words[first]) & Form.THIRD and first not in verbs:
        verbs.insert(0, first)
    for verb, other in pairwise(verbs):
        if not any(word in _JOINS for word in words[verb + 1 : other]):
            return True
    for at in range(4, len(words) - 2):
        is_clause = words[at] in ("they", "he", "she") and form_of(words[at + 1]) & (Form.BASE | Form.THIRD)
        if is_clause and verbs and verbs[0] < at and not any(word in _JOINS for word in words[verbs[0] + 1 : at]):
            return True
    return False


def _is_certain_verb(words: Sequence[str], at: int) -> bool:
    """Whether a word is a verb in "-s", or a form of "to be", with its object or adverb after it."""
    word, form = words[at], form_of(words[at])
    if words[at - 1] in _ARTICLES or words[at - 1] in _PREPOSITIONS or form & Form.ING:
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    if word in ("is", "was"):
        return True
    has_object = after in _ARTICLES or after in ("it", "them", "up", "off", "down", "out", "away")
    return bool(form & Form.THIRD) and word not in ("clothes", "shoes") and (not form & Form.NOUN or has_object)
