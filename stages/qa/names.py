"""Whether a sentence names whom and what it tells of, so that it can be understood alone."""

import re
from functools import lru_cache

_PRONOUN = re.compile(
    r"^(?:continu(?:e|es|ing)|he|she|they|it|him|her|them|his|their|its|this|that|these|those|one|another one)\b", re.I
)
_PARTICLE = "around|at|away|back|down|from|in|into|off|on|onto|out|over|through|to|towards?|up|with"
# "A person puts it on a table", "Stir it", "Add chickpeas to it": another sentence tells what.
_NO_OBJECT = re.compile(
    r"^(?:(?:(?:an?|the|some) )?(?:[a-z]+ )?(?:person|people|(?:camera)?m[ae]n|wom[ae]n|boys?|girls?|ladies|lady|guys?"
    r"|child|children|kids?|chef|cook|camera wearer) (?:(?:is|are|starts? to|begins? to|tries to) )?)?"
    rf"[a-z]+ (?:(?:(?:{_PARTICLE}) )?(?:it|them)\b"
    rf"|(?:(?:an?|the|some|his|her|their) )?(?:(?!and\b)[a-z]+ ){{1,2}}(?:{_PARTICLE}) (?:it|them)$)",
    re.I,
)


def says_who(text: str) -> bool:
    """Returns whether a sentence can be understood alone.

    It does not begin with a pronoun whose name another sentence has, nor tell that something goes on, nor what is done
    to an "it" without a noun before.
    """
    return not _PRONOUN.match(text) and not lacks_object(text)


@lru_cache(maxsize=1 << 14)
def lacks_object(text: str) -> bool:
    """Returns whether a sentence tells what is done to an "it" that another sentence names."""
    return _NO_OBJECT.match(text) is not None


def tells_another(text: str) -> bool:
    """Returns whether a sentence tells of somebody or something beside what others tell of: "Another man waves"."""
    return text.lower().startswith(("another ", "the other ", "other "))
