"""Whether two event texts may tell of the same thing: by the words that carry content.

Without a model on purpose: a rule that a reader can follow, and the same on every machine.
"""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:[-:.\u2019'][^\W_]+)*")
_EMPTY_WORDS = """a an the this that these those his her its their my our your some several many another each every no
both all one he she it they we i you who someone somebody something him them
about above across after against along among around at before behind below beneath beside between beyond by down
during for from in inside into like near of off on onto out outside over past through to toward towards under up
upon with within without and or but then while as because which where when so also again together just now
is are was were be been am has have had do does did will would can could not there here it's i'm what being
continue continues start starts begin begins"""
# Who and what: a place may only be left out after them.
LEAST_CORE = 2
# Of the words of who does what: two of three, such as all but a number.
_MOSTLY = 0.66
_EMPTY = frozenset(_EMPTY_WORDS.split())
# Where something is done, up to the next clause.
_PLACE = re.compile(
    r"\s(?:alone|(?:in|in front of|next to|close to|on|at|through|over|under|along|across|among|by|near|beside|behind"
    r"|before|above|below|inside|outside|into|onto|towards?|from|against|between|around|past"
    r"|to(?= (?:the|an?|his|her|its|their) ))\s.*?)"
    r"(?=,| and | while | as | \w{2,}ing\b|$)"
)
_COLOUR_WORDS = "red green blue yellow orange purple pink black white grey gray brown golden silver"
# What may be in any video without being told.
_ANYWHERE_WORDS = f"""man men woman women male female person people boy girl lady guy child kid baby group crowd player
friend team camera wearer video screen title word sentence picture speak talk say tell explain discuss smile laugh walk
run stand sit look watch see show appear display hold wear hand arm leg foot finger face head body hair shirt clothes
upper lower front back side top end way place room floor ground wall table window door outside inside other different
various large small big little long short new old young first next last many few use do make get go come take put move
turn stop finish add however finally {_COLOUR_WORDS}"""
_IRREGULAR = {
    "leaves": "leave", "wolves": "wolf", "knives": "knife", "men": "man", "women": "woman", "children": "child",
    "people": "person", "feet": "foot", "teeth": "tooth", "mice": "mouse", "geese": "goose",
    "ran": "run", "sat": "sit", "stood": "stand", "took": "take", "held": "hold", "threw": "throw", "fell": "fall",
    "gray": "grey", "yogurt": "yoghurt",
    "went": "go", "gone": "go", "made": "make", "put": "put", "cut": "cut", "rode": "ride", "came": "come",
}  # fmt: skip


@lru_cache(maxsize=1 << 16)
def content_words(text: str) -> frozenset[str]:
    """Returns the words of a text that carry content, without endings. Of a text that has none, all its words."""
    words = [word[:-2] if word.endswith(("'s", "\u2019s")) else word for word in _WORD.findall(text.lower())]
    return frozenset(stem(word) for word in words if word not in _EMPTY) or frozenset(words)


@lru_cache(maxsize=1 << 16)
def same_words(text: str) -> tuple[str, ...]:
    """Returns what texts have in common that say the same in the same order: no articles, case and endings."""
    words = [stem(word) for word in _WORD.findall(text.lower()) if word not in ("a", "an", "the")]
    return tuple(words) or (text,)


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """Returns a word without the ending of a plural or a verb: smiles, smiling, smiled -> smil; berries -> berri."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            if ending in ("ing", "ed") and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
                word = word[:-1]
            return word[:-1] if word.endswith("e") and len(word) > 3 else word
    return word


_WORK = {
    stem(verb): row.split()[0]
    for row in (
        "clean wash rinse wipe",
        "cut slice chop dice mince",
        "put place set lay",
        "take grab get pick",
        "mix stir whisk combine blend",
        "cook fry saute heat boil",
        "peel skin",
        "check look inspect examine",
        "throw dispose discard trash",
    )
    for verb in row.split()
}
_COLOURS = frozenset(map(stem, _COLOUR_WORDS.split()))
_ANYWHERE = frozenset(map(stem, _ANYWHERE_WORDS.split()))


def step_of(text: str) -> tuple[str, ...]:
    """Returns the verb and the object of an instruction, "Roll out the dough with a pin" -> (roll, dough).

    () for a sentence that begins with an article, a pronoun or a number, so with a subject. Verbs that people use for
    the same work are one: "Clean hands" is "Wash hands".
    """
    words = [word for word in same_words(text) if word in content_words(text)]
    first = text.split()[0].lower() if text else ""
    has_subject = first in ("a", "an", "the") or first in _EMPTY or first[:1].isdigit()
    return () if has_subject or len(words) < 2 else (_WORK.get(words[0], words[0]), words[1])


@lru_cache(maxsize=1 << 17)
def near_duplicates(a: str, b: str) -> bool:
    """Returns whether two texts say about the same: most content words are shared, or one says all of the other."""
    words_a, words_b = content_words(a), content_words(b)
    shared = len(words_a & words_b)
    if shared == 0 or _name_other_colours(words_a, words_b):
        return False
    smaller, union = min(len(words_a), len(words_b)), len(words_a | words_b)
    return shared / union > 0.6 or shared == smaller >= 2 or (smaller >= 4 and shared / smaller > 0.75)


@lru_cache(maxsize=1 << 16)
def core_words(text: str) -> frozenset[str]:
    """Returns the content words without those of a place: "the rabbit smiles on the meadow" -> rabbit, smil."""
    for found in _PLACE.finditer(text):
        if len(content_words(text[: found.start()])) >= LEAST_CORE:
            return core_words(text[: found.start()] + text[found.end() :])
    return content_words(text)


def telling_words(text: str) -> frozenset[str]:
    """Returns the words of who does what, but for those of what may be seen in any video."""
    return core_words(text) - _ANYWHERE


@lru_cache(maxsize=1 << 16)
def holds_of(text: str, other: str) -> bool:
    """Returns whether what a text says, but for where, may be true of what another text tells of as well."""
    core, others = core_words(text), content_words(other)
    return len(core) >= LEAST_CORE and core <= others and not differ_in_colour(text, other)


@lru_cache(maxsize=1 << 16)
def are_similar(text: str, other: str) -> bool:
    """Returns whether one of two texts tells most of what the other says, but for where.

    What one shows may be taken for the other: "the three rodents look at the sky", "the rodents look up".
    """
    shared = len(content_words(text) & content_words(other))
    return shared >= LEAST_CORE and (_mostly_holds_of(text, other) or _mostly_holds_of(other, text))


def _mostly_holds_of(text: str, other: str) -> bool:
    core = core_words(text) - _COLOURS
    shared = len(core & content_words(other))
    return shared >= LEAST_CORE and shared >= _MOSTLY * len(core) and not differ_in_colour(text, other)


def differ_in_colour(a: str, b: str) -> bool:
    """Returns whether two texts name colours and no common one."""
    return _name_other_colours(content_words(a), content_words(b))


def _name_other_colours(words_a: frozenset[str], words_b: frozenset[str]) -> bool:
    """Whether both name colours and no common one: a red circle is no blue circle."""
    colours_a, colours_b = words_a & _COLOURS, words_b & _COLOURS
    return bool(colours_a and colours_b) and not colours_a & colours_b
