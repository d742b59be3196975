"""Turns what an annotator wrote into sentences that can be quoted: no times, no talk of the camera, no marks.

" #C C then picks the cup at 12 seconds!! The camera pans." -> ["the camera wearer picks the cup"]
"""

import re
from functools import lru_cache

from stages.qa.filming import is_filming, without_camera, without_labels, without_viewer
from stages.qa.grammar import with_verb
from stages.qa.instructions import in_small_letters
from stages.qa.lexicon import Form, form_of
from stages.qa.proper_names import with_capitals
from stages.qa.small_words import PREPOSITIONS
from stages.qa.spelling import spelled

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
    r"^(?:(?:(?:and|then|finally|lastly|afterwards?|after that|after this|firstly|to begin|eventually|suddenly|"
    r"meanwhile|also|now|again)\b|"
    r"(?:in|at) the (?:end|beginning)\b(?! (?:of|zone))|in (?:the|this) (?:video|clip|footage)\b|"
    r"next\b(?! (?:to|up|door|shown|day|room)\b)|"
    r"(?:at )?first\b(?!,? (?:and|aid|base|class|floor|half|man|of|one|person|place|round|step|team|time|woman)\b))"
    r",?\s+)+",
    re.I,
)
_SUBJECT = (
    r"(?:he|she|they|it|we|you|i|man|men|woman|women|person|people|girls?|boys?|"
    r"(?:(?:the|an?|another|this|his|her|their) )?camera wearer|"
    r"(?:the|an?|another|this|that|his|her|their|two|three) (?:(?:young|old|little|other|second) )?[a-z]+)"
)
# After anything but a subject it holds two parts of the sentence together: "jump back then forward".
_INNER_LINK = re.compile(rf"^({_SUBJECT}) (?:then|also|finally|next) (?!to\b)(?=[a-z])", re.I)
# How long and how hot: no frame shows it.
_FEW = (
    r"(?:(?:about|around|at least|another|a|an|few|more|some|several|half|couple|of|\d+(?:[./-]\d+)?|\d+ to \d+"
    r"|\w+teen|\w+ty|two|three|four|five|six|seven|eight|nine|ten|twelve) )+"
)
_MEASURE = re.compile(
    rf",? for {_FEW}(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?)\b(?: or so\b| or(?= (?:un)?till?\b))?"
    rf"|,? (?:to|at) {_FEW}(?:degrees?|°)(?: ?(?:c|f|celsius|fahrenheit|centigrade)\b)?",
    re.I,
)
_TOO = re.compile(r",? (?:too|as well)$", re.I)
_ITS = re.compile(
    r"\bit's (?=(?:right|left) (?:arm|ear|eye|foot|hand|leg|paw|side|wing)\b|(?:arms?|face|head|legs?|mouth|nose|owner"
    r"|own|paws?|tail|wings?)\b)"
)
_NO_SUBJECT = re.compile(r"^(?:are|is|was|were|am|has|had|been)\b", re.I)
_GOES_ON = re.compile(r"^continues\b", re.I)
_NO_EVENT = re.compile(
    r"^\W*(?:(?:background |instrumental |upbeat |soft |intro(?:ductory)? |outro )?"
    r"music(?: (?:plays|playing|is playing))?|intro|outro|introduction|applause|laughter|silence|credits|end credits|"
    r"title|titles|title (?:card|screen)|logo|subscribe|others?|misc(?:ellaneous)?|background|idle|unlabell?ed|"
    r"thanks for watching|n/?a|none|null|nothing(?: .*)?|unknown|inaudible|no description)\W*$",
    re.I,
)
# Cut off where it was copied: "The man appears to be happy and ..."
_CUT = re.compile(
    r"\s(?:\.{3}|\u2026)\W*$|\b(?:and|or|but|the|an?|of|with|from|(?<!\ba )while|is|are|his|their|into|as)\W*$"
    r"|^[^,]*, ?[a-z]+s\W*$",  # "takes a book off a shelf,turns"
    re.I,
)
# Charades: "person they open a door", "person close a door", "person the stand up".
_PERSON = re.compile(r"^(?:(?:the|a) )?person (?P<they>they )?(?P<verb>[a-z]+)\b(?P<rest>.*)$", re.I)
_NOTHING_PUT = re.compile(r"(?:puts?|places?|sets?|throws?) (?:back|down|away) (?:in|into|on|onto) ", re.I)
_BARE_WORDS = """awaken begin bring close cook cough dress drink eat enter fix get grab hold laugh leave lie look open
pick place play pour put read run sit smile sneeze stand start stop take talk throw tidy turn undress use walk wash
watch"""
_BARE = frozenset(_BARE_WORDS.split())
_SENTENCE = re.compile(
    r"(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<=[.!?…。！？])\s+(?=[\"“'‘(A-Z0-9À-Ý])|\n+"
    r"|(?<=[a-z]{2}\.)(?=(?:the|an?|he|she|they|it|then|person|man|woman) )"
    r"|(?<=[a-z]{2}\.)(?<!\bft\.)(?<!\blb\.)(?<!\boz\.)(?<!\bst\.)(?<!\bvs\.)(?<!\bdr\.)(?<!\bmr\.)(?<!\bno\.)"
    r"(?<!\betc\.)(?<!\blbs\.)(?<!\bmin\.)(?<!\bmrs\.)(?<!\bpkg\.)(?<!\bsec\.)(?<!\btsp\.)(?<!\btbsp\.)(?<!\bapprox\.)"
    r"\s+(?=[a-z])"
)
_BEFORE_VOWEL = re.compile(r"\b([Aa])(?= (?!one\b|once\b|eu|ewe)[aeio]\w{2})")
_CAPITAL_INSIDE = re.compile(
    r"(?<=, )(?:The|A|An|He|She|They|It|There|In|Then|Two|His|Her|Another|One|We|And|But)(?= [a-z])"
)
_SHOUTED = re.compile(r"\b[A-Z]{2,}(?: [A-Z]{2,})+\b")


