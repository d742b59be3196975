"""Talk of how a video was filmed, cut and sold, which is no event: the camera, titles, formats, datelines."""

import re

_SHOWN = re.compile(
    r"^(?:(?:the|this|a) (?:video|clip|footage|scene|shot|film|movie|frame|camera)|we|you|there)\s+"
    r"(?:(?:then |first |also |can )*"
    r"(?:shows?|see|sees|starts? with|begins? with|opens? with|ends? with|watch|features|captures|films|records))"
    # "We see a man adjust the camera" has to stay as it is.
    r"(?: (?:us|that))?\s+(?=(?:(?!and )\S+ ){1,6}?[a-z]{2,}ing\b)",
    re.I,
)
_WE_SEE = re.compile(r"^(we|you) (?:can |first |now |then |also )+see\b", re.I)
_CAMERA = re.compile(
    r"^(?:the )?camera\b(?! (?:wearer|men|man|crew|operator|person|people|team)|'s)"
    r"|^(?:the )?(?:view|screen|shot|video|scene|footage|image|frame)\b.*"
    r"\b(?:pans?|zooms?|cuts?|fades?|follows?|moves?|shifts?|switch\w*|changes?|transitions?|ends?|focus\w*)\b"
    r"|^it (?:then |slowly |quickly )?(?:zooms|pans (?:to|over|out|in|around)|fades (?:to|out|in))\b",
    re.I,
)
_OF_CAMERA = r"the (?:camera|shot|view)(?! (?:wearer|men|man|crew))"
# What the camera does beside what happens.
_BESIDE_CAMERA = re.compile(
    rf"^(?:while|as) {_OF_CAMERA} [^,]*, (?=\w+ \w+ )"
    r"|^it (?:zooms|pans)(?: in| out| over| back| away)* and (?=(?:the|an?|two|some) )"
    rf"|(?<=\w{{3}}),? (?:while|as|and) {_OF_CAMERA} (?:pans?|zooms?|follows?|moves?|films?|watches|captures)\b[^,]*$",
    re.I,
)
_TITLES = re.compile(
    r"^(?:(?:we see|there (?:is|are)) )?(?:the |an? |some )?(?:\w+ ){0,2}?"
    r"(?:(?:title|ending|opening|closing|credits?|intro(?:ductory|duction)?|outro|end) (?:\w+ )?"
    r"(?:screen|clip|scene|credit|card|page|slide|sequence)s?|credits|intro|outro)"
    r"(?: (?:(?:and|with|that|of|is an?) |(?:appears?|is shown|are shown|plays?|comes? (?:up|on)|rolls?)\b).*)?$",
    re.I,
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".replace(" ", "|")
# Stock footage: "Kyiv, ukraine - april 15, 2014: people cross a street", "Kyiv 30.07.2015. people cross a street".
_DATELINE = re.compile(
    rf"^[^:.!?]{{0,80}}?\b(?:(?:(?:{_MONTHS})[a-z]*\.? (?:\d{{1,2}}(?:st|nd|rd|th)?,? )?|circa )(?:1[89]|20)\d\ds?\s*:"
    r"|\d{1,2}[./-]\d{1,2}[./-](?:1[89]|20)\d\d\s*[:.])\s+",
    re.I,
)
# What stock footage is named by: "Video 1920x1080 - people cross a street", "4k: people cross a street".
_FORMAT = re.compile(
    r"^(?:(?:full|ultra|video|footage|clip|shot|film|hd|uhd|4k|8k|\d{3,4}p|\d{3,4} ?[x×] ?\d{3,4})\W{1,3})+"
    r"(?<=[-:.–] )",
    re.I,
)
# How it was filmed and what it is sold for.
_PRODUCTION = re.compile(
    r"\b(?:uhd|4k|8k|full hd|alpha channel|chroma ?key|green ?screen|motion graphics?|video resolution|footage/video"
    r"|stock (?:video|footage)|seamless loop|loop (?:item|animation|video)|(?:animation|drone|aerial|hd) footage)\b"
    r"|^(?:(?:blurred|aerial|close-?up|dolly|slow|motion|static|wide|macro|drone|tracking|top|side|pov|hd|time-?lapse"
    r"|handheld|selective|focus|view|shot|footage|video|and|in|of)\b\W*)+$",
    re.I,
)


def without_labels(text: str) -> str:
    """Returns a sentence without the place, date and format that stock footage is named by."""
    return _FORMAT.sub("", _DATELINE.sub("", text))


def without_viewer(text: str) -> str:
    """Returns a sentence without "the video shows" or "we see" before what is shown."""
    return _SHOWN.sub("", text)


def without_camera(text: str) -> str:
    """Returns a sentence without what the camera does beside what happens, and without links after "we"."""
    return _WE_SEE.sub(r"\1 see", _BESIDE_CAMERA.sub("", text))


def is_filming(text: str) -> bool:
    """Returns whether a sentence tells of the camera, of titles or of formats alone."""
    return any(found.match(text) for found in (_CAMERA, _TITLES)) or _PRODUCTION.search(text) is not None
