"""YouTube captions as XML: srv1 (`<transcript>`, seconds), srv3 and YTT (`<timedtext>`, milliseconds).

    <transcript><text start="0" dur="1.54">Hey, this is just a test</text></transcript>

    <timedtext format="3"><body>
    <p t="1540" d="4160">this is <s>not</s> the original</p>
    </body></timedtext>

yt-dlp writes them with `--sub-format srv1` or `srv3`.
"""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from stages.annotations.formats.entry import Entry, Format, Row, seconds
from stages.annotations.text import AnnotationError

_ROOT = re.compile(r"\s*(?:<\?xml[^<>]{0,200}\?>)?\s*<(transcript|timedtext)\b")


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, str) and _ROOT.match(value[:2000]) is not None


def _read(key: str, value: Any) -> Iterator[Entry]:
    if "<!" in re.sub(r"<!(?:--|\[CDATA\[)", "", value):
        raise AnnotationError("declares XML entities, which no captions need; write them out")
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^<>]*\?>", "", value))
    except ElementTree.ParseError as error:
        raise AnnotationError("bad XML at line {}, column {}".format(*error.position)) from None
    if root.tag == "transcript":
        told = [(seconds(p.get("start")), seconds(p.get("dur", "0")), 1, p) for p in root.iter("text")]
    else:
        told = [(seconds(p.get("t")), seconds(p.get("d", "0")), 1000, p) for p in root.iter("p")]
    rows = []
    for start, length, per_s, paragraph in told:
        text = "".join(paragraph.itertext())
        if start is None or length is None:
            rows.append(Row(None, None, text, "speech"))
        elif text.strip():
            rows.append(Row(start / per_s, (start + length) / per_s, text, "speech", has_unit=True))
    yield Entry("", rows)


FORMAT = Format("youtube_xml", _is_of, _read)
