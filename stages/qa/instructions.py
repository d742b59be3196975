"""Steps that say what somebody does without saying who, "Adds water", as the instructions that others of them are."""

from collections.abc import Sequence
from functools import lru_cache

from stages.qa.lexicon import Form, form_of, tokens
from stages.qa.small_words import ARTICLES, FINITE, PERSONS, PRONOUNS

# Verbs in "-s" that begin a step; no plurals that may begin a sentence, such as "guests" or "words".
_STEP_WORDS = """adds boils checks chops cleans closes connects cooks cuts dices drains drinks dries fills fries
gathers gets goes grates grills heats kneads marinates measures mixes moves opens operates peels picks places pours
prepares presses puts regulates removes repeats rinses seasons serves sets slices spreads sprinkles stirs takes tears
throws turns uses washes wipes"""
_STEPS = frozenset(_STEP_WORDS.split())
_KITCHEN_WORDS = """bowl bread butter cheese cooker countertop dough egg eggs flour fridge garlic grill meat microwave
milk oil onion onions oven pan plate pot refrigerator rice salt sauce seasoning sink soup spice stove sugar table tomato
tomatoes utensil utensils vegetable vegetables water"""
_KITCHEN = frozenset(_KITCHEN_WORDS.split())


def in_small_letters(text: str) -> str:
    """Returns an instruction with common nouns of a kitchen in lower case: "Remove Rice from the Microwave"."""
    words = text.split(" ")
    if not form_of(words[0].lower()) & Form.BASE:
        return text
    for at in range(1, len(words)):
        # Of a name, two words have capitals: "Rice Krispies", "Big Pan".
        is_alone = (at == 1 or words[at - 1].islower()) and not (words[at + 1 : at + 2] or [""])[0][:1].isupper()
        if is_alone and words[at].lower() in _KITCHEN:
            words[at] = words[at].lower()
    return " ".join(words)


def told_as_most(texts: Sequence[str]) -> list[str]:
    """Returns the captions of a video as most of them are: "Adds water" is "Add water" beside other instructions.

    Empty is what is told in another way than most are: an instruction among sentences with a subject, and a form in
    "-ing" among either.
    """
    with_subjects = 2 * sum(map(_is_statement, texts)) > len(texts)
    with_gerunds = 2 * sum(map(_is_gerund, texts)) >= len(texts)
    shown: list[str] = []
    for text in texts:
        told = as_instruction(text)
        is_other = with_subjects and (told != text or _is_instruction(text))
        shown.append("" if is_other or (_is_gerund(text) and not with_gerunds) else told)
    return shown


def as_instruction(text: str) -> str:
    """Returns "Adds water and stirs" as "Add water and stir".

    Any other text, and one of which a verb is not certain, is returned as it is.
    """
    words = text.split()
    lower = [word.lower().strip(",;") for word in words]
    if len(words) < 2 or lower[0] not in _STEPS or lower[1] in ("of", "and", "or") or not FINITE.isdisjoint(lower):
        return text
    places = [0]
    for at in range(2, len(words)):
        form = form_of(lower[at])
        if not form & Form.THIRD or lower[at - 1] in ARTICLES:
            continue
        is_step = lower[at - 1] in ("and", "then") or words[at - 1].endswith(",")
        if is_step and (lower[at] in _STEPS or not form & Form.NOUN or lower[at + 1 : at + 2] in (["a"], ["the"])):
            places.append(at)
        elif not form & Form.NOUN:
            return text
    return " ".join(_base(word) if at in places else word for at, word in enumerate(words))


def _is_instruction(text: str) -> bool:
    """Whether a caption surely begins with the verb of an instruction: "Get out a knife", not "Rain falls"."""
    first = tokens(text)[0]
    form = form_of(first)
    return bool(form & Form.BASE) and (not form & (Form.NOUN | Form.ADJECTIVE) or first in _base_forms())


def _is_gerund(text: str) -> bool:
    """Whether a caption surely names what goes on by a form in "-ing": "Making bread"."""
    return form_of(tokens(text)[0]) == Form.ING and "," not in text


def _is_statement(text: str) -> bool:
    first = tokens(text)[0]
    return first in ARTICLES | PERSONS | PRONOUNS or not form_of(first) & (Form.BASE | Form.THIRD)


@lru_cache(maxsize=1)
def _base_forms() -> frozenset[str]:
    return frozenset(map(_base, _STEPS))


def _base(verb: str) -> str:
    """Returns a verb in "-s" without it: "washes" -> "wash", "dices" -> "dice", "fries" -> "fry"."""
    lower, mark = verb.lower().rstrip(",;"), verb[len(verb.rstrip(",;")) :]
    candidates = (lower.removesuffix("ies") + "y", lower.removesuffix("es"), lower.removesuffix("s"))
    base = next(c for c in candidates if c != lower and (form_of(c) & Form.BASE or c == lower[:-1]))
    return (base.capitalize() if verb[0].isupper() else base) + mark
