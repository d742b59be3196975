"""What English words can be: verbs in which form, nouns, adjectives, by the lexicon of `lemminflect`."""

import re
from enum import Flag, auto
from functools import lru_cache

_SAME_IN_PAST = frozenset(("cut", "hit", "hurt", "let", "put", "set", "shut", "split", "spread"))
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|[,;:()]")


class Form(Flag):
    """Names the forms of words; one word may be several."""

    NONE = 0
    BASE = auto()
    """Of a verb: "take"."""
    THIRD = auto()
    """"takes"."""
    ING = auto()
    """"taking"."""
    PAST = auto()
    """"took", "taken"."""
    NOUN = auto()
    PLURAL = auto()
    """Of a noun, beside NOUN."""
    ADJECTIVE = auto()
    ADVERB = auto()


VERB = Form.BASE | Form.THIRD | Form.ING | Form.PAST


def tokens(text: str) -> list[str]:
    """Returns the words of a text in lower case, and the marks that part it."""
    return _TOKEN.findall(text.lower())


def load() -> None:
    """Loads the lexicon now, for processes that are forked from this one."""
    form_of("load")


@lru_cache(maxsize=1 << 16)
def form_of(word: str) -> Form:
    """Returns all that a word in lower case can be; NONE where the lexicon does not have it."""
    from lemminflect import getAllLemmas  # it takes a quarter of a second and 50 MB, which commands do not need

    lemmas = getAllLemmas(word)
    form = Form.NONE
    for lemma in lemmas.get("VERB", ()):
        form |= _verb_form(word, lemma)
    if nouns := lemmas.get("NOUN", ()):
        form |= Form.NOUN | (Form.PLURAL if word not in nouns else Form.NONE)
    if "ADJ" in lemmas:
        form |= Form.ADJECTIVE
    if "ADV" in lemmas:
        form |= Form.ADVERB
    return form


def _verb_form(word: str, lemma: str) -> Form:
    if word == lemma:
        return Form.BASE | (Form.PAST if word in _SAME_IN_PAST else Form.NONE)
    if word.endswith("ing"):
        return Form.ING
    return Form.THIRD if word.endswith("s") else Form.PAST
