"""Forms that resemble each other: a file is read as the one, with the videos, times and texts that it states."""

import json

import pytest

from stages.annotations.formats.entry import Entry, Row
from tests.stages.annotations.formats.examples import clip, said
from tests.stages.annotations.formats.test_read import read


def of(value, name="a.json"):
    """The format and the entries of a file with this content."""
    return read((value if isinstance(value, str) else json.dumps(value)).encode(), name)


def asked(question, answer):
    """A conversation."""
    return [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]


CLIP = [Entry("a.mp4", [clip(0.0, 2.0, "a man runs")])]


@pytest.mark.parametrize(
    "name",
    [
        "video",
        "video_path",
        "video_name",
        "videoID",
        "Video",
        "vid_name",
        "movie",
        "uri",
        "videoid",
        "youtube_id",
        "URL",
    ],
)
def test_texts_with_times_and_a_video_are_clips_and_not_speech(name):
    assert of([{name: "a.mp4", "start": 0, "end": 2, "text": "a man runs"}]) == ("clip_list", CLIP)
    assert of(f"{name},start,end,text\na.mp4,0,2,a man runs\n", "a.csv") == ("clip_list", CLIP)


@pytest.mark.parametrize(("name", "video"), [("url", ""), ("video", "https://youtu.be/abc")])
def test_what_whisper_heard_in_a_named_video_is_speech(name, video):
    heard = {"start": 0, "end": 2, "text": "Hi"}
    silence = {**heard, "no_speech_prob": 0.95, "avg_logprob": -1.5}
    transcript = {name: "https://youtu.be/abc", "text": "Hi", "segments": [heard, silence]}
    assert of(transcript) == ("whisper", [Entry(video, [said(0.0, 2.0, "Hi")], dropped={"no_speech": 1})])


def test_words_of_a_transcript_are_no_events():
    words = [{"start": 0, "end": 1, "text": "Hi"}]
    lines = [{"start": 0, "end": 2, "text": "Hi there."}]
    entries = [Entry("A", [said(0.0, 2.0, "Hi there.")])]
    assert of({"video_id": "A", "transcript": lines, "words": words}) == ("timelines", entries)
    assert of({"video_id": "A", "lines": [{**lines[0], "speaker": "S1"}]}) == ("timelines", entries)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("startTime", "endTime"), ("startSec", "endSec"), ("start time", "end time"), ("from", "to"), ("t0", "t1"),
        ("Start (s)", "End (s)"), ("start-time", "end-time"),
    ],
)  # fmt: skip
def test_captions_of_a_part_have_its_times(start, end):
    assert of([{"video": "a.mp4", start: 0, end: 2, "caption": "a man runs"}]) == ("clip_list", CLIP)


def test_captions_of_a_part_without_known_times_are_none_of_the_whole_video():
    row = {"video": "a.mp4", "caption": "a man runs"}
    assert of([{**row, "frames": [0, 60]}])[1] == [Entry("a.mp4", dropped={"no_time": 1})]
    assert of([{**row, "frames": [0, 60], "fps": 30}])[1] == CLIP
    for name in ("offset", "shot", "shotTime"):
        assert of([{**row, name: 3}]) == ("ids", [Entry("a.mp4", dropped={"unread_text": 1})])
    assert of([{**row, "frames": 241}])[0] == "webvid"


def test_times_of_msrvtt_are_those_of_the_cut():
    row = {"video_id": "video7", "start time": 10.5, "end time": 20.5, "caption": "a man runs"}
    assert of([row]) == ("webvid", [Entry("video7", [Row(0.0, None, "a man runs", "caption")])])


WHOLE = Row(0.0, None, "a man runs", "caption")


def test_an_empty_caption_costs_itself_alone():
    for names in ("videoid,name", "video,caption", "videoid,name,upload_time"):
        table = f"{names}\nA,{',x' * names.count('upload')}\nB,a man runs{',x' * names.count('upload')}\n"
        assert of(table, "a.csv") == ("webvid", [Entry("A", dropped={"no_text": 1}), Entry("B", [WHOLE])])


def test_openvid_with_numbered_records():
    rows = {str(i): {"video": video, "caption": "a man runs", "seconds": 8.0} for i, video in enumerate("AB")}
    assert of(rows) == ("webvid", [Entry("A", [WHOLE], 8.0), Entry("B", [WHOLE], 8.0)])


