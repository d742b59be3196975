"""FineVideo: scenes of a video with their activities, its speech and its questions. One file per video, or JSON lines.

    {"content_metadata": {"description": "...", "scenes": [
        {"sceneId": 1, "title": "Intro",
         "timestamps": {"start_timestamp": "00:00:00.000", "end_timestamp": "00:00:12.000"},
         "activities": [{"description": "A man opens a box.",
                         "timestamp": {"start_timestamp": "00:00:03.000", "end_timestamp": "00:00:08.500"}}]}],
        "qAndA": [{"question": "What is he doing?", "answer": "He opens a box."}]},
     "timecoded_text_to_speech": [{"start": "00:00:00.000", "end": "00:00:02.500", "text": "Hello all."}],
     "original_video_filename": "sample_1.mp4", "duration_seconds": 120}

Titles of scenes become scenes, activities become events. Lists named `scenes` that contain numbers are ignored.
"""

from collections.abc import Iterator
from typing import Any

from stages.annotations.formats.entry import Entry, Format, Row, dict_of, first_of, list_of, row, seconds, text_of
from stages.annotations.formats.question_rows import entry_of


def _content(value: Any) -> dict[str, Any]:
    value = dict_of(value)
    return dict_of(first_of(value, "content_metadata", "json")) or value


def _scenes(value: Any) -> list[dict[str, Any]]:
    return [scene for scene in list_of(_content(value).get("scenes")) if isinstance(scene, dict)]


def _is_of(key: str, value: Any) -> bool:
    return any("activities" in scene or "timestamps" in scene for scene in _scenes(value)[:3])


def _read(key: str, value: Any) -> Iterator[Entry]:
    rows = []
    for scene in _scenes(value):
        rows.append(_timed(scene, scene.get("title"), "scene"))
        activities = map(dict_of, list_of(scene.get("activities")))
        rows += [_timed(activity, activity.get("description"), "event") for activity in activities]
    for said in map(dict_of, list_of(value.get("timecoded_text_to_speech"))):
        rows.append(row(said.get("start"), said.get("end"), said.get("text"), "speech"))
    video = first_of(value, "original_video_filename", "video_id", "youtube_id")
    duration_s = seconds(first_of(value, "duration_seconds", "duration"))
    yield Entry(text_of(video) or key, rows, duration_s)
    asked = [dict_of(pair) for pair in list_of(_content(value).get("qAndA"))]
    yield from (entry_of(pair, text_of(video) or key, duration_s) for pair in asked if "question" in pair)


def _timed(told: dict[str, Any], text: Any, kind: str) -> Row:
    stamps = dict_of(first_of(told, "timestamps", "timestamp"))
    return row(stamps.get("start_timestamp"), stamps.get("end_timestamp"), text, kind)


FORMAT = Format("finevideo", _is_of, _read)
