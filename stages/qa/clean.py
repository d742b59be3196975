"""Turns what an annotator wrote into sentences that can be quoted: no times, no talk of the camera, no marks.

" #C C then picks the cup at 12 seconds!! The camera pans." -> ["the camera wearer picks the cup"]
"""

import re
from functools import lru_cache

_NARRATOR = [
    (re.compile(r"#\s?[Cc]\s+C\b|(?<![\w#])#\s?C\b|^C(?= [a-z]+s\b)"), "the camera wearer"),
    (re.compile(r"#\s?[Oo]\b|#\s?summary\b", re.I), ""),
]
_UNSURE = re.compile(r"#\s?unsure", re.I)
_TIME = r"\d+(?::\d\d){0,2}(?:\.\d+)?\s?(?:s|sec|secs|seconds|m|min|mins|minutes)?"
_CLOCK = r"\d+(?::\d\d){1,2}|\d+(?:\.\d+)?\s?(?:s|secs?|seconds|mins?|minutes)\b"
_TIMES = re.compile(
    rf"[,(]?\s*\b(?:(?:between|from)\s+{_TIME}\s*(?:and|to|until|-)\s*(?:{_CLOCK})|"
    rf"(?:at|after|by|until|around|starting at|from)\s+(?:about\s+|around\s+)?(?:{_CLOCK})"
    r"(?:\s+(?:mark|in|into the video))?)"
    r"\s*[,):]?",
    re.I,
)
_LINK = re.compile(
    r"^(?:(?:and|then|next|finally|lastly|afterwards?|after that|after this|first|firstly|at first|in the end|"
    r"at the end|to begin|in the beginning|at the beginning|eventually|suddenly|again|meanwhile|also|now)\b,?\s+)+",
    re.I,
)
_INNER_LINK = re.compile(r"(?<=\w) (?:then|also|finally|next) (?=[a-z])")
_SHOWN = re.compile(
    r"^(?:(?:the|this|a) (?:video|clip|footage|scene|shot|film|movie|frame)|we|you|there)\s+"
    r"(?:(?:then |first |also |can )*"
    r"(?:shows?|see|sees|starts? with|begins? with|opens? with|ends? with|watch|features))"
    r"(?: (?:us|that))?\s+",
    re.I,
)
_CAMERA = re.compile(
    r"^(?:the )?(?:camera|view|screen|shot|video|scene|footage|image|frame)\b(?! (?:wearer|man|crew)).*"
    r"\b(?:pans?|zooms?|cuts?|fades?|follows?|moves?|shifts?|switch\w*|changes?|transitions?|ends?|focus\w*)\b",
    re.I,
)
_NO_EVENT = re.compile(
    r"^\W*(?:(?:background |instrumental |upbeat |soft |intro(?:ductory)? |outro )?"
    r"music(?: (?:plays|playing|is playing))?|intro|outro|introduction|applause|laughter|silence|credits|end credits|"
    r"title|titles|title (?:card|screen)|logo|subscribe|"
    r"thanks for watching|n/?a|none|null|nothing|unknown|inaudible|no description)\W*$",
    re.I,
)
_SENTENCE = re.compile(
    r"(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?…。！？])\s+(?=[\"“'‘(A-Z0-9À-Ý])|\n+"
)
_BEFORE_VOWEL = re.compile(r"\b([Aa])(?= (?!one\b|once\b|eu|ewe)[aeio]\w{2})")
_CAPITAL_INSIDE = re.compile(
    r"(?<=, )(?:The|A|An|He|She|They|It|There|In|Then|Two|His|Her|Another|One|We|And|But)(?= [a-z])"
)
_SHOUTED = re.compile(r"\b[A-Z]{2,}(?: [A-Z]{2,})+\b")
_PRONOUN = re.compile(r"^(?:he|she|they|it|him|her|them|his|their|its|this|that|these|those|one|another one)\b", re.I)


@lru_cache(maxsize=1 << 14)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text that tell of an event, each without its full stop; none where it tells of nothing."""
    if _UNSURE.search(text):
        return ()
    cleaned = (clean(part) for part in _SENTENCE.split(text[:4096]))
    return tuple(part for part in cleaned if part)


def clean(sentence: str) -> str:
    """One sentence as it can be quoted, or "" where it is no event."""
    text = " ".join(sentence.replace("\u201c", "'").replace("\u201d", "'").replace('"', "'").split())
    for pattern, word in _NARRATOR:
        text = pattern.sub(word, text)
    text = _TIMES.sub(" ", text)
    text = " ".join(text.split()).strip(" ,;:-\u2013*\u2022")
    if _CAMERA.match(text) or _NO_EVENT.match(text):
        return ""
    text = _LINK.sub("", _SHOWN.sub("", _LINK.sub("", text)))
    text = _INNER_LINK.sub(" ", text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", text).rstrip(" .!?…,;:。").strip()
    if sum(map(str.isalpha, text)) < 2 or _NO_EVENT.match(text):
        return ""
    text = _BEFORE_VOWEL.sub(r"\1n", text)
    text = _CAPITAL_INSIDE.sub(lambda found: found[0].lower(), text)
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 3 and sum(c.isupper() for c in letters) > 0.6 * len(letters):
        text = text.lower()
    text = _SHOUTED.sub(lambda found: found[0].title(), text)
    return text[:1].upper() + text[1:]


def says_who(text: str) -> bool:
    """Whether a sentence can be understood alone: it does not begin with a pronoun whose name another sentence has."""
    return not _PRONOUN.match(text)
