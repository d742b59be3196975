"""Misspellings in English captions: mended where one word alone can be meant, otherwise found, so that none is quoted.

The words are those of `pyspellchecker`, which has no misspellings among them, but few British spellings, foods, sports
and compounds.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from string import ascii_lowercase

# What is meant where other words are as near to the misspelled one, or none is.
_TABLE = """alot:a-lot aound:around arent:aren't balde:blade begings:begins borads:boards boullion:bouillon
brocolli:broccoli cant:can't celatin:gelatin chedar:cheddar choped:chopped couldnt:couldn't didnt:didn't
doesnt:doesn't dont:don't eachother:each-other exersise:exercise fixe:fix flys:flies foward:forward garram:garam
gaurd:guard hasnt:hasn't havent:haven't infront:in-front inot:into isnt:isn't mozerella:mozzarella
mozzeralla:mozzarella oilive:olive parsely:parsley peice:piece peices:pieces placce:place potaoe:potato potatoe:potato
potatos:potatoes realy:really restaraunt:restaurant restraunt:restaurant scoups:scoops screan:screen serated:serrated
shouldnt:shouldn't sitr:stir sitts:sits stiring:stirring thats:that's theres:there's theyre:they're thier:their
thorugh:through tbls:tbsp tomatos:tomatoes tumeric:turmeric untill:until utencil:utensil utencils:utensils
vegins:begins vehical:vehicle vinager:vinegar wasnt:wasn't wouldnt:wouldn't youre:you're"""
WORDS = {wrong: right.replace("-", " ") for wrong, right in (pair.split(":") for pair in _TABLE.split())}
# Right words that the list lacks, without their endings.
_MORE = """airfryer app backflip backsplash banh basmati bibimbap biryani bmx boba bok bokeh bruschetta bulgogi burpee
cafe cannellini capoeira ceviche chaat chana cheque chipotle choy ciabatta cornhole crostini crouton crudite dal dashi
deadlift declutter desi devein djembe dodgeball doneness dosa edamame emoji etouffee facetime fava flowy galbi garam
gochujang gopro gruyere guanciale habanero halloumi hijab hoisin hollandaise hoodie hoverboard instagram intro
jalapeno jitsu jiu kerb kettlebell kickflip kiteboard kitesurf kombu konbu livestream longboard maggi masala
mascarpone matcha muay nori outro pancetta paneer parkour pho pierogi pinata poblano porcini posole quinoa rearview
roti rotini saute sauteed sauteing segway selfie shaoxing shiitake shotput skatepark slackline slowmo smartphone
souvlaki sriracha summarise taekwondo tbsp tikka tiktok timelapse tsp tzatziki udon unboxing videographer vlog
vlogger wakeboard webcam wifi yuzu zongzi zumba"""
_MORE_WORDS = frozenset(_MORE.split())
_ENDINGS = ("", "s", "es", "ed", "d", "ing", "er", "ers")
_LEAST_FREQUENT = 200
# So much more often than the next word that is as near.
_STANDS_OUT = 10
_LEAST_LETTERS = 6
# Both words of a compound are common and of four letters and more, or the last one is of this list, and neither is a
# small word: "eachother" is none.
_COMMON, _PART_LETTERS = 1000, 4
_SHORT_WORDS = "bag bar bed bin box cap car cup jar lid man men net pad pan pen pin pot rod set top tub"
_SHORT_ENDS = frozenset(_SHORT_WORDS.split())
_BRITISH = [
    (re.compile(pattern), american)
    for pattern, american in (
        (r"our", "or"), (r"is(?=e|i|a)", "iz"), (r"ys(?=e|i)", "yz"), (r"tre(?=s?$)", "ter"), (r"ogue", "og"),
        (r"ll(?=ed$|ing$|ers?$)", "l"), (r"ould", "old"), (r"ae", "e"), (r"oe", "e"), (r"ence(?=s?$)", "ense"),
        (r"amme(?=s?$)", "am"), (r"inium$", "inum"), (r"yjama", "ajama"), (r"ewellery$", "ewelry"), (r"eque", "eck"),
    )
]  # fmt: skip
_SMALL_WORDS = """back each every from have into many more much other over some than that their them then they this
very what when where which with your after before about"""
_SMALL = frozenset(_SMALL_WORDS.split())
# Words in lower case, and the first one of a text; nothing with digits, and no part of a name or an address.
_WORD = re.compile(r"(?<![\w'\u2019./@#&-])(?:^[A-Z])?[a-z]+(?:-[a-z]+)*(?![\w'\u2019@/])(?!\.\w)")
# One word each.
_PARTED = re.compile(
    r"\b(?:base ball|basket ball|bath room|bed room|checker board|counter top|dish washer|foot ball|key board|lap top"
    r"|pepper corn|skate board|snow board|sun glasses|surf board|tooth brush|tooth paste|volley ball"
    r"|wheel chair|meat ball|meat loaf|chop stick)(?=s?\b)",
    re.I,
)
_INTO = re.compile(r"\bin to(?= (?:the|an?|their|his|her|its|view|thin|small|pieces|slices)\b)")
_IDIOMS = [
    (re.compile(pattern, re.I), right)
    for pattern, right in (
        (r"\bback and fourth\b", "back and forth"),
        (r"\b(time) (lapse)(?= (?:video|footage|shot|clip|view|of)\b)", r"\1-\2"),
        (r"\b(in|to|from) (?=(?:Philippines|Netherlands|Maldives|Bahamas|United States|UK|USA)\b)", r"\1 the "),
        (r"\b(say|read|show)'s\b", r"\1s"),
        (r"\bnew (?=(?:Zealand|York|Delhi|Orleans|Jersey|Mexico)\b)", "New "),
        # Articles that one thing alone can have.
        (r"\b(there is|there's) (?=(?:bunch|crowd|flash|group|line|lot|pair|row) of\b)", r"\1 a "),
        (r"\bin (?=(?:bathtub|doorway|driveway|hallway)(?:$|,| (?:and|holding|with|while|as)\b))", "in a "),
        (r"\bon (?=(?:bed|couch|floor|sofa|table)(?:$|,| (?:and|with|while|as)\b))", "on the "),
        (r"\b(some|any|every)ones (?=[a-z])", r"\1one's "),
        (r"\bto julienne$", "into julienne strips"),
        (r"\bby hands(?=$|,| and\b)", "by hand"),
        (r"\b(on top) (?=(?:the|an?) )", r"\1 of "),
        (r"\ban (?=(?:it|they|he|she|then)\b)", "and "),
        # "Lays the towel down" has an object.
        (r"\b(l)ays(?= (?:down |back )?(?:on|in|under|across)\b| down(?: and\b|$))", r"\1ies"),
        (r"(?<!-)\b(l)aying(?= (?:down |back )?(?:on|in|under|across|there)\b| down$)", r"\1ying"),
        (r"^(pour (?:[a-z]+ ){1,6})(?<!up )to (?=(?:an?|the) (?:[a-z]+ )?(?:bowl|cup|flask|glass|jar|pan|pot|wok)\b)",
         r"\1into "),
        (r"\b((?:few|many|several|two|three|four) (?:[a-z]+ )?wom)an\b", r"\1en"),
        (r"\b(meat) ?balls (?=mixture\b)", r"\1ball "),
        # One of what is counted as several.
        (r"\b((?:both|all)(?: of)?(?: the| these)? (?:egg|ingredient|noodle|onion|potato|spice|topping|vegetable))"
         r"(?=$|,| (?:and|in|into|to|on|onto|together|with|for|until|well|from|out)\b)", r"\1s"),
        (r"^((?:add|chop|clean|combine|cut|dry|gather|marinate|mix|mix seasoning in|prepare|season|slice|wash)"
         r" (?:ingredient|vegetable))(?=$|,| (?:and|in|into|to|on|onto|with|from)\b)", r"\1s"),
        (r"(?<![/.\d])\b((?:[2-9]|1\d|\d+ \d/\d|two|three|four|five|six|eight)"
         r" (?:cup|gram|ounce|pound|tablespoon|teaspoon))(?= of\b)", r"\1s"),
    )
]  # fmt: skip
_DISPOSE = re.compile(r"\b(dispos(?:e|es|ed|ing)) (?!(?:of|and|or|in|into|at|by|from|to|on)\b|\w+ly\b)(?=\w)", re.I)
_PART = re.compile(r"[A-Za-z][a-z]*")
_LETTERS = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_VOWELS = "aeiou"


