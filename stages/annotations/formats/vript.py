"""Vript: captions of the scenes of a video (`ID_caption.json`), their times (`ID_cut_meta.json`) and their speech.

    {"meta": {"video_id": "339dXVNQXac", "num_clips": 2},
     "data": {"339dXVNQXac-Scene-001": {"caption": {"shot_type": "Medium shot", "content": "A man waves."},
                                        "voiceover": ["hello"]}}}
    {"339dXVNQXac-Scene-001": {"start_time": "00:00:00.000", "end_time": "00:00:06.500"}}        ID_cut_meta.json
    {"clip_id": "339dXVNQXac-Scene-001", "start": 0.4, "end": 1.9, "text": "hello"}              ID_asr.jsonl

Captions have the times of the cuts, and times of speech count from the start of the scene, so give the three files of a
video together.
"""

import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, row, text_of

_SCENE = re.compile(r"(.{1,60})-Scene-\d{1,5}(?:\.mp4)?")
_SAID = ("text", "scene_text")
_START, _END = ("start_time", "start", "start_timestamp"), ("end_time", "end", "end_timestamp")


def _is_of(key: str, value: Any) -> bool:
    value = dict_of(value)
    if _SCENE.fullmatch(key) or _SCENE.fullmatch(_name(value)):
        return first_of(value, *_START) is not None or first_of(value, *_SAID, "segments") is not None
    return any(_SCENE.fullmatch(name) for name in list(dict_of(value.get("data")))[:3])


def _read(key: str, value: Any) -> Iterator[Entry]:
    scene = key or _name(value)
    if named := _SCENE.fullmatch(scene):
        yield Entry(named[1], list(_said(scene, value)) or [_times(scene, value)])
        return
    rows = []
    for name, told in value["data"].items():
        caption = dict_of(told).get("caption")
        text = dict_of(caption).get("content") if isinstance(caption, dict) else caption
        rows.append(_times(name, dict_of(told))._replace(text=text_of(text)))
    first = _SCENE.fullmatch(next(iter(value["data"])))
    video = text_of(dict_of(value.get("meta")).get("video_id"))
    yield Entry(video or (first[1] if first else ""), rows)


def _name(value: dict[str, Any]) -> str:
    return text_of(first_of(value, "clip_id", "scene_id"))


def _times(scene: str, told: dict[str, Any]) -> Row:
    return row(first_of(told, *_START), first_of(told, *_END), "", ref=scene)


def _said(scene: str, told: dict[str, Any]) -> Iterator[Row]:
    parts = [dict_of(part) for part in list_of(told.get("segments"))] or [told]
    for part in parts:
        if any(name in part for name in _SAID):
            found = row(first_of(part, *_START), first_of(part, *_END), first_of(part, *_SAID), "speech")
            yield found._replace(within=scene)


FORMAT = Format("vript", _is_of, _read)
