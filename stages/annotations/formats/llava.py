"""Conversations in LLaVA form (LLaVA-Video, VideoChat-Flash, InternVideo, ViLAMP): JSON lists or JSON lines.

    [{"id": "video_3827", "video": "video_3827.mp4", "duration": 21.3,
      "conversations": [{"from": "human", "value": "<image>\\nWhat does the man hold?"},
                        {"from": "gpt", "value": "A cup."}]}]

The turns are not changed. Samples of several videos, or of images, are dropped and counted.
"""

import json
from collections.abc import Iterator
from typing import Any

from stages.annotations.conversations import parse_conversations
from stages.annotations.formats.entry import Entry, Format, dict_of, first_of, seconds, text_of
from stages.annotations.text import AnnotationError


def _is_of(key: str, value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("conversations"), list)


def _read(key: str, value: Any) -> Iterator[Entry]:
    named = value.get("video")
    videos = named if isinstance(named, list) else [named or first_of(value, "video_path", "video_id")]
    video = text_of(videos[0]) if len(videos) == 1 else ""
    asked = [dict_of(turn) for turn in value["conversations"]]
    questions = [text for turn in asked if turn.get("from") == "human" and (text := text_of(turn.get("value")).strip())]
    if not video:
        yield Entry("", dropped={"several_videos" if len(videos) > 1 else "no_video": 1}, questions=questions)
        return
    duration_s = seconds(value.get("duration"))
    try:
        turns = [json.loads(text) for text in parse_conversations(json.dumps(value["conversations"]))]
        yield Entry(video, [], duration_s, conversations=turns)
    except AnnotationError:
        yield Entry(video, [], duration_s, dropped={"bad_conversation": 1}, questions=questions)


FORMAT = Format("llava", _is_of, _read)
