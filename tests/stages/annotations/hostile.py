"""Texts that cost a careless parser time that grows with the square of their length."""

from functools import cache

_CUE = "1\n00:00:01,000 --> 00:00:02,000\n"
_NEXT = "\n2\n00:00:02,000 --> 00:00:03,000\n"
_TTML = '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">{}</p></div></body></tt>'
_ASS = "[Script Info]\n[Events]\n"
_DIALOGUE = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,"


def _times(text: str, size: int) -> str:
    return text * (size // len(text))


@cache
def hostile_subtitles(size: int) -> dict[str, bytes]:
    """Subtitle files of about `size` bytes each, by what is wrong with them."""

    def lines(text: str, header: str = _CUE) -> str:
        """Lines of 4,000 characters."""
        return header + _times(_times(text, 4000) + "\n", size)

    texts = {
        "brackets": _CUE + _times("<", size // 2) + _times(">", size // 2),
        "bracket lines": _CUE + _times("<" * 2000 + ">" * 2000 + "\n", size),
        "tags in tags": lines("<im<b>"),
        "open brackets": lines("["),
        "open braces": lines("{"),
        "codes": lines("{\\p1}"),
        "entities": lines("&amp;lt;"),
        "ampersands": lines("&"),
        "marks": _CUE + "a" + _times("\u0316\u0301", size // 2),
        "mark lines": _CUE + _times("a" + "\u0316" * 2000 + "\u0301" * 1999 + "\n", size // 2),
        "marks and tags": lines("\u0316\u0301" * 15 + "<b>"),
        "rolling": _CUE + _times("a\n", size // 2) + _NEXT + _times("a\n", size // 2),
        "typed": "".join(
            f"00:00:{n // 60:02d}.{n % 60:03d} --> 00:01:00.000\n{'a ' * n}\n\n" for n in range(1, int(size**0.5))
        ),
        "many cues": _times("00:00:01,000 --> 00:00:02,000\na\n\n", size),
        "empty lines": "WEBVTT\n\n00:01.000 --> 00:02.000\n" + _times("\n", size),
        "spaces": _CUE + _times(" ", size) + "x",
        "space lines": _CUE + _times(" \n", size) + "x",
        "bad timings": _times("00:00:01,000 --> x\n", size),
        "dots": lines(".") + "x",
        "JSON": _CUE + "{" + _times('"}\n', size) + "x",
        "picture": lines("#xywh=1"),
        "ASS codes": _ASS + _times(_DIALOGUE + "{\\p1}{}" * 500 + "\n", size),
        "ASS lines": _ASS + _times(_DIALOGUE + "\n", size),
        "bad ASS lines": _ASS + _times("Dialogue:\n", size),
        "TTML spans": _TTML.format(_times("<span> </span>", size)),
        "TTML breaks": _TTML.format(_times("<br/>", size)),
        "TTML depth": _TTML.format(_times("<span>", size // 2) + _times("</span>", size // 2)),
        "TTML attributes": '<tt xmlns="http://www.w3.org/ns/ttml"><p ' + _times("dur ", size),
        "TTML paragraphs": _TTML.format("</p>" + _times('<p begin="1s" dur="1s">a</p>', size) + "<p>"),
    }
    encoded = {name: text.encode() for name, text in texts.items()}
    # Nearly every encoding fits these, and nothing is written so.
    encoded["any encoding"] = _CUE.encode() + bytes([0xE4, 0xC4, 0xBA, 0xE3, 10]) * (size // 5)
    encoded["one line of any encoding"] = _CUE.encode() + bytes([0xE4, 0xC4, 0xBA, 0xE3]) * (size // 4)
    return encoded
