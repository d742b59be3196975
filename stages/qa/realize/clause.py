"""The one form of sentence that is turned into a question: "The red circle bounces" -> "does the red circle bounce".

Only where no doubt is left: an article, at most two adjectives of a list, a noun, a verb of a list in the simple
present, and at most one adverbial of a few words. Everything else is quoted.
"""

import re
from functools import lru_cache

_ADJECTIVES = (
    "red|green|blue|yellow|orange|purple|pink|black|white|grey|gray|brown|big|small|large|little|old|young|tall"
)
_PLUS_S = """blink bounce climb close cook cry dance dig draw drink drive drop eat enter fall grow jump kick land laugh
leave lift open paint peel pour read ride roll run shake shout sing sit sleep slide smile spin stand start stop swim
turn walk wave write"""
_PLUS_ES = "brush catch cross finish push reach splash stretch touch wash watch"
_VERBS = {f"{verb}s": verb for verb in _PLUS_S.split()} | {f"{verb}es": verb for verb in _PLUS_ES.split()}
_CLAUSE = re.compile(
    rf"^(?P<subject>(?:the|an?) (?:(?:{_ADJECTIVES}) ){{0,2}}[a-z]+) (?P<verb>{'|'.join(_VERBS)})"
    r"(?P<rest>(?: (?:from|to|at|in|on|into|onto|over|through|across|along) the [a-z]+(?: [a-z]+)?)?"
    r"|(?: (?:the|an?) [a-z]+)?)$"
)
_NO_NOUN = re.compile(r" (?:and|or|who|that|which|is|are|of|to|not)\b")


@lru_cache(maxsize=1 << 14)
def inverted(text: str) -> str | None:
    """Returns the sentence as it follows "When" in a question; None where its form is not certain."""
    found = _CLAUSE.match(text[:1].lower() + text[1:])
    if found is None or _NO_NOUN.search(found["rest"]) or found["subject"].endswith("s"):
        return None
    return f"does {found['subject']} {_VERBS[found['verb']]}{found['rest']}"