def spelled(text: str) -> str:
    """Returns a text with its common misspellings mended; a capital stays one."""
    text = _INTO.sub("into", text)
    for pattern, right in _IDIOMS:
        text = pattern.sub(right, text)
    text = _DISPOSE.sub(r"\1 of ", _PARTED.sub(lambda found: found[0].replace(" ", ""), text))
    return _WORD.sub(lambda found: _PART.sub(lambda part: _mended(part[0]), found[0]), text)


def misspelled(text: str) -> str:
    """Returns the first word of a text that no list has, "" where there is none.

    A capital inside the text begins a name, which may be any; the one at its beginning tells nothing.
    """
    parts = (part for found in _WORD.findall(text) for part in found.split("-") if len(part) > 2)
    return next((part for part in parts if not _is_word(part.lower())), "")


def is_english(text: str) -> bool:
    """Returns whether most words of a text are English ones."""
    words = [word for word in _LETTERS.findall(text.lower()) if len(word) > 1]
    return 3 * sum(map(_is_word, words)) >= 2 * len(words)


def are_english(words: Iterable[str]) -> bool:
    """Returns whether all words, in lower case, are English ones; those of one or two letters are in any language."""
    return all(len(word) < 3 or _is_word(word) for word in words)


def load() -> None:
    """Loads the list of words now, for processes that are forked from this one."""
    _frequencies()


