"""What kind of sentence an event's text is, and the forms a question needs of it.

A text that is surely a clause in the third person ("the rabbit smells white flowers") can stand after "when" and be
turned into a question ("does the rabbit smell white flowers"); a noun phrase ("a beach at dusk") stands after "we see";
whatever is neither is quoted. Wrong English is worse than a quotation: every rule here rather gives up.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from stages.qa.verbs import BASES, GERUND, NOUN_LIKE, PAST, THIRD, gerund

Form = Literal["clause", "phrase", "quote"]

_DETERMINERS = (
    "a an the this that these those his her its their my our your some several many another each every no both all"
)
_NUMBERS = "one two three four five six seven eight nine ten"
_PREPOSITIONS = """about above across after against along among around at before behind below beneath beside
between beyond by down during for from in inside into like near of off on onto out outside over past through to
toward towards under up upon with within without"""
_PRONOUNS = "he she it they we i you who someone somebody something everyone everything nobody nothing"
_ADJECTIVES = """red green blue yellow orange purple pink black white grey gray brown golden silver dark bright
big small little large tall short long old young new wooden flat wild high low open empty"""
_PLURALS = "people men women children mice geese feet teeth sheep police cattle"
_ADVERBS = "slowly quickly suddenly then also again together alone away still now just once twice back finally often"

DETERMINERS = frozenset(_DETERMINERS.split())
NUMBERS = frozenset(_NUMBERS.split())
PREPOSITIONS = frozenset(_PREPOSITIONS.split())
PRONOUNS = frozenset(_PRONOUNS.split())
ADJECTIVES = frozenset(_ADJECTIVES.split())
IRREGULAR_PLURALS = frozenset(_PLURALS.split())
ADVERBS = frozenset(_ADVERBS.split())
CONJUNCTIONS = frozenset({"and", "or", "but", "then", "while", "as", "because", "that", "which", "where", "when", "so"})
BE = {"is": "is", "are": "are"}
_SUBORDINATE = frozenset({"while", "as", "because", "that", "which", "who", "where", "when", "until", "if"})
_WORD = re.compile(r"[^\W_]+(?:[-'\u2019:.][^\W_]+)*(?:['\u2019](?=\s|$))?", re.UNICODE)
_SENTENCES = re.compile(r"[.!?\u2026]\s+\S")


@dataclass(frozen=True)
class Parsed:
    """A text and, where it is a clause, its parts: `subject` `verb` `rest` as written, `base` the verb's plain form."""

    form: Form
    text: str
    subject: str = ""
    verb: str = ""
    base: str = ""
    rest: str = ""

    @property
    def plural(self) -> bool:
        return self.form == "clause" and (self.verb == self.base or self.verb == "are")


def plain(word: str) -> str:
    """A word as it is looked up: small letters, no punctuation around it."""
    match = _WORD.search(word.lower())
    return match[0] if match else ""


@lru_cache(maxsize=1 << 14)
def parse(text: str) -> Parsed:
    """What kind of sentence a text is."""
    bare = text.strip().rstrip(".!\u2026 ")
    body = bare
    if not body or _SENTENCES.search(body) or '"' in body or len(body) > 300:
        return Parsed("quote", bare)
    words = body.split(" ")
    index = _verb_index(words)
    body = _decapitalise(body)
    words = body.split(" ")
    if index is None:
        noun_phrase = plain(words[0]) in DETERMINERS | NUMBERS and not _has_hidden_verb(words)
        return Parsed("phrase" if noun_phrase else "quote", body if noun_phrase else bare)
    verb = plain(words[index])
    if not _is_subject(words[:index], verb):
        return Parsed("quote", bare)
    base = THIRD.get(verb) or ("be" if verb in BE else verb)
    return Parsed("clause", body, " ".join(words[:index]), verb, base, " ".join(words[index + 1 :]))


def inverted(parsed: Parsed) -> str | None:
    """The clause as a question has it ("does the rabbit smell white flowers"), None where that is not safe."""
    if parsed.form != "clause":
        return None
    rest = _coordinated(parsed)
    if rest is None:
        return None
    if parsed.verb in BE:
        return f"{parsed.verb} {parsed.subject} {rest}".rstrip()
    return f"{'do' if parsed.plural else 'does'} {parsed.subject} {parsed.base} {rest}".rstrip()


def progressive(parsed: Parsed) -> str | None:
    """The predicate in -ing ("smelling white flowers"), None where that is not safe."""
    if parsed.form != "clause" or parsed.verb in BE or parsed.base == "have" or _coordinated(parsed) != parsed.rest:
        return None
    words = [plain(word) for word in parsed.rest.split(" ")]
    if parsed.plural and any(a == "and" and b in BASES for a, b in zip(words, words[1:], strict=False)):
        return None
    return f"{gerund(parsed.base)} {parsed.rest}".rstrip()


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def is_plural(word: str) -> bool:
    """Whether a noun looks plural."""
    return word in IRREGULAR_PLURALS or (
        len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is", "'s", "\u2019s"))
    )


