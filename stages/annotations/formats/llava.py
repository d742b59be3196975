r"""Conversations in LLaVA form (LLaVA-Video, VideoChat-Flash, ViLAMP, VTimeLLM) or as `messages`: JSON lists or lines.

    [{"id": "video_3827", "video": "video_3827.mp4", "duration": 21.3,
      "conversations": [{"from": "human", "value": "<image>\nWhat does the man hold?"},
                        {"from": "gpt", "value": "A cup."}]}]

    {"videos": ["a.mp4"], "messages": [{"role": "user", "content": "<video>What does the man hold?"},
                                       {"role": "assistant", "content": "A cup."}]}

    [{"id": "zBT-wRo9Jlo", "meta": {"duration": 59.5, "token": {"<s0>": 0.4, "<e0>": 12.2}},
      "conversations": [{"from": "human", "value": "<video>\nWhen does he run?"},
                        {"from": "gpt", "value": "From <s0> to <e0>."}]}]

The turns are not changed, but for the tokens of VTimeLLM and Moment-10M, which become their times ("From 0.4s to
12.2s."). Samples of several videos, of images, or of a part of a video (`start`, `end`) are dropped and counted.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from stages.annotations.conversations import parse_conversations
from stages.annotations.formats.entry import Entry, Format, dict_of, first_of, seconds, text_of
from stages.annotations.text import AnnotationError

_TOKEN = re.compile(r"<[se]\d{1,4}>")
_ROUNDING_S = 1.0


def _is_of(key: str, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("conversations"), list):
        return True
    messages = value.get("messages")
    return isinstance(messages, list) and bool(messages) and {"role", "content"} <= dict_of(messages[0]).keys()


def _read(key: str, value: Any) -> Iterator[Entry]:
    turns, videos = _turns(value)
    questions = [
        text for turn in turns if turn.get("from") in ("human", "user") and (text := text_of(turn.get("value")).strip())
    ]
    duration_s = seconds(first_of(value, "duration")) or seconds(dict_of(value.get("meta")).get("duration"))
    video = text_of(videos[0]) if len(videos) == 1 else ""
    if not video:
        yield Entry("", dropped={"several_videos" if len(videos) > 1 else "no_video": 1}, questions=questions)
        return
    if _is_part(value, duration_s):
        yield Entry(video, [], duration_s, dropped={"part_of_video": 1}, questions=questions)
        return
    try:
        checked = [json.loads(text) for text in parse_conversations(json.dumps(turns))]
        yield Entry(video, [], duration_s, conversations=checked)
    except AnnotationError:
        yield Entry(video, [], duration_s, dropped={"bad_conversation": 1}, questions=questions)


def _turns(value: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Returns the turns with `from` and `value`, and the videos that they are about."""
    turns: list[Any] = []
    named: list[Any] = []
    if isinstance(value.get("conversations"), list):
        turns = [dict_of(turn) for turn in value["conversations"]]
    else:
        for message in map(dict_of, value["messages"]):
            text, shown = _content(message.get("content"))
            turns.append({"from": message.get("role"), "value": text})
            named += shown
    tokens = dict_of(dict_of(value.get("meta")).get("token"))
    told = first_of(value, "video", "videos", "video_path", "video_id", *(("id",) if tokens else ()))
    videos = told if isinstance(told, list) else [told] if told is not None else named
    return [_with_times(turn, tokens) for turn in turns] if tokens else turns, videos


def _content(content: Any) -> tuple[Any, list[Any]]:
    """Returns the text of a message, and the videos in it: a text, or a list of parts of the types text and video."""
    if not isinstance(content, list):
        return content, []
    parts = [dict_of(part) for part in content]
    videos = [part.get("video") for part in parts if part.get("video")]
    texts = ["<video>" if part.get("type") == "video" else text_of(part.get("text")) for part in parts]
    return "\n".join(filter(None, texts)), videos


def _with_times(turn: dict[str, Any], tokens: dict[str, Any]) -> dict[str, Any]:
    def time_of(token: re.Match[str]) -> str:
        time = seconds(tokens.get(token[0]))
        return token[0] if time is None else f"{time:g}s"

    return {**turn, "value": _TOKEN.sub(time_of, text_of(turn.get("value")))}


def _is_part(value: dict[str, Any], duration_s: float | None) -> bool:
    start, end = seconds(value.get("start")), seconds(value.get("end"))
    if start is None or end is None:
        return False
    return start > 0 or duration_s is None or end < duration_s - _ROUNDING_S


FORMAT = Format("llava", _is_of, _read)
