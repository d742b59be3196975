"""Whether a caption is a sentence, by what its words can be: the answer is "no" where that is not certain."""

from collections.abc import Sequence

from stages.qa.lexicon import Form, form_of, tokens
from stages.qa.small_words import AFTER_VERB, ARTICLES, FINITE, JOINS, PERSONS, PREPOSITIONS, PRONOUNS

_FILM_WORDS = "video clip photo photograph picture shot view footage scene film image"
_NOUNS_OF_FILM = frozenset(_FILM_WORDS.split())
_STATE_WORDS = """being belonging consisting containing depicting featuring following having including lasting
regarding surrounding"""
_STATES = frozenset(_STATE_WORDS.split())
_CLOTH_WORDS = """apron cap clothes coat coats dress glasses hat helmet hoodie jacket jackets jeans outfit pants robe
robes shirt shirts shorts suit suits sweater t-shirt tie top tuxedo uniform uniforms vest vests"""
_CLOTHES = frozenset(_CLOTH_WORDS.split())
_COLOURS = frozenset(("black", "blue", "brown", "green", "white", "yellow"))


def is_fragment(text: str) -> bool:
    """Returns whether a text surely has no verb that makes it a sentence: "city traffic lights"."""
    words = tokens(text)
    return bool(words) and not any(_may_be_finite(words, at) for at in range(len(words)))


def is_sentence(text: str) -> bool:
    """Returns whether a text surely is a sentence: an instruction, or somebody or something and what they do."""
    words = tokens(text)
    return any(_is_finite(words, at) for at in range(len(words)))


def lacks_article(text: str) -> bool:
    """Returns whether a sentence tells of one person or thing without an article: "Bearded man in a hat sits down".

    "Water flows" needs none; it counts as well.
    """
    words = tokens(text)
    verb = next((at for at in range(1, len(words)) if _may_be_finite(words, at) and form_of(words[at]) & Form.THIRD), 0)
    subject = words[: next((at for at in range(1, verb) if words[at] in PREPOSITIONS or words[at] in JOINS), verb)]
    if not subject or not ARTICLES.isdisjoint(subject) or subject[-1] in PRONOUNS:
        return False
    noun = form_of(subject[-1])
    is_step = form_of(subject[0]) & Form.BASE and subject[0] not in PERSONS
    return bool(noun & Form.NOUN) and not noun & Form.PLURAL and not is_step


def with_verb(text: str) -> str:
    """Returns a fragment that only lacks "is" with it: "A man talking" becomes "A man is talking".

    Only where the verb comes right after the noun, or what somebody wears: "A man with a dog running" stays.
    """
    words = text.lower().split()
    verb = next((at for at in range(2, min(9, len(words))) if _is_participle(words, at)), 0)
    if verb < 2 or words[0] not in ("a", "an", "the", "another", "one") or words[verb] in _STATES:
        return text
    subject = _without_clothes(words[1:verb])
    noun = form_of(subject[-1])
    is_one = bool(noun & Form.NOUN) and not noun & Form.PLURAL and subject[-1] not in _NOUNS_OF_FILM
    is_plain = len(subject) < 5 and not any(word in PREPOSITIONS or word in JOINS for word in subject)
    # "Coats" is no verb there.
    if not is_one or not is_plain or not is_fragment(" ".join([words[0], *subject, *words[verb:]])):
        return text
    return " ".join([*text.split()[:verb], "is", *text.split()[verb:]])


def _without_clothes(words: Sequence[str]) -> Sequence[str]:
    """Who wears something: "man in a plaid shirt" -> man, "group of people in white coats" -> group."""
    at = words.index("in") if "in" in words[1:] and words[-1] in _CLOTHES else len(words)
    is_worn = not any(word in PREPOSITIONS or word in JOINS for word in words[at + 1 :])
    subject = words[:at] if is_worn else words
    return subject[:-2] if list(subject[-3:]) == ["group", "of", "people"] else subject


def _is_participle(words: Sequence[str], at: int) -> bool:
    """Whether a word in "-ing" after a noun tells what that does: "a man standing"."""
    form, after = form_of(words[at]), words[at + 1] if at + 1 < len(words) else ""
    has_more = words[at - 1] in PERSONS or after in ARTICLES | PREPOSITIONS | AFTER_VERB or after == "next"
    return form == Form.ING or (bool(form & Form.ING) and has_more)


def _may_be_finite(words: Sequence[str], at: int) -> bool:
    word, form = words[at], form_of(words[at])
    before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    if word in FINITE:
        return True
    if before in ARTICLES or before in PREPOSITIONS:
        return False
    if at == 0 or (at == 1 and before.endswith("ly")):
        return bool(form & Form.BASE) and not _is_noun(words, at)
    if form & Form.THIRD:
        # The last word may be a plural: "city traffic lights".
        is_verb = after in AFTER_VERB or before in PERSONS or not ARTICLES.isdisjoint(words[:at])
        return not form & Form.NOUN or (is_verb and (bool(after) or before in PERSONS))
    if form & Form.PAST or (not form and word.endswith("ed")):
        return not form & Form.ADJECTIVE or after in AFTER_VERB or before in PRONOUNS
    is_of_many = bool(form_of(before) & Form.PLURAL)
    return bool(form & Form.BASE) and (is_of_many or before in PRONOUNS or after in AFTER_VERB or before == "to")


def _is_noun(words: Sequence[str], at: int) -> bool:
    """Whether a first word that may be a verb is none: "cat climbing", "green trees"."""
    after = words[at + 1] if at + 1 < len(words) else ""
    may_be = form_of(words[at]) & Form.NOUN
    does = form_of(after)
    is_subject = does == Form.ING or (words[at] in PERSONS and bool(does & Form.ING))
    return bool(may_be) and (is_subject or (words[at] in _COLOURS and after not in ARTICLES))


def _is_finite(words: Sequence[str], at: int) -> bool:
    word, form = words[at], form_of(words[at])
    before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    if word in FINITE:
        return at > 0 or word in ("it's", "there's", "he's", "she's", "that's", "they're", "we're", "do", "don't")
    if at == 0:  # an instruction
        is_verb = not form & (Form.NOUN | Form.ADJECTIVE) or after in ARTICLES or after not in PREPOSITIONS
        return bool(form & Form.BASE) and is_verb and not _is_noun(words, at) and len(words) > 1
    if before in ARTICLES or before in PREPOSITIONS or before in ("and", "or", ","):
        return False
    if form & Form.THIRD:
        is_told = not ARTICLES.isdisjoint(words[:at]) and (after in AFTER_VERB or after in PREPOSITIONS)
        return not form & Form.NOUN or before in PERSONS or is_told
    if form & Form.PAST and (before in PRONOUNS or before in PERSONS):
        return before in PRONOUNS or after in ARTICLES or after in ("up", "down", "off", "out", "away")
    is_plural = before in PRONOUNS or bool(form_of(before) & Form.PLURAL)
    if form & Form.BASE and is_plural:
        return not form & Form.NOUN or after in AFTER_VERB
    return False
