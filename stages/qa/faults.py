"""Why the words of an event are not told: the source has them wrong, and what is meant is not certain enough to mend.

Such an event stays a step of its video, between others; no question, option or answer tells it.
"""

import re
from functools import lru_cache

from stages.qa.broken import is_broken
from stages.qa.clauses import is_line_run_on, runs_on
from stages.qa.grammar import is_fragment, is_sentence
from stages.qa.lexicon import VERB, Form, form_of, tokens
from stages.qa.lists import is_run_together
from stages.qa.spelling import is_english, misspelled, spelled

_STAYS = "it stays a step, and is not told in words"
FAULTS = {
    "misspelled": f"with a word that no list of English words has: {_STAYS}",
    "run_together": f"things or steps in a row without commas, or 35 words and more for one moment: {_STAYS}",
    "broken_sentence": f"with a verb in a wrong form, or two without a link, as in 'a man is gets up': {_STAYS}",
    "foreign_line": f"speech of which most words are in no list of English words: {_STAYS}",
    "run_on_line": f"speech of two sentences without a mark between them, or with an address: {_STAYS}",
    "keywords": f"no sentence among others of one caption or video, or a few words for a search: {_STAYS}",
}
_FEWEST_WORDS = 4
# So many words for one moment are mostly several sentences.
_MOST_WORDS = 34
_EQUIPMENT = re.compile(r"\b(?:gopro|drone|dslr|selfie|b-?roll|close-?up|background|concept)\b", re.I)
_ARTICLE = re.compile(r"\b(?:an?|the)\b", re.I)


@lru_cache(maxsize=1 << 14)
def fault_of(text: str, *, is_caption: bool = False, is_title: bool = False, is_alone: bool = True) -> str:
    """Returns a code of FAULTS for an English sentence of `stages.qa.clean`; "" where it can be told.

    Args:
        text: without its full stop.
        is_caption: it describes a clip; else it tells of one event.
        is_title: it names a scene or a chapter, so it need not be a sentence.
        is_alone: it is the only sentence of its caption.
    """
    if is_title:
        return ""
    if misspelled(text):
        return "misspelled"
    if is_run_together(text) or (not is_caption and len(text.split()) > _MOST_WORDS):
        return "run_together"
    if is_broken(text) or runs_on(text):
        return "broken_sentence"
    if not is_alone and is_fragment(text):
        return "keywords"
    return "keywords" if is_caption and not _ARTICLE.search(text) and _are_keywords(text, is_alone) else ""


def fault_of_line(text: str) -> str:
    """Returns a code of FAULTS for a spoken line of an English video; "" where it can be told."""
    if not is_english(text):
        return "foreign_line"
    if is_line_run_on(text):
        return "run_on_line"
    return "misspelled" if misspelled(text) or spelled(text) != text else ""


def _are_keywords(text: str, is_alone: bool) -> bool:
    """Whether a text without an article is a few nouns, or names what filmed it."""
    if len(text.split()) >= _FEWEST_WORDS:
        return is_fragment(text) and _EQUIPMENT.search(text) is not None
    first = form_of(tokens(text)[0])
    # "Boil water" is a step, but "Peak hour" beside "Cars go on the road" is none.
    is_verb = bool(first & VERB) and (is_alone or not first & (Form.NOUN | Form.ADJECTIVE))
    has_verb = is_sentence(text) and (not first & Form.BASE or any(form_of(w) & Form.THIRD for w in tokens(text)[1:]))
    return not is_verb and not has_verb