@lru_cache(maxsize=1)
def _frequencies() -> dict[str, int]:
    """How often each English word occurs in the list's source; at least 50."""
    from spellchecker import SpellChecker  # its list takes a tenth of a second and 40 MB, which commands do not need

    return dict(SpellChecker(distance=1).word_frequency.dictionary)


@lru_cache(maxsize=1 << 14)
def _mended(word: str) -> str:
    lower = word.lower()
    right = WORDS.get(lower) or (lower if len(lower) < _LEAST_LETTERS or _is_word(lower) else _meant(lower))
    return right[:1].upper() + right[1:] if word[:1].isupper() else right


def _meant(word: str) -> str:
    """The frequent word that is a letter away, where it stands out among all that are; else the word itself."""
    known = _frequencies()
    near = {other: known[other] for other in _one_letter_away(word) if known.get(other, 0) >= _LEAST_FREQUENT}
    [first, second] = [*sorted(near, key=lambda other: -near[other]), "", ""][:2]
    stands_out = first and (not second or near[first] >= _STANDS_OUT * near[second])
    return first if stands_out and _is_slip(word, first) else word


def _is_slip(word: str, right: str) -> bool:
    """Whether a word of six letters and more has one too many, one too few, two changed about or a wrong vowel.

    The first letter stays. Other consonants make other words: "masala" is no "marsala", nor "Pilates" pirates.
    """
    if len(right) < _LEAST_LETTERS or word[0] != right[0] or right.endswith("'s"):
        return False
    changed = [(a, b) for a, b in zip(word, right, strict=False) if a != b]
    is_same_length = len(word) == len(right)
    return not is_same_length or len(changed) == 2 or all(a in _VOWELS and b in _VOWELS for a, b in changed)


def _one_letter_away(word: str) -> set[str]:
    """What one letter more, less, other or changed about with the next makes of a word."""
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    more = {before + letter + after for before, after in parts for letter in ascii_lowercase}
    other = {before + letter + after[1:] for before, after in parts if after for letter in ascii_lowercase}
    less = {before + after[1:] for before, after in parts if after}
    turned = {before + after[1] + after[0] + after[2:] for before, after in parts if len(after) > 1}
    return (more | other | less | turned) - {word}


@lru_cache(maxsize=1 << 16)
def _is_word(word: str) -> bool:
    known = _frequencies()
    stems = (word.removesuffix(ending) for ending in _ENDINGS)
    if word in known or any(stem in _MORE_WORDS for stem in stems):
        return True
    if word.startswith("re") and len(word) > _LEAST_LETTERS and word[2:] in known:
        return True
    if any(pattern.sub(american, word) in known for pattern, american in _BRITISH):
        return True
    parts = ((word[:at], word[at:]) for at in range(_PART_LETTERS, len(word) - 2))
    return any(
        min(known.get(first, 0), known.get(last, 0)) >= _COMMON
        and (len(last) >= _PART_LETTERS or last in _SHORT_ENDS)
        and not {first, last} & _SMALL
        for first, last in parts
    )
