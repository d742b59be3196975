"""Whisper and its kin (WhisperX, faster-whisper, whisper.cpp, transformers), and lists of segments. One file per video.

    {"text": " Hi there.", "language": "en",
     "segments": [{"start": 0.0, "end": 2.4, "text": " Hi there.", "no_speech_prob": 0.01, "avg_logprob": -0.2,
                   "words": [{"word": "Hi", "start": 0.0, "end": 0.3, "score": 0.9}]}]}

    {"text": " Hi there.", "chunks": [{"timestamp": [0.0, 2.4], "text": " Hi there."}]}                 transformers
    {"transcription": [{"offsets": {"from": 0, "to": 2400}, "text": " Hi there."}]}                     whisper.cpp
    {"audio_duration": 9, "text": "Hi there.", "words": [{"text": "Hi", "start": 0, "end": 300}]}       AssemblyAI
    [{"start": 0.0, "end": 2.4, "text": "Hi there."}]        segments alone; or `duration`, as youtube-transcript-api

    start<TAB>end<TAB>text
    0<TAB>2400<TAB>Hi there.

Times in the TSV and of whisper.cpp are milliseconds, and those of AssemblyAI where `audio_duration` shows it. Segments
that Whisper classified as silence, and sentences that it repeats many times (which also happens on silence), are
dropped and counted; segments alone are read one by one, with their repeats. A segment of more than 240 characters is
cut at pauses.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from stages.annotations.formats.clip_list import VIDEO, video_of
from stages.annotations.formats.entry import (
    Entry,
    Format,
    Row,
    dict_of,
    fields_of,
    first_of,
    list_of,
    pair,
    row,
    seconds,
    text_of,
)
from stages.annotations.formats.question_rows import nested_questions
from stages.annotations.repair import are_milliseconds
from stages.annotations.runs import cut_run

_SILENCE, _UNSURE = 0.6, -1.0  # the thresholds of Whisper's own transcribe()
_LOOP = 4  # as often in a row nobody says a sentence
TSV = "tsv"
"""Key of the rows of its table, which has the columns of HowTo100M's, but other units."""
_OTHER = {"video_uid", "clip_id", "scene_id", "question", "q", "start_s"}
"""Fields of records that are no speech."""
_MARKS = {"no_speech_prob", "avg_logprob", "words", "speaker"}
_MAX_CHARS = 240  # as `annotate` joins cues where no recipe says otherwise


class _Word(NamedTuple):
    start_s: float
    end_s: float
    text: str


def _is_of(key: str, value: Any) -> bool:
    if key == TSV:
        return isinstance(value, dict) and value.keys() == {"start", "end", "text"}
    if key or not isinstance(value, dict) or value.keys() & _OTHER:
        return False
    segments = value.get("segments")
    if not isinstance(segments, list):
        timed = any("timestamp" in dict_of(line) for line in list_of(value.get("chunks"))[:5])
        spoken = any("offsets" in dict_of(line) for line in list_of(value.get("transcription"))[:5])
        return timed or spoken or _is_segment(value) or _is_assembly(value)
    first = dict_of(segments[0]) if segments else {}
    if any(nested_questions(value, "")):
        return False
    return {"start", "end", "text"} <= first.keys() if segments else "text" in value


def is_speech(segment: dict[str, Any]) -> bool:
    """Returns whether a segment has a field that only speech recognition gives."""
    return bool(segment.keys() & _MARKS)


def _is_segment(value: dict[str, Any]) -> bool:
    if fields_of(value).keys() & set(VIDEO):
        return False  # a row of a clip list
    timed = seconds(value.get("start")) is not None and ("end" in value or "duration" in value)
    return timed and isinstance(value.get("text"), str)


def _is_assembly(value: dict[str, Any]) -> bool:
    words = list_of(value.get("words"))
    return (
        seconds(value.get("audio_duration")) is not None
        and bool(words)
        and {"start", "end"} <= dict_of(words[0]).keys()
    )