def _decapitalise(text: str) -> str:
    first = text.split(" ", 1)[0]
    common = DETERMINERS | NUMBERS | PRONOUNS | PREPOSITIONS | ADJECTIVES | IRREGULAR_PLURALS
    return (
        text[:1].lower() + text[1:]
        if plain(first) in common - {"i"} and first[1:].islower() | (len(first) == 1)
        else text
    )


def _verb_index(words: list[str]) -> int | None:
    """Where the finite verb stands, None where there is none that is sure."""
    looked_up = [plain(word) for word in words]
    for i in range(1, min(len(words), 14)):
        word, before = looked_up[i], looked_up[i - 1]
        after = looked_up[i + 1] if i + 1 < len(words) else ""
        if word in ("that", "who", "which", "whose"):
            return None
        of_pronoun = i > 1 and looked_up[i - 2] in PRONOUNS  # "something small flies"
        if before in DETERMINERS | PREPOSITIONS | NUMBERS or (before in ADJECTIVES and not of_pronoun):
            continue
        if word in BE or word in ("has", "have"):
            return i
        if word in THIRD and not (word in NOUN_LIKE and (after in BASES or after in BE)):
            return i
        plural_before = is_plural(before) or before in ("they", "we", "you") or before in ADVERBS and i > 1
        if word in BASES and (plural_before or "and" in looked_up[:i]) and _noun_before(looked_up[:i]):
            return i
    return None


def _noun_before(looked_up: list[str]) -> bool:
    return any(is_plural(w) or w in PRONOUNS or w == "and" for w in looked_up)


def _is_subject(words: list[str], verb: str) -> bool:
    first = plain(words[0])
    if first in ("he", "she", "it", "they", "this", "these") and len(words) == 1:
        # Who that is, another sentence told.
        return False
    if first in DETERMINERS | NUMBERS | PRONOUNS or is_plural(plain(words[-1])) or verb in BASES or verb == "are":
        return first not in PREPOSITIONS
    # A name: "Anna opens the door", "Big Buck Bunny wakes up".
    return all(word[:1].isupper() for word in words) and len(words) <= 4 and (len(words) > 1 or first not in BASES)


def _has_hidden_verb(words: list[str]) -> bool:
    """Whether a word could be a verb that is not in our list: it ends in -s and what follows could be its object."""
    looked_up = [plain(word) for word in words]
    for i in range(1, len(words)):
        before, word = looked_up[i - 1], looked_up[i]
        after = looked_up[i + 1] if i + 1 < len(words) else ""
        candidate = is_plural(word) and before not in DETERMINERS | PREPOSITIONS | ADJECTIVES | NUMBERS
        if candidate and (after in DETERMINERS | PRONOUNS | ADVERBS or not after or after in PREPOSITIONS - {"of"}):
            return not (
                after == "" and (words[i - 1].endswith(",") or before in GERUND or before in PAST or before == "and")
            )
    return False


def _coordinated(parsed: Parsed) -> str | None:
    """The rest with verbs after "and" in the plain form that "does" asks for; None where another clause may follow."""
    words = parsed.rest.split(" ")
    out = list(words)
    for i, word in enumerate(words):
        if plain(word) in _SUBORDINATE:
            # Whose verb comes after "and" there, the main clause's or the other's? Only the reader knows.
            later = [plain(w) for w in words[i:]]
            return (
                None
                if any(a == "and" and b in THIRD for a, b in zip(later, later[1:], strict=False))
                else " ".join(out)
            )
        if not (plain(word) in ("and", "or", "but", "then") or word.endswith((",", ";"))):
            continue
        j = i + 1
        while j < len(words) and (plain(words[j]) in ADVERBS | {"and", "but"} or plain(words[j]).endswith("ly")):
            j += 1
        if j == len(words):
            break
        after = plain(words[j])
        if after in BE or after in ("has", "have") or after in PRONOUNS:
            return None
        if after in THIRD:
            if parsed.verb in BE:
                return None
            out[j] = words[j].lower().replace(after, THIRD[after], 1)
        elif _clause_follows([plain(w) for w in words[j : j + 6]]):
            return None
    return " ".join(out)


def _clause_follows(looked_up: list[str]) -> bool:
    """Whether words begin with a verb we don't know, or hold a subject with a verb of its own."""
    first, second = looked_up[0], looked_up[1] if len(looked_up) > 1 else ""
    if is_plural(first) and second in DETERMINERS:
        return True
    return any(
        word in BE or (word in THIRD and before not in DETERMINERS | PREPOSITIONS | ADJECTIVES)
        for before, word in zip(looked_up, looked_up[1:], strict=False)
    )
