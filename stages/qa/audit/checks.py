"""What is wrong with single pairs, whoever wrote them: rows of the table `qa` are all that is read.

The writer of pairs has checks of its own (`words`); these hold for reworded and passed-through pairs as well.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import numpy as np

from schemas.rows import QaRow
from stages.qa.audit.features import quoted
from stages.qa.audit.words import MOST_CHARS, answer_in_question, without_options
from stages.qa.audit.words import PROBLEMS as WRITER_PROBLEMS
from stages.qa.language import language_of
from stages.qa.similarity import near_duplicates

PROBLEMS = {
    "answer_in_question": WRITER_PROBLEMS["answer_in_question"],
    "time_in_question": "the question, or a text that it quotes, holds the time that is asked for",
    **{code: WRITER_PROBLEMS[code] for code in ("options_alike", "too_long", "outside_video")},
    "no_frame": "no frame was sampled in a span of evidence",
    "other_language": "a text is in another language than the events of the video, or in another script",
    "personal_data": "an e-mail address or a telephone number",
    "toxic": "a word of the list of the package better-profanity, but for words of everyday life",
    "duplicate": "another pair of the video asks the same and has the same answer",
    "contradiction": "another pair of the video asks the same and has another answer, or has the order reversed",
}
_TIME = re.compile(r"\b(\d+(?:\.\d+)?) ?(?:s|sec|secs|seconds)\b|\b(\d{1,2}):(\d\d)(?::(\d\d))?\b")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = re.compile(
    r"(?<![\w.,:])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{2,4}(?:[ .-]\d{2,4}){1,3}(?![\w:])"
    r"|(?<![\w.,:])(?:\+\d{8,15}|\d{10,11})(?![\w:]|[.,]\d)"
)
_DIGITS = re.compile(r"(?:\d\D{0,4}){6}")  # what a telephone number has, so that most texts are looked at no further
# Dates, years, thousands and scores: numbers in groups that are no telephone numbers.
_GROUPS = re.compile(
    r"(?<!\d[-./ ])(?:\b\d{4}([-./])\d{1,2}\1\d{1,2}|\b\d{1,2}([-./])\d{1,2}\2(?:19|20)?\d\d)\b(?![-./ ]?\d)"
    r"|\b(?:19|20)\d\d(?:[- ](?:19|20)\d\d)+\b"
    r"|\b\d{1,3}(?:[ .]\d{3})+\b(?![ .-]?\d)|(?<!\d[-.])\b\d{1,2}-\d{1,2}\b(?!-)"
)
_WORD = re.compile(r"[^\W_]+")
# Words of kitchens, workshops, sports and anatomy, and names that people give themselves, which the list has as well.
_EVERYDAY_WORDS = """pot pots screw screws screwed screwing strip strips fat breast breasts kill kills virgin vodka knob
knobs organ organs pasty loin loins jerk homey weed weeds flange dummy slope stroke strokes facial steamy gay lesbian
god drunk naked vomit hell ugly urine panty kum rum len sh shi wad"""
_EVERYDAY = {*_EVERYDAY_WORDS.split(), "cow girl", "cow girls", "jack off", "three some"}
_LATIN_SCRIPT = "en de fr es it pt nl sv da no fi pl cs sk hu ro tr id vi"
_LATIN = frozenset(_LATIN_SCRIPT.split())
_LONG_CHARS, _MOST_JUDGED = 60, 400
_TIME_FORMS = ("when", "occurrence", "said_when")
_ONLY_TIME = re.compile(r"(?:\s|at|about|from|to|and|between|until|[-.,])*")


def problems(pair: QaRow, duration_s: float, times_N: np.ndarray) -> list[str]:
    """Returns the codes of PROBLEMS that a pair has, but those that other pairs show.

    Args:
        pair: a row of QA.
        duration_s: of its video.
        times_N: when the kept frames are shown, in seconds, ascending.
    """
    texts = [pair["question"], pair["answer"], *pair["options"]]
    if sum(map(len, texts)) > MOST_CHARS:
        return ["too_long"]
    return [code for code, check in _CHECKS.items() if check(pair, texts)] + _evidence(pair, duration_s, times_N)


def _tells_answer(pair: QaRow, texts: Sequence[str]) -> bool:
    is_word = any(map(str.isalpha, pair["answer"])) and not _TIME.search(pair["answer"])
    return is_word and pair["form"] != "order" and answer_in_question(_asked(pair), pair["answer"])


def _asked(pair: QaRow) -> str:
    """Returns the question; of a conversation, without its options."""
    return without_options(pair["question"]) if pair["form"] == "conversation" else pair["question"]


def _tells_time(pair: QaRow, texts: Sequence[str]) -> bool:
    """The start or the end that is asked for, to half a second; a quoted event may tell it, too."""
    is_time = pair["form"] == "conversation" and _ONLY_TIME.fullmatch(_TIME.sub(" ", pair["answer"]).lower())
    if pair["form"] not in _TIME_FORMS and not is_time:
        return False
    asked, told = _seconds(pair["answer"]), _seconds(_asked(pair))
    return any(abs(a - t) <= 0.5 for a in asked for t in told)


def _seconds(text: str) -> list[float]:
    found = []
    for plain, hours, minutes, seconds in _TIME.findall(text):
        clock = [int(part) for part in (hours, minutes, seconds) if part]
        found.append(float(plain) if plain else float(sum(p * 60**i for i, p in enumerate(reversed(clock)))))
    return found


def _are_alike(pair: QaRow, texts: Sequence[str]) -> bool:
    options = [" ".join(option.lower().split()).rstrip(".!") for option in pair["options"]]
    if len(set(options)) < len(options):
        return True
    wrong = [o for i, o in enumerate(pair["options"]) if i != pair["answer_index"]]
    is_text = not any(option[:1].isdigit() or option.startswith("(") for option in pair["options"])
    return is_text and any(near_duplicates(pair["answer"], option) for option in wrong)


def _is_foreign(pair: QaRow, texts: Sequence[str]) -> bool:
    """Returns whether a text of a pair is not in the pair's language; quoted events count.

    A text is judged where it is long enough to be sure, and else with the other texts of the pair. Their letters tell
    of a shorter one whether it is in Latin script.
    """
    language = pair["language"]
    if not language:
        return False
    told = [text for text in texts if len(text) >= _LONG_CHARS]
    if pair["realizer"] != "templates":  # whose words are English, whatever the events are told in
        told.append(" ".join(texts))
    if any(_language(text[:_MOST_JUDGED]) not in (language, "") for text in told):
        return True
    if language not in _LATIN:
        return False
    told = [text for text in texts if not text.isascii()]
    strange = [(sum(c > "\u024f" for c in text if c.isalpha()), sum(map(str.isalpha, text))) for text in told]
    return any(count > max(2, 0.2 * letters) for count, letters in strange)


@lru_cache(maxsize=1 << 14)  # an event is quoted in many pairs
def _language(text: str) -> str:
    """Returns the language of a text that is long enough to be sure, names not counted; else ""."""
    text = " ".join(word for word in text.split() if not word[0].isupper())
    letters = sum(map(str.isalpha, text))
    return language_of([text]) if letters >= (_LONG_CHARS if text.isascii() else _LONG_CHARS // 3) else ""


@lru_cache(maxsize=1 << 14)
def _has_address(text: str) -> bool:
    if "@" in text and _EMAIL.search(text):
        return True
    return bool(_DIGITS.search(text) and _PHONE.search(_GROUPS.sub(" ", _TIME.sub(" ", text))))


@lru_cache(maxsize=1 << 14)
def _has_toxic_word(text: str) -> bool:
    words, phrases = _toxic()
    told = _WORD.findall(text.lower())
    return not words.isdisjoint(told) or any(
        told[i : i + len(p)] == p for i, word in enumerate(told) for p in phrases.get(word, ())
    )


@cache
def _toxic() -> tuple[frozenset[str], dict[str, list[list[str]]]]:
    """The words of the list, and its phrases ("f-u-c-k") by their first words."""
    listed = resources.files("better_profanity").joinpath("profanity_wordlist.txt").read_text("utf-8").splitlines()
    listed_words = (_WORD.findall(entry.lower()) for entry in listed)
    entries = [words for words in listed_words if " ".join(words) not in _EVERYDAY]
    phrases: dict[str, list[list[str]]] = {}
    for entry in entries:
        if len(entry) > 1:
            phrases.setdefault(entry[0], []).append(entry)
    return frozenset(entry[0] for entry in entries if len(entry) == 1), phrases


def _evidence(pair: QaRow, duration_s: float, times_N: np.ndarray) -> list[str]:
    """Unanswerable questions are exempt, and pairs that come without evidence."""
    if "none_of_these" in pair["flags"]:
        return []
    spans = [(span["start_s"], span["end_s"]) for span in pair["evidence"]]
    if not all(0 <= start < end <= duration_s + 0.05 for start, end in spans):
        return ["outside_video"]
    first = [bisect_left(times_N, start) for start, _ in spans]
    is_seen = [i < len(times_N) and times_N[i] < end for i, (_, end) in zip(first, spans, strict=True)]
    return [] if all(is_seen) else ["no_frame"]


_CHECKS: dict[str, Callable[[QaRow, Sequence[str]], bool]] = {
    "answer_in_question": _tells_answer,
    "time_in_question": _tells_time,
    "options_alike": _are_alike,
    "other_language": _is_foreign,
    "personal_data": lambda _, texts: any(map(_has_address, texts)),
    "toxic": lambda _, texts: any(map(_has_toxic_word, texts)),
}


def key_of(pair: QaRow) -> tuple[Any, ...]:
    """Returns what a question asks: its form, the texts that it quotes, and its words outside of them."""
    question = pair["question"]
    outside = re.sub(r'"[^"]*"', " ", question).lower()
    numbers = tuple(re.findall(r"\d+(?:\.\d+)?|\b(?:first|second|third|last|before|after|previous|next)\b", outside))
    named = tuple(" ".join(text.lower().split()) for text in quoted(question))
    if not named or pair["form"] == "conversation":  # those ask in words of their own, so all of them count
        return (pair["form"], " ".join(question.lower().split()))
    return (pair["form"], named, numbers)
