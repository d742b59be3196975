"""Decodes text files of unknown encoding, and only accepts an encoding for which there is evidence.

A mark at the start decides, then UTF-8, then UTF-8 with a few bad bytes. What is none of these is an old encoding. Few
of them can be told from the bytes alone, so the language in the file's name is asked first, and what two encodings
read in different ways, each as well as the other, is refused.
"""

import codecs
import re
from functools import cache

from stages.annotations.text import AnnotationError

DETECT = "detect"
DETECTED, REPAIRED = "encoding_detected", "invalid_utf8"  # flags of a video

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Legacy encodings, and the languages that are written in each.
_LANGUAGES = {
    "cp1252": "af ca da de en es eu fi fr ga gl id is it ms nb nl nn no pt sv sw",
    "cp1250": "bs cs hr hu pl ro sk sl sq sr",
    "cp1251": "be bg kk ky mk mn ru sr tg uk uz",
    "koi8_r": "ru",
    "koi8_u": "uk",
    "cp1253": "el",
    "cp1254": "az tr",
    "cp1255": "he iw yi",
    "cp1256": "ar fa ps ur",
    "cp1257": "et lt lv",
    "cp1258": "vi",
    "cp874": "th",
    "gb18030": "zh",
    "big5": "zh",
    "cp932": "ja",
    "euc_jp": "ja",
    "cp949": "ko",
}
ENCODINGS = (*_LANGUAGES, *(name for _, name in _MARKS))
# Letters beyond ASCII of languages in Latin script: the detector cannot distinguish these encodings.
_LATIN = {
    "cp1252": "äöüß àâæçéèêëîïôœùûüÿ áéíñóúü ãõáàâéêíóôúç àèéìòù åäöé æøåé áéíóúýþæðö ëïéèöü",
    "cp1250": "áčďéěíňóřšťúůýž ąćęłńóśźż áéíóöőúüű čćđšž áäčďéíĺľňóôŕšťúýž ăâîşţ",
    "cp1254": "çğıöşüâîû",
    "cp1257": "ąčęėįšųūž āčēģīķļņšūž äöõüšž",
    "cp1258": "ăâđêôơưàáèéìíòóùúý\u0300\u0301\u0303\u0309\u0323",
}
_PUNCTUATION = frozenset("’‘“”„‚«»‹›–—…¿¡°ªº€£§ \u00a0")
# Half-width katakana: rare in real text, but frequent where another encoding is decoded as Japanese.
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_SAMPLE_BYTES = 1 << 17
# One encoding is taken for another's better only by this much, in the detector's measures (0 to 1) of disorder and of
# agreement with a language's letters, and in the share of letters that a language has.
_CLEARER, _MORE_COHERENT, _MORE_LETTERS = 0.05, 0.2, 0.02
_ENOUGH_LETTERS = 0.8


def decode_text(data: bytes, language: str = "", encoding: str = DETECT) -> tuple[str, str]:
    r"""Returns the text with lines that end in `\n`, and a flag: "", "encoding_detected" or "invalid_utf8".

    Args:
        language: of the text, as in a file's name ("ru", "zh-TW"); "" where nobody knows.
        encoding: of files that are neither marked nor UTF-8: a codec of Python, or "detect".

    Raises:
        AnnotationError: binary data, or an encoding that cannot be told.
    """
    text, flag = _decode(data, language.lower().partition("-")[0], encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n"), flag


def _decode(data: bytes, language: str, encoding: str) -> tuple[str, str]:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _as(data, name), ""
    if b"\0" in data:
        raise AnnotationError("holds binary data, not text")
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    # Text in another encoding is not valid UTF-8 to this extent by chance.
    if sum(not c.isascii() for c in text) - bad >= 2 * bad:
        return text, REPAIRED
    if encoding != DETECT:
        return _as(data, encoding), DETECTED
    return _as(data, _detect(data, language)), DETECTED


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise AnnotationError(f"cannot be read as {encoding} at byte {error.start}; save it as UTF-8") from None


def _detect(data: bytes, language: str) -> str:
    sample = data[:_SAMPLE_BYTES]
    if len(data) > len(sample):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    usual = [name for name, languages in _LANGUAGES.items() if language in languages.split()]
    rivals = _best(sample, usual) if usual else {}
    if not rivals:
        rivals = _best(sample, list(_LANGUAGES))
        if rivals and rivals.keys() <= _LATIN.keys():
            rivals = _by_letters(sample)
    if len(set(rivals.values())) != 1:
        fit = f"{', '.join(sorted(rivals))} fit alike" if rivals else "no known one fits"
        raise AnnotationError(
            f"is not UTF-8, and its encoding cannot be told ({fit}): save it as UTF-8, set annotate.encoding, "
            "or name its language as in film.ru.srt"
        )
    return next(iter(rivals))


def _best(sample: bytes, encodings: list[str]) -> dict[str, str]:
    """Returns the text in each of the encodings that fit best, best first."""
    from charset_normalizer import from_bytes

    matches = [m for m in from_bytes(sample, cp_isolation=encodings) if not _HALF_WIDTH.search(str(m))]
    found = sorted(matches, key=lambda match: (match.chaos, -match.coherence))
    return {
        match.encoding: str(match)
        for match in found
        if match.chaos < found[0].chaos + _CLEARER and match.coherence > found[0].coherence - _MORE_COHERENT
    }


def _by_letters(sample: bytes) -> dict[str, str]:
    """Does the same for encodings of Latin script, by the language whose letters are the most frequent."""
    shares: dict[str, float] = {}
    texts: dict[str, str] = {}
    for encoding in _LATIN:
        texts[encoding] = text = sample.decode(encoding, errors="replace")
        marked = [c for c in text if not c.isascii() and c not in _PUNCTUATION]
        known = max(sum(c in letters for c in marked) for letters in _letters(encoding))
        # English has only typographic quotes, which are at the same code points in all of these.
        shares[encoding] = known / len(marked) if marked else float(encoding == "cp1252")
    most = max(_ENOUGH_LETTERS, max(shares.values()) - _MORE_LETTERS)
    return {name: texts[name] for name, share in shares.items() if share >= most}


@cache
def _letters(encoding: str) -> list[frozenset[str]]:
    return [frozenset(letters + letters.upper()) for letters in _LATIN[encoding].split()]
