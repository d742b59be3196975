"""Things that the texts of several events name: who or what comes back."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stages.qa.grammar import (
    ADJECTIVES,
    ADVERBS,
    BE,
    CONJUNCTIONS,
    DETERMINERS,
    NUMBERS,
    PREPOSITIONS,
    PRONOUNS,
    is_plural,
    plain,
)
from stages.qa.moment import Moment
from stages.qa.places import PLACES
from stages.qa.similarity import stem
from stages.qa.verbs import BASES, GERUND, PAST, THIRD
from stages.qa.video import Video

# Named in more than this share of the events, a thing is what the video is about: it is in view more often than told.
_MAIN_SHARE = 0.15
# So does who acts in more than this many of them.
_MAIN_ACTS = 3
_BODY = """arm back body ear eye face feather finger foot fur hair hand head leg mouth neck nose paw shoulder
tail tooth voice wing"""
_VAGUE = """air beginning camera close card credit edge end front frame ground hit view kind left light line lot
middle mark morning night one part piece place presentation right row scene screen shadow shot side something
thing title top video way background colour color distance movie project"""
# Always somewhere in the picture, and told of only where it matters.
_SCENERY = (
    """branch bush chair cloud door flower floor fruit leaf plant rock root stone table tree trunk twig wall window"""
)
_NEVER = frozenset(f"{_BODY} {_VAGUE} {_SCENERY}".split()) | PLACES.keys()
_ARTICLES = DETERMINERS - {"that", "this", "no"}
_BREAKS = PREPOSITIONS | CONJUNCTIONS | PRONOUNS | ADVERBS | frozenset(BE) | {"has", "have", "its", "their"}


@dataclass(frozen=True)
class Mention:
    """A noun phrase in a moment's text."""

    noun: str
    adjectives: tuple[str, ...]
    plural: bool
    article: str
    moment: Moment


def noun_mentions(video: Video) -> list[tuple[str, bool, list[Moment]]]:
    """Things named in several events, but not in most: (name, whether plural, the moments), sorted.

    Only things that are called the same each time, by an adjective and a noun ("a purple bird"): where names differ
    ("an apple", "the red apple", "fruits"), some mention of the thing goes by a name that is not seen to be one.
    """
    by_noun: dict[str, list[Mention]] = {}
    for moment in video.visual:
        for mention in mentions(moment):
            by_noun.setdefault(mention.noun, []).append(mention)
    found = []
    for noun, named in sorted(by_noun.items()):
        moments = list(dict.fromkeys(m.moment for m in named))
        share = len(moments) / max(1, len(video.visual))
        number = {m.plural for m in named}
        acts = sum(m.subject == noun for m in moments)
        if len(moments) < 2 or share > _MAIN_SHARE or acts > _MAIN_ACTS or len(number) != 1 or noun in _NEVER:
            continue
        if any(noun in scene.text.lower() for scene in video.scenes):
            continue
        shared = [a for a in named[0].adjectives if a in ADJECTIVES and all(a in m.adjectives for m in named)]
        if not shared:
            continue
        words = " ".join([*shared, _surface(named[0]) if named[0].plural else noun])
        article = "" if named[0].plural else ("an " if words[0] in "aeiou" else "a ")
        found.append((article + words, named[0].plural, moments))
    return found


def mentions(moment: Moment) -> Iterator[Mention]:
    """Noun phrases of a text that are so surely: an article or a known adjective before a word that is no verb."""
    words = [plain(re.sub(r"['\u2019]s$", "", w)) for w in moment.text.split(" ")]
    owners = [bool(re.search(r"['\u2019]s?[,.]?$", w)) for w in moment.text.split(" ")]
    ends = [w.endswith((",", ".", ";", ":")) for w in moment.text.split(" ")]
    i = 0
    while i < len(words):
        if words[i] not in _ARTICLES | ADJECTIVES:
            i += 1
            continue
        article = words[i] if words[i] in _ARTICLES else ""
        phrase: list[str] = []
        j = i + (1 if article else 0)
        while j < len(words) and words[j] and words[j] not in _BREAKS | DETERMINERS:
            if phrase and (words[j] in THIRD or words[j] in BASES) and phrase[-1] not in ADJECTIVES | NUMBERS:
                break
            if (
                phrase
                and (words[j] in PAST or words[j] in GERUND)
                and j + 1 < len(words)
                and words[j + 1] in _BREAKS | DETERMINERS
            ):
                break
            phrase.append(words[j])
            j += 1
            if owners[j - 1] or ends[j - 1]:
                break
        if phrase and article not in ("his", "her", "its", "their"):
            yield Mention(stem(phrase[-1]), tuple(phrase[:-1]), is_plural(phrase[-1]), article, moment)
        i = max(j, i + 1)


def _surface(mention: Mention) -> str:
    """The plural as the text has it."""
    return next(w for w in map(plain, mention.moment.text.split(" ")) if stem(w) == mention.noun)