def _utterances(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns what each speaker says as segments in seconds, or all of it as one, which is cut at pauses later."""
    words = [dict_of(word) for word in list_of(value["words"])]
    start, end = seconds(words[0].get("start")), seconds(words[-1].get("end"))
    whole = {"text": value.get("text"), "start": start, "end": end, "words": words}
    told = [dict_of(told) for told in list_of(value.get("utterances"))] or [whole]
    if start is None or not are_milliseconds([(start, end)], seconds(value["audio_duration"])):
        return told
    return [
        _scaled({**each, "words": [_scaled(dict_of(word)) for word in list_of(each.get("words"))]}) for each in told
    ]


def _scaled(timed: dict[str, Any]) -> dict[str, Any]:
    """Returns a segment or a word with times in seconds in place of milliseconds."""
    times = {name: seconds(timed.get(name)) for name in ("start", "end")}
    return {**timed, **{name: None if time is None else time / 1000 for name, time in times.items()}}


def _chunks(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the lines of transformers and of whisper.cpp as segments."""
    found = []
    for line in (dict_of(line) for line in list_of(value.get("chunks"))):
        start, end = pair(line.get("timestamp"))
        found.append({**line, "start": start, "end": end})
    for line in (dict_of(line) for line in list_of(value.get("transcription"))):
        times = [seconds(dict_of(line.get("offsets")).get(name)) for name in ("from", "to")]
        start, end = (None if time is None else time / 1000 for time in times)
        found.append({**line, "start": start, "end": end})
    return found


def _read(key: str, value: Any) -> Iterator[Entry]:
    if key == TSV:
        found = row(value["start"], value["end"], value["text"], "speech")
        if found.start_s is not None and found.end_s is not None:
            found = found._replace(start_s=found.start_s / 1000, end_s=found.end_s / 1000)
        yield Entry("", [found])
        return
    if _is_segment(value) and "segments" not in value:
        start, length = seconds(value["start"]) or 0.0, seconds(value.get("duration")) or 0.0
        segments = [value if "end" in value else {**value, "end": start + length}]
    elif _is_assembly(value) and "segments" not in value:
        segments = _utterances(value)
    else:
        segments = _chunks(value) or [dict_of(segment) for segment in list_of(value.get("segments"))]
    # A link may be to where the sound is from, which has another name than the file.
    video = video_of(fields_of(value), links=False)
    heard = [segment for segment in segments if not _is_silence(segment)]
    rows: list[Row] = []
    again_and_again = 0
    for _, again in groupby(heard, lambda segment: text_of(segment.get("text")).strip().lower()):
        same = list(again)
        kept = same[: 1 if len(same) >= _LOOP else None]
        again_and_again += len(same) - len(kept)
        rows += [line for segment in kept for line in _lines(segment)]
    dropped = {"no_speech": len(segments) - len(heard), "loop": again_and_again}
    yield Entry(video, rows, seconds(value.get("audio_duration")), dropped=dropped)


def _lines(segment: dict[str, Any]) -> list[Row]:
    """Returns the segment as rows; a long one is cut at pauses if its words have times."""
    text = text_of(segment.get("text"))
    if len(text) > _MAX_CHARS:
        words = [_word(dict_of(word)) for word in list_of(segment.get("words"))]
        timed = [word for word in words if word is not None]
        if timed and len(timed) == len(words):
            parts = cut_run(timed, _MAX_CHARS)
            return [row(p[0].start_s, p[-1].end_s, " ".join(word.text for word in p), "speech") for p in parts]
    found = row(segment.get("start"), segment.get("end"), text, "speech")
    # transformers does not tell when the last line ends where the sound is cut off.
    if "timestamp" in segment and segment["end"] is None:
        found = found._replace(start_s=seconds(segment["start"]))
    return [found]


def _word(word: dict[str, Any]) -> _Word | None:
    start, end, text = seconds(word.get("start")), seconds(word.get("end")), text_of(first_of(word, "word", "text"))
    return None if start is None or end is None else _Word(start, end, text.strip())


def _is_silence(segment: dict[str, Any]) -> bool:
    silence, certainty = seconds(segment.get("no_speech_prob")), seconds(segment.get("avg_logprob"))
    return silence is not None and silence > _SILENCE and certainty is not None and certainty < _UNSURE


FORMAT = Format("whisper", _is_of, _read)