def test_questions_of_a_clip_do_not_hide_its_caption():
    row = {"video": "a.mp4", "start": 0, "end": 2, "caption": "a man runs"}
    questions = [{"question": "Who?", "answer": "He"}, {"start": 1, "end": 2, "question": "Where?", "answer": "Here"}]
    turns = [asked("From 0 to 2 seconds: Who?", "He"), asked("From 1 to 2 seconds: Where?", "Here")]
    conversations = [Entry("a.mp4", conversations=[each]) for each in turns]
    assert of([{**row, "qa": questions}, row]) == ("clip_list", [*CLIP, *conversations, *CLIP])
    del row["caption"]
    assert of([{**row, "qa": questions}]) == ("questions", conversations)


@pytest.mark.parametrize("name", ["caption", "text"])
def test_questions_of_a_video_do_not_hide_its_segments(name):
    segments = [{"start": 0, "end": 2, name: "a man runs"}]
    record = {"video": "a.mp4", "segments": segments, "qa": [{"question": "Who?", "answer": "He"}]}
    entries = [Entry("a.mp4", [Row(0.0, 2.0, "a man runs")]), Entry("a.mp4", conversations=[asked("Who?", "He")])]
    assert of([record]) == ("timelines", entries)


def test_lines_that_name_their_videos_belong_to_those():
    rows = [{"video": video, "start": 0, "end": 2, "caption": "a man runs"} for video in ("a.mp4", "b.mp4", "a.mp4")]
    line = Row(0.0, 2.0, "a man runs")
    entries = [Entry("a.mp4", [line, line]), Entry("b.mp4", [line])]
    assert of({"captions": rows}) == ("timelines", entries)
    assert of({"train": rows}) == ("timelines", [entry._replace(split="train") for entry in entries])
    points = [{"video_name": video, "time": 3.5, "caption": "x"} for video in ("a", "b")]
    point = Row(3.5, 3.5, "x", is_point=True)
    assert of({"annotations": points}) == ("timelines", [Entry("a", [point]), Entry("b", [point])])
    linked = [{"start": 0, "end": 2, "caption": "a man runs", "url": f"https://youtu.be/A?t={i}"} for i in (0, 2)]
    assert of({"A": linked}) == ("timelines", [Entry("A", [line, line])])


def test_a_key_names_the_video_rather_than_a_number():
    segments = [{"start": 0, "end": 2, "caption": "a man runs"}]
    entries = [Entry("dQw", [Row(0.0, 2.0, "a man runs")])]
    assert of({"dQw": {"id": 3, "segments": segments}}) == ("timelines", entries)
    assert of([{"id": "dQw", "segments": segments}]) == ("timelines", entries)


def test_narrations_with_a_start_and_an_end_are_no_points():
    told = [{"start_time": 0, "end_time": 2, "text": "a man runs"}]
    assert of({"A": {"narrations": told}}) == ("timelines", [Entry("A", [Row(0.0, 2.0, "a man runs")])])


def test_the_first_narrator_who_says_something_is_read_and_all_others_are_counted():
    def by(*times, rejected=False):
        return {"descriptions": [{"text": "C runs.", "timestamp": time} for time in times], "rejected": rejected}

    told = {"annotations": {"U": [by(), by(1.5, 2.5, rejected=True), by(), by(3.5), by(4.5, 5.5), by(6.5)]}}
    point = Row(3.5, 3.5, "C runs.", is_point=True)
    entries = [Entry("U", [point], dropped={"second_pass": 3, "rejected": 2})]
    assert of(told) == ("ego4d_narrations", entries)


@pytest.mark.parametrize("text", ["42", "1984", "10:30"])
def test_a_text_may_be_a_number(text):
    rows = [{"video": "a.mp4", "start": 0, "end": 2, "caption": text}]
    assert of(rows) == ("clip_list", [Entry("a.mp4", [clip(0.0, 2.0, text)])])


@pytest.mark.parametrize("delimiter", ["|", ";"])
def test_a_line_of_text_is_no_head_of_a_table(delimiter):
    chapters = f"Welcome {delimiter} Intro 0:00\nStates 1:51\nThe end 2:00\n"
    assert of(chapters, "A.txt")[0] == "chapters"
    table = "video;start;end;text\na.mp4;0;2;a man runs\n".replace(";", delimiter)
    assert of(table, "a.txt") == ("clip_list", CLIP)


def test_names_of_categories_are_no_sentences():
    rows = "video_id,category_1,category_2,rank\nA,Cars & Other Vehicles,Selecting and Buying a Car,3\n"
    assert of(rows, "HowTo100M_v1.csv") == ("ids", [Entry("A")])