@lru_cache(maxsize=1 << 14)
def sentences(text: str, is_english: bool = True) -> tuple[str, ...]:
    """Returns the sentences of a text that tell of an event, each without its full stop.

    There are none where it tells of nothing. The spelling of English ones is mended.
    """
    if _UNSURE.search(text):
        return ()
    cleaned = (clean(part, is_english) for part in _SENTENCE.split(text[:4096]))
    return tuple(part for part in cleaned if part)


def clean(sentence: str, is_english: bool = True) -> str:
    """Returns one sentence as it can be quoted, or "" where it is no event."""
    if is_cut(sentence.rstrip(",; ")):
        return ""
    text = " ".join(sentence.replace("\u201c", "'").replace("\u201d", "'").replace('"', "'").split())
    for pattern, word in _NARRATOR:
        text = pattern.sub(word, text)
    text = _MEASURE.sub(_cut, _TIMES.sub(" ", without_labels(spelled(text) if is_english else text)))
    text = re.sub(r",(?=[a-z])", ", ", " ".join(text.split()).strip(" ,;:-\u2013*\u2022`").rstrip(" .!?"))
    text = without_camera(_LINK.sub("", without_viewer(_LINK.sub("", text))))
    if is_filming(text) or _NO_SUBJECT.match(text):
        return ""
    text = _ITS.sub("its ", _TOO.sub("", _INNER_LINK.sub(r"\1 ", text)))
    text = re.sub(r"\b(the|an?|of|to|with|in|on) \1\b", r"\1", text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", text).rstrip(" .!?…,;:。").strip()
    text = with_verb(_person(text)) if is_english else _person(text)
    if sum(map(str.isalpha, text)) < 2 or _NO_EVENT.match(text):
        return ""
    text = _BEFORE_VOWEL.sub(r"\1n", text)
    text = _CAPITAL_INSIDE.sub(lambda found: found[0].lower(), text)
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 3 and sum(c.isupper() for c in letters) > 0.6 * len(letters):
        text = text.lower()
    text = _SHOUTED.sub(lambda found: found[0].title(), text)
    text = in_small_letters(with_capitals(text)) if is_english else text
    return text[:1].upper() + text[1:]


def only_goes_on(text: str) -> bool:
    """Returns whether a text says that something goes on, but not what: "continues falling" cannot be quoted alone."""
    return _GOES_ON.match(text) is not None


def is_cut(text: str) -> bool:
    """Returns whether a text ends in the middle of a sentence."""
    return text.endswith(",") or _CUT.search(text) is not None


def _cut(measure: re.Match[str]) -> str:
    """Leaves a comma where another clause follows: "Boil for 4 minutes remove it" becomes "Boil, remove it"."""
    after = (measure.string[measure.end() :].lower().split() or [""])[0]
    form = form_of(after) if after not in PREPOSITIONS | {"till"} else Form.NONE
    return "," if form & Form.BASE and not form & (Form.ADJECTIVE | Form.ADVERB) else ""


def _person(text: str) -> str:
    """With the article and the ending that "person open a door" lacks; "" where there is no verb."""
    found = _PERSON.match(text)
    if found is None:
        return text
    verb, rest = found["verb"].lower(), found["rest"]
    if "each other" in rest.lower():  # one person
        return ""
    if verb in ("the", "a", "he", "she", "they", "both", "all") or _NOTHING_PUT.match(f"{verb}{rest}"):
        return ""
    if " and " not in rest and (found["they"] or text[:1] in "pP"):
        if verb in ("are", "re"):
            verb = "is"
        elif verb in _BARE or form_of(verb) == Form.BASE:
            verb += "es" if re.search(r"(?:sh|ch|x|ss|[^aeiou]o)$", verb) else "s"
            verb = re.sub(r"([^aeiou])ys$", r"\1ies", verb)
    article = "the" if text.lower().startswith("the ") else "a"
    return f"{article} person {verb}{rest}"
