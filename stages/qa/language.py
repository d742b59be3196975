"""The language of a video's annotation, detected once per video: single captions are too short for it."""

import re
from collections.abc import Sequence

from stages.qa.spelling import are_english

_CHARS, _MIN_LETTERS, _SURE = 800, 60, 0.95
_ENGLISH_WORDS = "a an the and is are of to in on with from for it his her their he she they at as then while into"
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_ENGLISH_SHARE, _SURE_SHARE = 0.15, 0.3
_WORD = re.compile(r"[^\W\d_]+")


def language_of(texts: Sequence[str]) -> str:
    """Returns the ISO 639-1 code of the language of most texts; "" where there is too little to tell.

    A few short captions in plain English ("a man sings a song") are too little for the detector, which then guesses;
    their small words tell it.
    """
    joined = ". ".join(" ".join(text.split())[:200] for text in texts[:20])[:_CHARS]
    words = _WORD.findall(joined.lower())
    if not words:
        return ""
    # "On" and "a" are French as well.
    least = _ENGLISH_SHARE if "".join(words).isascii() else _SURE_SHARE
    if sum(word in _ENGLISH for word in words) >= least * len(words):
        return "en"
    if joined.isascii() and sum(map(len, words)) < _MIN_LETTERS:
        return ""
    if joined.isascii() and are_english(words):
        return "en"  # hundreds of times as fast as the detector
    import langdetect  # which commands do not need

    langdetect.DetectorFactory.seed = 0  # it draws samples
    try:
        best = langdetect.detect_langs(joined)[0]
    except langdetect.LangDetectException:
        return ""
    return str(best.lang).partition("-")[0] if best.prob >= _SURE or not joined.isascii() else ""
