"""Whether two event texts may tell of the same thing: by the words that carry content."""

import re
from functools import lru_cache

from stages.qa.grammar import ADVERBS, CONJUNCTIONS, DETERMINERS, PREPOSITIONS, PRONOUNS, is_plural, parse, plain
from stages.qa.verbs import BASES, GERUND, PAST, THIRD

_WORD = re.compile(r"[^\W_]+(?:[-:.\u2019'][^\W_]+)*")
_AUXILIARIES = """is are was were be been am has have had do does did will would can could not there here just it's i'm
what"""
_EMPTY = DETERMINERS | PREPOSITIONS | PRONOUNS | ADVERBS | CONJUNCTIONS | frozenset(_AUXILIARIES.split())
_COLOUR_WORDS = "red green blue yellow orange purple pink black white grey gray brown golden silver"
_COLOURS = frozenset(_COLOUR_WORDS.split())
# Who stands in one event may well stand so in another that tells of something else.
_POSTURES = frozenset({"stand", "sit", "lie", "hang", "wait", "rest", "stay", "lean", "kneel"})
_STEMS = {"leaves": "leaf", "wolves": "wolf", "knives": "knife", "men": "man", "women": "woman", "children": "child"}


@lru_cache(maxsize=1 << 16)
def content_words(text: str) -> frozenset[str]:
    """The words of a text that carry content, in their plain form. Of a text that has none, all its words."""
    words = [re.sub(r"['\u2019]s$", "", word) for word in _WORD.findall(text.lower())]
    return frozenset(stem(word) for word in words if word not in _EMPTY) or frozenset(words)


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """smiles, smiling, smiled -> smile; rabbits -> rabbit."""
    if word in _STEMS:
        return _STEMS[word]
    for forms in (THIRD, GERUND, PAST):
        if word in forms:
            return forms[word]
    if word in BASES or not is_plural(word):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("shes", "ches", "xes", "sses")) else word[:-1]


def near_duplicates(a: str, b: str) -> bool:
    """Whether two texts say about the same: most content words are shared, or one says all that the other says."""
    words_a, words_b = content_words(a), content_words(b)
    shared = len(words_a & words_b)
    if shared == 0 or _differently_coloured(words_a, words_b):
        return False
    smaller, union = min(len(words_a), len(words_b)), len(words_a | words_b)
    return shared / union >= 0.6 or (smaller >= 2 and shared / smaller >= 0.75) or shared == smaller == 1 == union


def covers(a: str, b: str) -> bool:
    """Whether who saw `b` could take it for `a`: a near duplicate, or the same subject doing the same."""
    if near_duplicates(a, b) or content_words(a) <= content_words(b):
        return True
    parsed_a, parsed_b = parse(a), parse(b)
    if parsed_a.form != "clause" or parsed_b.form != "clause":
        return False
    head, subject = subject_head(parsed_a.subject), content_words(parsed_a.subject)
    words_b = content_words(b)
    if _differently_coloured(content_words(a), words_b):
        return False
    if head not in words_b:
        return False
    if parsed_a.base in _POSTURES and len(content_words(a) - subject - {parsed_a.base}) <= 2:
        return True
    return parsed_a.base in words_b and len(content_words(a) - {head, parsed_a.base}) < 2


def _differently_coloured(words_a: frozenset[str], words_b: frozenset[str]) -> bool:
    """Whether both name colours and no common one: a red circle is no blue circle."""
    colours_a, colours_b = words_a & _COLOURS, words_b & _COLOURS
    return bool(colours_a and colours_b) and not colours_a & colours_b


@lru_cache(maxsize=1 << 14)
def subject_head(subject: str) -> str:
    """The noun a subject is about: "a flying squirrel" -> squirrel, "a log wrapped in vines" -> log."""
    words = [plain(word) for word in subject.split(" ")]
    head = words[0]
    for i, word in enumerate(words):
        participle = i > 1 and (word in PAST or word in GERUND) and words[i - 1] not in DETERMINERS
        if word in PREPOSITIONS | CONJUNCTIONS or (participle and i + 1 < len(words)):
            break
        head = word
    return stem(re.sub(r"['\u2019]s$", "", head))
