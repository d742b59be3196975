"""Reads annotation files in any known format, which is detected from the content or given by name."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from stages.annotations.formats import (
    activitynet,
    chapters,
    charades,
    clip_list,
    coin,
    crosstask,
    didemo,
    ego4d_clips,
    ego4d_narrations,
    finevideo,
    goalstep,
    hdvila,
    howto100m,
    htstep,
    id_list,
    llava,
    miradata,
    panda70m,
    perceptiontest,
    question_rows,
    qvhighlights,
    sharegpt4video,
    soccernet,
    subtitle_file,
    timechat,
    timelines,
    vript,
    webvid,
    whisper,
    youcook2,
    youtube_json3,
    youtube_xml,
)
from stages.annotations.formats.entry import Entry, Format, dict_of
from stages.annotations.formats.json_stream import WRAPPERS
from stages.annotations.formats.records import BadLine, Record, read_records
from stages.annotations.text import AnnotationError, clean_text, format_value

# In the order in which they are tried: the most specific first.
_MODULES = (
    activitynet, youcook2, coin, goalstep, ego4d_narrations, ego4d_clips, howto100m, whisper, youtube_json3,
    youtube_xml, crosstask, charades, subtitle_file, chapters, vript, finevideo, sharegpt4video, miradata, panda70m,
    hdvila, soccernet, perceptiontest, htstep, qvhighlights, didemo, llava, timechat, clip_list, timelines,
    question_rows, webvid, id_list,
)  # fmt: skip
FORMATS: dict[str, Format] = {module.FORMAT.name: module.FORMAT for module in _MODULES}
_LOOK_AHEAD = 1000
_MAX_TEXT = 20_000
_MAX_VIDEO = 500


class FormatReader:
    """Reads one file.

    Args:
        name: name of the file, which may be the only place that contains the id of the video.
        format_name: a key of FORMATS; "": detected from the content.

    Raises AnnotationError if the format is unknown.
    """

    def __init__(self, name: str, format_name: str = "") -> None:
        if format_name and format_name not in FORMATS:
            raise AnnotationError(f"no format {format_value(format_name)}; use one of {', '.join(sorted(FORMATS))}")
        self._name, self._asked = name, format_name
        self.format: Format | None = FORMATS.get(format_name)
        """The format, once the first entry has been read."""

    def entries(self, stream: BinaryIO) -> Iterator[Entry]:
        """Yields the entries of the file in order, with plain texts; rows without time or text are dropped and counted.

        Raises AnnotationError if the file cannot be read or has no known format.
        """
        records = read_records(stream, self._name)
        head = list(islice(records, _LOOK_AHEAD))
        bad = [value for _, value in head if isinstance(value, BadLine)]
        if 2 * len(bad) >= len(head) and bad:
            raise AnnotationError(bad[0].message)
        candidates = [self.format] if self.format else list(FORMATS.values())
        self.format = next((f for r in head for f in candidates if _is_of(f, r)), None)
        if self.format is None:
            raise AnnotationError(_unknown(head, self._asked))
        is_of, read, lost = self.format.is_of, self.format.read, Counter[str]()
        opened = (found for record in chain(head, records) for found in _opened(self.format, record))
        for number, (key, value) in enumerate(opened, 1):
            if not self._asked and not isinstance(value, BadLine) and self.format.is_prediction(key, value):
                raise AnnotationError(
                    f"record {number}: holds predictions of a model, which may be wrong; to take them for annotation "
                    f"all the same, name their format: --annotation-format {self.format.name}"
                )
            if isinstance(value, BadLine):
                lost["bad_line"] += 1
            elif is_of(key, value):
                yield from (_checked(entry)._replace(record=number) for entry in read(key, value))
            else:
                lost["other_form"] += value is None or isinstance(value, dict)
        if +lost:
            yield Entry("", dropped=dict(+lost))


def _is_of(form: Format, record: Record) -> bool:
    return any(form.is_of(key, value) for key, value in islice(_opened(form, record), 5))


def _opened(form: Format, record: Record) -> Iterator[Record]:
    """Yields the record itself if it has the format, or else the content of its wrapper."""
    key, value = record
    if form.is_of(key, value) or not isinstance(value, dict):
        yield record
        return
    wrapped = [value[name] for name in WRAPPERS if isinstance(value.get(name), dict | list)]
    if not key and wrapped:
        for inner in wrapped:
            yield from inner.items() if isinstance(inner, dict) else (("", item) for item in inner)
    elif not key and _is_of_videos(value):
        yield from value.items()
    else:
        yield record


def _is_of_videos(value: dict[str, Any]) -> bool:
    """Returns whether most members are objects or lists, as those of videos; some may be null."""
    return bool(value) and 2 * sum(isinstance(inner, dict | list) for inner in value.values()) > len(value)


def _checked(entry: Entry) -> Entry:
    """Returns an entry with plain texts, without rows that have no time or no text; clips are kept without a text."""
    dropped, rows = Counter(entry.dropped), []
    for found in entry.rows:
        try:
            text = clean_text(found.text[:_MAX_TEXT])
        except AnnotationError:
            text = ""
        if found.start_s is None and not found.ref:
            dropped["no_time"] += 1
        elif not text and found.kind != "clip" and not found.label and not (found.ref and found.start_s is not None):
            dropped["no_text"] += 1
        else:
            rows.append(found._replace(text=text))
    labels = {_utf8(name): clean_text(text[:_MAX_TEXT]) for name, text in entry.labels.items()}
    turns = [[{name: _utf8(told) for name, told in turn.items()} for turn in turns] for turns in entry.conversations]
    return entry._replace(
        video=_utf8(entry.video.strip()[:_MAX_VIDEO]),
        clip_of=_utf8(entry.clip_of[:_MAX_VIDEO]),
        split=_utf8(entry.split),
        rows=[row._replace(label=_utf8(row.label), ref=_utf8(row.ref), within=_utf8(row.within)) for row in rows],
        conversations=turns,
        questions=[_utf8(text[:_MAX_TEXT]) for text in entry.questions],
        labels=labels,
        dropped=dict(+dropped),
    )


def _utf8(text: Any) -> Any:
    """Replaces unpaired surrogates in a text, which JSON may contain and UTF-8 cannot represent."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text


def _unknown(head: list[Record], asked: str) -> str:
    if asked:
        return f"is not of the format {asked}; leave --annotation-format out to have it found from the content"
    if not head:
        return "is empty"
    value = head[0][1]
    if isinstance(value, str) and value.lstrip().startswith(("datasets:", "- json_path")):
        return "lists annotation files; give those files themselves"
    if any({"root", "annotation"} <= dict_of(inner).keys() for inner in dict_of(value).values()):
        return "lists annotation files; give those files themselves"
    return (
        "has no known form: convert it to JSON lines with the fields video, start_s, end_s and text, "
        f"or name its form with --annotation-format: {', '.join(sorted(FORMATS))}"
    )
