"""Derives the terms of a corpus from the licences of its videos and annotations, which are free text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

# Identifiers that the Hugging Face hub knows, by the letters and digits of how people write them.
_HUB = """apache-2.0 mit cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
pddl odc-by odbl gpl-3.0 agpl-3.0 bsd-3-clause unlicense"""
_KNOWN = {re.sub(r"[^a-z0-9]", "", name): name for name in _HUB.split()}
_KNOWN |= {"cc0": "cc0-1.0", "creativecommonszero": "cc0-1.0", "apache2": "apache-2.0"}
_LONG = [
    ("creative commons", "cc"),
    ("attribution", "by"),
    ("noncommercial", "nc"),
    ("sharealike", "sa"),
    ("noderivatives", "nd"),
    ("noderivs", "nd"),
    ("international", ""),
    ("unported", ""),
]
_SHARE_ALIKE = re.compile(r"(?<![a-z])(?:sa|[al]?gplv?|odbl|gfdl)(?![a-z])|copyleft")
_NON_COMMERCIAL = re.compile(
    r"(?<![a-z])nc(?![a-z])|not? for commercial|research (?:use |purposes )?only|only for research"
)
_NO_DERIVATIVES = re.compile(r"(?<![a-z])nd(?![a-z])")


@dataclass(frozen=True)
class Terms:
    """Holds the combined terms of a set of licences.

    Attributes:
        identifier: identifier of the licence on the Hugging Face hub; "other" if the licences differ or are unknown
            there.
        share_alike: licences that require the same licence for copies and derivatives.
        non_commercial: licences that forbid commercial use.
        no_derivatives: licences that forbid publishing derivatives.
        unknown: whether a licence is missing.
    """

    identifier: str
    share_alike: tuple[str, ...]
    non_commercial: tuple[str, ...]
    no_derivatives: tuple[str, ...]
    unknown: bool


def terms_of(licences: Iterable[str | None]) -> Terms:
    """Combines licences, each as people write it ("CC BY-SA 4.0"); None or "" means that there is none."""
    given = [(licence or "").strip() for licence in licences]
    named = sorted({licence for licence in given if licence})
    known = {identifier_of(licence) for licence in named}
    unknown = "" in given or not named
    return Terms(
        identifier=known.pop() if len(known) == 1 and not unknown else "other",
        share_alike=tuple(name for name in named if _SHARE_ALIKE.search(_words(name))),
        non_commercial=tuple(name for name in named if _NON_COMMERCIAL.search(_words(name))),
        no_derivatives=tuple(name for name in named if _NO_DERIVATIVES.search(_words(name))),
        unknown=unknown,
    )


@lru_cache(maxsize=1 << 12)
def share_alike(licences: tuple[str | None, ...]) -> tuple[str, ...]:
    """Returns those licences that require the same licence for derived works."""
    return terms_of(licences).share_alike


def identifier_of(licence: str) -> str:
    """Returns the hub's identifier of a licence, or "other"."""
    return _KNOWN.get(re.sub(r"[^a-z0-9]", "", _short(licence)), "other")


def _words(licence: str) -> str:
    """Returns the words of a licence as written, followed by those of its identifier, since people leave out blanks."""
    return f"{_short(licence)} {identifier_of(licence).replace('-', ' ')}"


def _short(licence: str) -> str:
    """Shortens "Creative Commons Attribution-ShareAlike 4.0" to "cc by sa 4.0"."""
    text = re.sub(r"[-_/() ]+", " ", licence.lower()[:300])
    text = (
        text.replace("non commercial", "noncommercial")
        .replace("share alike", "sharealike")
        .replace("no deriv", "noderiv")
    )
    for long, short in _LONG:
        text = text.replace(long, short)
    return " ".join(text.replace(" license", "").replace(" licence", "").split())
