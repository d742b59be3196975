"""What a caption says of why its event happens: "The man falls because he slips on the ice".

Only where no doubt is left: one clause, one mark of a cause, one clause or phrase after it. All else is no cause.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from stages.qa.names import says_who

_MARK = re.compile(r",? (because(?: of)?|so that|in order to|due to) ", re.I)
# A clause more on either side leaves open what the cause is of, and a negation whether it holds.
_MORE = re.compile(
    r"[,;:()\"]|\b(?:and|or|but|while|when|as|if|then|so|since|until|which|who|that|not|never|no|without|because|due|now"
    r"|order|why|whether|almost|maybe|perhaps|probably|possibly|may|might|could|would|seems?|appears?|think|thinks)\b"
    r"|n['\u2019]t\b",
    re.I,
)
_CLAUSE = re.compile(
    r"(?:i|you|he|she|it|we|they|there|(?:the|an?|his|her|their|its|this|that|these|those|some|two|three|\w+['\u2019]s)"
    r" [a-z-]+)(?: [\w'\u2019-]+)+",
    re.I,
)
_OPEN_END = re.compile(
    r"\b(?:is|are|was|were|be|it|just|only|mainly|simply|mostly|partly|even|also|the|a|an|of|to)$", re.I
)
_LEAST_WORDS = 3


class Cause(NamedTuple):
    """Holds an event and what makes it happen, or what it is for."""

    effect: str
    """Without a full stop, as the sentence begins."""
    reason: str
    """With its mark: "because he slips on the ice"."""


@lru_cache(maxsize=1 << 14)
def cause_of(sentence: str) -> Cause | None:
    """Returns the cause that a cleaned sentence tells; None where it tells none, or not for certain."""
    found = list(_MARK.finditer(sentence))
    if len(found) != 1:
        return None
    mark, effect, reason = found[0][1].lower(), sentence[: found[0].start()], sentence[found[0].end() :]
    clauses = [effect] if _MORE.search(effect) is None else []
    is_whole = len(effect.split()) >= _LEAST_WORDS and not _OPEN_END.search(effect) and says_who(effect)
    if not clauses or not is_whole or _MORE.search(reason) or len(reason.split()) < 2:
        return None
    if mark in ("because", "so that") and not _CLAUSE.fullmatch(reason):
        return None
    return Cause(effect, f"{mark} {reason}")
