"""Small files in the form of each data set, written for these tests, and what each tells.

A case has the file's name, its content, the format it is found to be of, and the entries: video, rows and the rest.
"""

import json
from typing import Any, NamedTuple

from stages.annotations.formats.entry import Entry, Row


class Case(NamedTuple):
    """A file and what is in it."""

    name: str
    content: Any  # text as it is, anything else as JSON
    format: str
    entries: list[Entry]
    is_prediction: bool = False  # of a model: read only where the format is named

    @property
    def data(self) -> bytes:
        return (self.content if isinstance(self.content, str) else json.dumps(self.content)).encode()


def lines(*records: Any) -> str:
    """JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def said(start: float, end: float, text: str) -> Row:
    return Row(start, end, text, "speech")


def clip(start: float, end: float, text: str) -> Row:
    """A row of a clip list."""
    return Row(start, end, text, "clip")


def shown(start: float, end: float, text: str) -> Row:
    """A line of subtitles, whose times have a unit."""
    return Row(start, end, text, "speech", has_unit=True)


ANSWER = [
    {
        "from": "human",
        "value": "<image>\nWho?\n(A) He\n(B) She\nAnswer with the letter and the text of the right option.",
    },
    {"from": "gpt", "value": "(B) She"},
]
TURNS = [{"from": "human", "value": "<image>\nWhat does he hold?"}, {"from": "gpt", "value": "A cup."}]

CASES = {
    "ActivityNet": Case(
        "train.json",
        {"v_A": {"duration": 20.0, "timestamps": [[0.5, 9], [9, 30]], "sentences": [" He sits.", "He <b>stands</b>."]}},
        "activitynet",
        [Entry("v_A", [Row(0.5, 9.0, "He sits.", ref="0"), Row(9.0, 30.0, "He stands.", ref="1")], 20.0)],
    ),
    "ActivityNet with faults": Case(
        "train.json",
        {"v_A": {"duration": "?", "timestamps": [[0, 9], [1], "x", [5, 6]], "sentences": ["a", "b"]}},
        "activitynet",
        [Entry("v_A", [Row(0.0, 9.0, "a", ref="0"), Row(None, None, "b", ref="1")], dropped={"no_time_or_text": 2})],
    ),
    "TACoS": Case(
        "train.json",
        {"s1.avi": {"timestamps": [[50, 100]], "sentences": ["He cuts."], "fps": 25.0, "num_frames": 500}},
        "activitynet",
        [Entry("s1.avi", [Row(2.0, 4.0, "He cuts.", ref="0")], 20.0)],
    ),
    "YouCook2": Case(
        "youcookii.json",
        {
            "database": {
                "GLd3aX16zBg": {
                    "duration": 241.64,
                    "subset": "training",
                    "annotations": [{"id": 0, "segment": [90, 102], "sentence": "spread margarine"}],
                }
            }
        },
        "youcook2",
        [Entry("GLd3aX16zBg", [Row(90.0, 102.0, "spread margarine", ref="0")], 241.64)],
    ),
    "YouCook2 numbered": Case(
        "one.json",
        {
            "0": {
                "video_url": "https://www.youtube.com/watch?v=9GX8f5EwwE4",
                "annotations": [{"id": 0, "segment": [1, 2], "sentence": "cut"}],
            }
        },
        "youcook2",
        [Entry("https://www.youtube.com/watch?v=9GX8f5EwwE4", [Row(1.0, 2.0, "cut", ref="0")])],
    ),
    "YouCook2 translated": Case(
        "ja.json",
        {"database": {"GLd3aX16zBg": {"annotations": [{"id": 0, "sentence": "鍋に水を入れます"}]}}},
        "youcook2",
        [Entry("GLd3aX16zBg", [Row(None, None, "鍋に水を入れます", ref="0")])],
    ),
    "MIL-NCE": Case(
        "youcook.csv",
        "end,start,task,text,video_id\n60,47,226,pick the ends off,xHr8X2Wpmno\n",
        "clip_list",
        [Entry("xHr8X2Wpmno", [clip(47.0, 60.0, "pick the ends off")])],
    ),
    "HowTo100M": Case(
        "caption.json",
        {
            "-A": {"start": [0.4, 3], "end": [3.9, 5], "text": ["hi all", "bye"]},
            "B": {"start": [1], "end": [], "text": []},
        },
        "howto100m",
        [Entry("-A", [said(0.4, 3.9, "hi all"), said(3.0, 5.0, "bye")]), Entry("B", dropped={"no_time_or_text": 1})],
    ),
    "HowTo100M CSV": Case(
        "-A.csv", "start,end,text\n0.4,3.9,hi all\n", "howto100m", [Entry("", [said(0.4, 3.9, "hi all")])]
    ),
    "Whisper": Case(
        "a.json",
        {
            "text": "...",
            "language": "en",
            "segments": [
                {"start": 0, "end": 2.4, "text": " Hi there.", "no_speech_prob": 0.1, "avg_logprob": -0.2},
                {"start": 3, "end": 4, "text": "Thank you.", "no_speech_prob": 0.9, "avg_logprob": -1.5},
                *({"start": i, "end": i + 1, "text": " I'm sorry."} for i in range(5, 10)),
                {"start": 10, "end": None, "text": "and"},
            ],
        },
        "whisper",
        [
            Entry(
                "",
                [said(0, 2.4, "Hi there."), said(5, 6, "I'm sorry.")],
                dropped={"no_speech": 1, "loop": 4, "no_time": 1},
            )
        ],
    ),
    "WhisperX": Case(
        "a.json",
        {
            "segments": [{"start": 0.1, "end": 1.5, "text": "Hi.", "words": [{"word": "Hi.", "score": 0.9}]}],
            "word_segments": [{"word": "Hi.", "start": 0.1, "end": 0.4}],
        },
        "whisper",
        [Entry("", [said(0.1, 1.5, "Hi.")])],
    ),
    "Whisper on silence": Case("a.json", {"text": "", "segments": [], "language": "en"}, "whisper", [Entry("")]),
    "Whisper TSV": Case(
        "a.tsv", "start\tend\ttext\n0\t2400\tHi, all\n", "whisper", [Entry("", [said(0.0, 2.4, "Hi, all")])]
    ),
    "json3": Case(
        "a.en.json3",
        {
            "wireMagic": "pb3",
            "events": [
                {"tStartMs": 0, "dDurationMs": 120000, "id": 1},
                {"tStartMs": 160, "dDurationMs": 3280, "segs": [{"utf8": "hi"}, {"utf8": " all", "tOffsetMs": 240}]},
                {"tStartMs": 1900, "dDurationMs": 1540, "aAppend": 1, "segs": [{"utf8": "\n"}]},
                {"tStartMs": 1910, "dDurationMs": 4000, "segs": [{"utf8": "we\ncook", "acAsrConf": 0}]},
            ],
        },
        "youtube_json3",
        [Entry("", [shown(0.16, 3.44, "hi all"), shown(1.91, 5.91, "we cook")])],
    ),
    "srv1": Case(
        "a.srv1",
        '<?xml version="1.0" encoding="utf-8" ?><transcript>'
        '<text start="0.5" dur="1.5">it&amp;#39;s</text></transcript>',
        "youtube_xml",
        [Entry("", [shown(0.5, 2.0, "it's")])],
    ),
    "srv3": Case(
        "a.ytt",
        '<timedtext format="3"><head><pen id="1"/></head><body><!-- a -->'
        '<p t="1540" d="4160">\u200bthis <s p="1">is</s></p><p t="1" d="2"> </p></body></timedtext>',
        "youtube_xml",
        [Entry("", [shown(1.54, 5.7, "this is")])],
    ),
    "WebVTT": Case(
        "a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\nHi,\nall\n", "subtitles", [Entry("", [shown(1.0, 2.5, "Hi, all")])]
    ),
    "SBV": Case("a.sbv", "0:00:01.000,0:00:02.500\nHi all\n", "subtitles", [Entry("", [shown(1.0, 2.5, "Hi all")])]),
    "SBV with a bad time": Case(
        "a.sbv",
        "0:00:01.000,0:00:02.500\nHi all\n\n0:00:03.x00,0:00:04.000\nlost\n\nlost\n\n0:00:05.000,0:00:06.000\nbye\n",
        "subtitles",
        [Entry("", [shown(1.0, 2.5, "Hi all"), shown(5.0, 6.0, "bye")], dropped={"no_time": 1})],
    ),
    "MicroDVD with bad lines": Case(
        "a.sub",
        "{1}{1}25.0\n{25}{50}Hi all\n{5x}{60}lost\nlost\n\n{75}{}lost\n{90}{80}lost\n{95}{99}\n{100}{125}{y:i}bye\n",
        "subtitles",
        [Entry("", [shown(1.0, 2.0, "Hi all"), shown(4.0, 5.0, "bye")], dropped={"no_time": 4, "no_text": 1})],
    ),
    "SubRip with bad cues": Case(
        "a.srt",
        "1\n00:00:01,000 --> 00:00:02,000\nHi all\n\n2\n00:00:xx,000 --> 00:00:04,000\nlost\n\n"
        "3\n00:00:05,000 --> 00:00:04,000\nlost\n",
        "subtitles",
        [Entry("", [shown(1.0, 2.0, "Hi all")], dropped={"no_time": 2})],
    ),
    "MicroDVD": Case("a.sub", "{1}{1}25.0\n{25}{50}Hi all\n", "subtitles", [Entry("", [shown(1.0, 2.0, "Hi all")])]),
    "COIN": Case(
        "COIN.json",
        {"database": {"A": {"duration": 185.0, "annotation": [{"id": "4", "segment": [0.0, 18.0], "label": "wipe"}]}}},
        "coin",
        [Entry("A", [Row(0.0, 18.0, "wipe")], 185.0)],
    ),
    "COIN, a list": Case(
        "coin.json",
        [
            {"A": {"annotation": [{"segment": [0, 1], "label": "a"}]}},
            {"B": {"annotation": [{"segment": [1, 2], "label": "b"}]}},
        ],
        "coin",
        [Entry("A", [Row(0.0, 1.0, "a")]), Entry("B", [Row(1.0, 2.0, "b")])],
    ),
    "CrossTask": Case(
        "113766_yIRL8Ol1JdA.csv",
        "1,24.86,34.02\n2,36.71,40\n",
        "crosstask",
        [
            Entry(
                "yIRL8Ol1JdA",
                [Row(24.86, 34.02, "", label="crosstask 113766 1"), Row(36.71, 40.0, "", label="crosstask 113766 2")],
            )
        ],
    ),
    "CrossTask's tasks": Case(
        "tasks_primary.txt",
        "113766\nGrow Mushrooms\nhttp://www.wikihow.com/Grow\n2\nopen bag,pour in water\n\n9999\nX\nhttps://y.org\n1\nz\n",
        "crosstask",
        [
            Entry(
                "",
                labels={
                    "crosstask 113766 1": "open bag",
                    "crosstask 113766 2": "pour in water",
                    "crosstask 9999 1": "z",
                },
            )
        ],
    ),
    "HT-Step": Case(
        "predictions.csv",
        "Unnamed: 0,video-id,t-start,t-end,label,score\n0,-25,3.5,8.1,513,0.61\n",
        "htstep",
        [Entry("-25", [Row(3.5, 8.1, "", label="htstep 513")])],
        is_prediction=True,
    ),
    "HT-Step's predictions that are unlikely": Case(
        "predictions.csv",
        "video-id,t-start,t-end,label,score\n-25,3.5,8.1,513,0.31\n",
        "htstep",
        [Entry("-25", dropped={"low_score": 1})],
        is_prediction=True,
    ),
    "HT-Step's annotations": Case(
        "annotations.json",
        {"-25": {"subset": "train", "activity": "Make Pie", "annotations": [{"id": 513, "segment": [3.5, 8.1]}]}},
        "htstep",
        [Entry("-25", [Row(3.5, 8.1, "", label="htstep 513")], split="train")],
    ),
    "HT-Step's taxonomy": Case(
        "taxonomy.csv",
        "global_step_index,activity,step_index,variation,variation_index,headline,paragraph\n"
        '513,Make Pie,0,none,1,Mash it.,"a, b"\n',
        "htstep",
        [Entry("", labels={"htstep 513": "Mash it."})],
    ),
    "splits": Case(
        "splits.json",
        {"train": ["-A", "B"], "val_seen": ["C"]},
        "ids",
        [Entry("-A", split="train"), Entry("B", split="train"), Entry("C", split="val_seen")],
    ),
    "ids": Case("videos.csv", "video_path\nA.mp4\n", "ids", [Entry("A.mp4")]),
    "EgoSchema's clips": Case(
        "uids.json",
        {"q1": {"video_uid": "4c64", "starting_sec": 270, "ending_sec": 450}},
        "ids",
        [Entry("q1", clip_of="4c64", offset_s=270.0)],
    ),
    "Ego4D": Case(
        "narration.json",
        {
            "videos": {
                "77ed": {
                    "narration_pass_1": {
                        "narrations": [{"timestamp_sec": 3.4, "narration_text": "#C C picks up a knife"}],
                        "summaries": [{"start_sec": 0, "end_sec": 300, "summary_text": "#Summary C cooked"}],
                    },
                    "narration_pass_2": {
                        "narrations": [{"timestamp_sec": 3.5, "narration_text": "#C C takes a knife"}]
                    },
                },
                "88ed": {
                    "status": "redacted",
                    "narration_pass_2": {"narrations": [{"timestamp_sec": 1, "narration_text": "#unsure"}]},
                },
            }
        },
        "ego4d_narrations",
        [
            Entry(
                "77ed",
                [Row(3.4, 3.4, "#C C picks up a knife", is_point=True), Row(0.0, 300.0, "C cooked", "caption")],
                dropped={"second_pass": 1},
            ),
            Entry("88ed", [Row(1.0, 1.0, "#unsure", is_point=True)]),
        ],
    ),
    "Goal-Step": Case(
        "goalstep.json",
        {
            "version": "1.0",
            "videos": [
                {
                    "video_uid": "0e6f",
                    "start_time": 0.02,
                    "end_time": 352.4,
                    "goal_description": "Cooking rice",
                    "segments": [
                        {
                            "start_time": 1,
                            "end_time": 9.5,
                            "step_description": "dices cabbages",
                            "segments": [{"start_time": 2, "end_time": 3, "step_description": "cut onion"}],
                        }
                    ],
                }
            ],
        },
        "goalstep",
        [
            Entry(
                "0e6f",
                [
                    Row(0.02, 352.4, "Cooking rice", "caption"),
                    Row(1.0, 9.5, "dices cabbages"),
                    Row(2.0, 3.0, "cut onion"),
                ],
                352.4,
            )
        ],
    ),
    "InternVid": Case(
        "internvid.jsonl",
        lines(
            {"YoutubeID": "A", "Start_timestamp": "00:00:18.100", "End_timestamp": "00:00:21.2", "Caption": "he dances"}
        ),
        "clip_list",
        [Entry("A", [clip(18.1, 21.2, "he dances")])],
    ),
    "EgoClip": Case(
        "egoclip.csv",
        "video_uid\tvideo_dur\tnarration_time\tclip_start\tclip_end\tclip_text\n"
        "77ed\t128.0\t3.3\t2.3\t4.3\t#C C walks\n",
        "clip_list",
        [Entry("77ed", [clip(2.3, 4.3, "#C C walks")], 128.0)],
    ),
    "one list": Case(
        "events.jsonl",
        lines({"video": "a.mp4", "start_s": 1, "end_s": 2, "text": "runs", "kind": "scene"}),
        "clip_list",
        [Entry("a.mp4", [Row(1.0, 2.0, "runs", "scene")])],
    ),
    "Panda-70M": Case(
        "panda.csv",
        "videoID,url,timestamp,caption,matching_score\n"
        "-A,https://x.org,\"[['0:00:16.300', '0:00:32.566'], ['0:01:00.000', '0:01:02.000']]\",\""
        '[\'A dog.\', ""A cat\'s.""]","[0.4, 0.5]"\n'
        'B,https://x.org,"[[1, 2",x,[]\n',
        "panda70m",
        [
            Entry("-A", [clip(16.3, 32.566, "A dog."), clip(60.0, 62.0, "A cat's.")]),
            Entry("B", dropped={"no_time_or_text": 1}),
        ],
    ),
    "Koala-36M": Case(
        "koala.csv",
        "videoID,url,timestamp,caption,clarity_score\nA,https://x.org,\"['0:00:16.300', '0:00:32.5']\",A dog.,0.9\n",
        "panda70m",
        [Entry("A", [clip(16.3, 32.5, "A dog.")])],
    ),
    "HD-VILA": Case(
        "hdvila.jsonl",
        lines(
            {
                "video_id": "A",
                "clip": [
                    {"clip_id": "A.1.mp4", "span": ["00:00:17.759", "00:00:23.279"]},
                    {"clip_id": "A.2.mp4", "span": ["00:01:00.000", "00:01:02.000"], "text": "a boat"},
                ],
            }
        ),
        "hdvila",
        [Entry("A", [clip(17.759, 23.279, ""), clip(60.0, 62.0, "a boat")])],
    ),
    "MiraData": Case(
        "miradata.csv",
        "index,video_id,timestamp,short_caption,dense_caption,style_caption,,\n"
        "0,A,\"['0:01:10.000', '0:02:12.500']\",A car., and a red car drives by.,Dark.,,\n,,,,,,,\n",
        "miradata",
        [
            Entry("A", [clip(70.0, 132.5, "and a red car drives by.")], dropped={"other_caption": 2}),
            Entry("", dropped={"empty_row": 1}),
        ],
    ),
    "Vript": Case(
        "A_caption.json",
        {
            "meta": {"video_id": "A", "num_clips": 2},
            "data": {
                "A-Scene-002": {"caption": {"shot_type": "Close-up", "content": "He waves."}, "voiceover": ["hi"]},
                "A-Scene-001": {"caption": {"content": ""}},
            },
        },
        "vript",
        [Entry("A", [Row(None, None, "He waves.", ref="A-Scene-002")], dropped={"no_text": 1})],
    ),
    "Vript's cuts": Case(
        "A_cut_meta.json",
        {"A-Scene-002": {"start_time": "00:00:06.500", "end_time": "00:00:09.000"}},
        "vript",
        [Entry("A", [Row(6.5, 9.0, "", ref="A-Scene-002")])],
    ),
    "Vript's speech": Case(
        "A_asr.jsonl",
        lines({"clip_id": "A-Scene-002", "start": 0.4, "end": 1.9, "text": "hello", "lang": "pt"}),
        "vript",
        [Entry("A", [said(0.4, 1.9, "hello")._replace(within="A-Scene-002")])],
    ),
    "ShareGPT4Video": Case(
        "share.jsonl",
        lines(
            {
                "video_id": "A",
                "timestamp": ["00:00:00.000", "00:00:08.500"],
                "keyframe": [0, 2, 6],
                "captions": [
                    {"idx": "-1", "content": "All of it."},
                    {"idx": "0", "content": "First."},
                    {"idx": "2", "content": "Last."},
                    {"idx": "3", "content": "Nowhere."},
                ],
            }
        ),
        "sharegpt4video",
        [
            Entry(
                "A",
                [Row(0.0, None, "All of it.", "caption"), Row(0.0, 2.0, "First."), Row(6.0, 8.5, "Last.")],
                8.5,
                dropped={"no_time": 1},
            )
        ],
    ),
    "FineVideo": Case(
        "sample_1.json",
        {
            "content_metadata": {
                "scenes": [
                    {
                        "title": "Intro",
                        "timestamps": {"start_timestamp": "00:00:00.000", "end_timestamp": "00:00:12.000"},
                        "activities": [
                            {
                                "description": "He opens a box.",
                                "timestamp": {"start_timestamp": "00:00:03.000", "end_timestamp": "00:00:08.500"},
                            }
                        ],
                    }
                ],
                "qAndA": [{"scenes": [1, 2]}],
            },
            "original_video_filename": "sample_1.mp4",
            "duration_seconds": 120,
        },
        "finevideo",
        [Entry("sample_1.mp4", [Row(0.0, 12.0, "Intro", "scene"), Row(3.0, 8.5, "He opens a box.")], 120.0)],
    ),
    "WebVid": Case(
        "webvid.csv",
        "videoid,name,page_idx,duration,contentUrl\n105,Horse grazing,27732,PT00H00M17S,https://x.org/105.mp4\n",
        "webvid",
        [Entry("105", [Row(0.0, None, "Horse grazing", "caption")], 17.0)],
    ),
    "OpenVid": Case(
        "openvid.csv",
        "video,caption,aesthetic score,frame,fps,seconds\nA_13_0to241.mp4,He waits.,5.4,241,29.97,8.04\n",
        "webvid",
        [Entry("A_13_0to241.mp4", [Row(0.0, None, "He waits.", "caption")], 8.04)],
    ),
    "yt-dlp's chapters": Case(
        "a.info.json",
        {"id": "A", "duration": 574, "chapters": [{"start_time": 0.0, "end_time": 111, "title": "Intro"}]},
        "chapters",
        [Entry("A", [Row(0.0, 111.0, "Intro", "chapter")], 574.0)],
    ),
    "chapters of a description": Case(
        "a.txt",
        "My video\n00:00 Intro\n(1:51) - States: of mind\nEnd 1:02:03\n",
        "chapters",
        [
            Entry(
                "",
                [
                    Row(0.0, 111.0, "Intro", "chapter"),
                    Row(111.0, 3723.0, "States: of mind", "chapter"),
                    Row(3723.0, None, "End", "chapter"),
                ],
            )
        ],
    ),
    "Charades-STA": Case(
        "sta.txt",
        "AO8RW 0.0 6.9##he puts down a book.\nbad line\n",
        "charades",
        [Entry("AO8RW", [Row(0.0, 6.9, "he puts down a book.")]), Entry("", dropped={"no_time_or_text": 1})],
    ),
    "Charades": Case(
        "charades.json",
        {"7UPGT": {"subset": "training", "duration": 23.21, "actions": [[149, 16.0, 22.2], [1]]}},
        "charades",
        [Entry("7UPGT", [Row(16.0, 22.2, "", label="charades 149")], 23.21)],
    ),
    "Charades' classes": Case(
        "classes.txt",
        "c000 Holding some clothes\nc149 Laughing\n",
        "charades",
        [Entry("", labels={"charades 0": "Holding some clothes"}), Entry("", labels={"charades 149": "Laughing"})],
    ),
    "QVHighlights": Case(
        "highlight.jsonl",
        lines(
            {
                "qid": 1,
                "query": "He sings",
                "duration": 150,
                "vid": "A_60.0_210.0",
                "relevant_windows": [[0, 16], [20, 24]],
            },
            {"qid": 2, "query": "He runs", "duration": 150, "vid": "B_60.0_210.0"},
        ),
        "qvhighlights",
        [
            Entry("A_60.0_210.0", [Row(0.0, 16.0, "He sings"), Row(20.0, 24.0, "He sings")], 150.0, "A", 60.0),
            Entry("B_60.0_210.0", [], 150.0, "B", 60.0, dropped={"no_time": 1}),
        ],
    ),
    "DiDeMo": Case(
        "didemo.json",
        [
            {
                "video": "1@N01_2.mov",
                "description": "he bends",
                "num_segments": 6,
                "times": [[1, 1], [1, 2], [1, 2], [0, 0]],
            },
            {"video": "B.mov", "description": "he sits", "num_segments": 6, "times": [[1, 1], [2, 2], [3, 3]]},
        ],
        "didemo",
        [Entry("1@N01_2.mov", [Row(5.0, 15.0, "he bends")]), Entry("B.mov", dropped={"annotators_disagree": 1})],
    ),
    "TimeChat": Case(
        "gt.json",
        {
            "annotations": [
                {"image_id": "A.mp4", "caption": "turn on.", "timestamp": [24.3, 30.4]},
                {
                    "image_id": "B.mp4",
                    "duration": "200",
                    "segments": "[[16, 26], [30, 40]]",
                    "caption": "<time_token_8> <time_token_13> mix it <time_token_15> <time_token_20> eat it",
                },
                {"image_id": "C.mp4", "duration": "200", "caption": "<time_token_8> <time_token_13> mix it"},
            ]
        },
        "timechat",
        [
            Entry("A.mp4", [Row(24.3, 30.4, "turn on.")]),
            Entry("B.mp4", [Row(16.0, 26.0, "mix it"), Row(30.0, 40.0, "eat it")], 200.0),
            Entry("C.mp4", [Row(16.0, 26.0, "mix it")], 200.0),
        ],
    ),
    "TimeChat's captions": Case(
        "pred.json",
        {"A.mp4": [{"timestamp": [21.9, 128.0], "caption": "cuts."}]},
        "timechat",
        [Entry("A.mp4", [Row(21.9, 128.0, "cuts.")])],
        is_prediction=True,
    ),
    "TimeChat's windows": Case(
        "pred.json",
        {
            "1": {"timestamp": [], "query": "drinks", "vid": "A.mp4"},
            "2": {"timestamp": [[1, 2]], "query": "eats", "vid": "A.mp4"},
        },
        "timechat",
        [Entry("A.mp4", [], dropped={"no_time": 1}), Entry("A.mp4", [Row(1.0, 2.0, "eats")])],
        is_prediction=True,
    ),
    "LLaVA": Case(
        "llava.json",
        [
            {"id": "1", "video": "a.mp4", "duration": 21.3, "conversations": TURNS},
            {"id": "2", "video": ["a.mp4", "b.mp4"], "conversations": TURNS},
            {"id": "3", "image": "a.jpg", "conversations": TURNS},
            {"id": "4", "video": "c.mp4", "conversations": [{"from": "human"}]},
        ],
        "llava",
        [
            Entry("a.mp4", duration_s=21.3, conversations=[TURNS]),
            Entry("", dropped={"several_videos": 1}, questions=[TURNS[0]["value"]]),
            Entry("", dropped={"no_video": 1}, questions=[TURNS[0]["value"]]),
            Entry("c.mp4", dropped={"bad_conversation": 1}),
        ],
    ),
    "MLVU": Case(
        "mlvu.json",
        [
            {"video": "a.mp4", "duration": 9, "question": "Who?", "candidates": ["He", "She"], "answer": "She"},
            {"video": "a.mp4", "question": "Who?", "candidates": ["He", "he"], "answer": "He"},
            {"video": "a.mp4", "question": "Who?", "candidates": ["He", "She"], "answer": "It"},
            {"video": "a.mp4", "question": " ", "candidates": ["He", "She"], "answer": "He"},
            {"video": "a.mp4", "question": "Who?", "candidates": ["He", "She"]},
        ],
        "questions",
        [
            Entry("a.mp4", duration_s=9.0, conversations=[ANSWER]),
            Entry("a.mp4", dropped={"doubled_options": 1}, questions=["Who?\nHe\nhe"]),
            Entry("a.mp4", dropped={"answer_not_an_option": 1}, questions=["Who?\nHe\nShe"]),
            Entry("a.mp4", dropped={"empty_question": 1}),
            Entry("a.mp4", dropped={"no_answer": 1}, questions=["Who?\nHe\nShe"]),
        ],
    ),
    "NExT-QA": Case(
        "val.csv",
        "video,frame_count,question,answer,qid,type,a0,a1\n4010,369,Who?,1,6,CH,He,She\n",
        "questions",
        [Entry("4010", conversations=[ANSWER])],
    ),
    "Video-MME": Case(
        "mme.json",
        [{"video_id": "001", "videoID": "fFjv", "question": "Who?", "options": ["A. He", "B. She"], "answer": "B"}],
        "questions",
        [Entry("fFjv", conversations=[ANSWER])],
    ),
    "LongVideoBench": Case(
        "lvb.json",
        [
            {
                "video_id": "86Cx",
                "question": "Who?",
                "option0": "He",
                "option1": "She",
                "option4": "N/A",
                "correct_choice": 1,
            }
        ],
        "questions",
        [Entry("86Cx", conversations=[ANSWER])],
    ),
    "LVBench": Case(
        "lv.json",
        [{"video": "0", "question": "Who?", "candidates": ["(A) He", "(B) She"], "answer": "(B) She"}],
        "questions",
        [Entry("0", conversations=[ANSWER])],
    ),
    "ActivityNet-QA": Case(
        "qa.json",
        [{"video_name": "v_A", "question": "is he tall", "answer": "no"}],
        "questions",
        [
            Entry(
                "v_A",
                conversations=[[{"from": "human", "value": "<image>\nis he tall"}, {"from": "gpt", "value": "no"}]],
            )
        ],
    ),
    "Segments alone": Case(
        "a.json",
        [{"id": 1, "start": 0.5, "end": 2.4, "text": " Hi there."}, {"text": "Good day", "start": 3, "duration": 1.5}],
        "whisper",
        [Entry("", [said(0.5, 2.4, "Hi there.")]), Entry("", [said(3.0, 4.5, "Good day")])],
    ),
    "transformers": Case(
        "a.json",
        {
            "text": "Hi. All.",
            "chunks": [{"timestamp": [0.0, 2.4], "text": " Hi."}, {"timestamp": [2.4, None], "text": "All."}],
        },
        "whisper",
        [Entry("", [said(0.0, 2.4, "Hi."), Row(2.4, None, "All.", "speech")])],
    ),
    "whisper.cpp": Case(
        "a.json",
        {"params": {}, "transcription": [{"offsets": {"from": 0, "to": 2400}, "text": " Hi."}, {"text": "lost"}]},
        "whisper",
        [Entry("", [said(0.0, 2.4, "Hi.")], dropped={"no_time": 1})],
    ),
    "ActivityNet 1.3": Case(
        "anet.json",
        {
            "version": "1.3",
            "database": {"A": {"duration": 9.5, "annotations": [{"segment": [0, 2.5], "label": "Sliding"}]}},
        },
        "youcook2",
        [Entry("A", [Row(0.0, 2.5, "Sliding")], 9.5)],
    ),
    "Kinetics JSON": Case(
        "train.json",
        {
            "---QUuC4vJs": {
                "annotations": {"label": "running", "segment": [84.0, 94.0]},
                "duration": 10.0,
                "subset": "train",
            }
        },
        "youcook2",
        [
            Entry(
                "---QUuC4vJs_000084_000094",
                [Row(0.0, 10.0, "running")],
                clip_of="---QUuC4vJs",
                offset_s=84.0,
                split="train",
            )
        ],
    ),
    "Kinetics": Case(
        "train.csv",
        "label,youtube_id,time_start,time_end,split\nrunning,---QUuC4vJs,84,94,train\n",
        "clip_list",
        [Entry("---QUuC4vJs_000084_000094", [clip(0.0, 10.0, "running")], clip_of="---QUuC4vJs", offset_s=84.0)],
    ),
    "EPIC-KITCHENS": Case(
        "EPIC_100_train.csv",
        "narration_id,video_id,narration_timestamp,start_timestamp,stop_timestamp,start_frame,narration,verb,all_nouns\n"
        "P01_01_0,P01_01,00:00:01.089,00:00:00.14,00:00:03.37,8,open door,open,\"['door']\"\n",
        "clip_list",
        [Entry("P01_01", [clip(0.14, 3.37, "open door")])],
    ),
    "HACS": Case(
        "hacs.csv",
        "youtube_id,subset,classname,start,end,label\nA,training,Archery,1.0,2.5,1\n",
        "clip_list",
        [Entry("A", [clip(1.0, 2.5, "Archery")])],
    ),
    "TVR": Case(
        "tvr.jsonl",
        lines({"vid_name": "friends_s01e03", "duration": 61.5, "ts": [16.5, 33.9], "desc": "He runs.", "desc_id": 1}),
        "clip_list",
        [Entry("friends_s01e03", [clip(16.5, 33.9, "He runs.")], 61.5)],
    ),
    "MAD": Case(
        "MAD_train.json",
        {"0": {"movie": "10142", "sentence": "He runs.", "timestamps": [1.0, 3.0], "movie_duration": 500.0}},
        "clip_list",
        [Entry("10142", [clip(1.0, 3.0, "He runs.")], 500.0)],
    ),
    "MSR-VTT": Case(
        "train_val_videodatainfo.json",
        {
            "videos": [
                {"video_id": "video0", "url": "x", "start time": 137.7, "end time": 149.4, "split": "train", "id": 0}
            ],
            "sentences": [
                {"caption": "a car is shown", "video_id": "video0", "sen_id": 0},
                {"caption": "a man drives", "video_id": "video0", "sen_id": 1},
            ],
        },
        "webvid",
        [
            Entry("video0", split="train"),
            Entry("video0", [Row(0.0, None, "a car is shown", "caption")]),
            Entry("video0", [Row(0.0, None, "a man drives", "caption")]),
        ],
    ),
    "MSR-VTT rows": Case(
        "msrvtt.json",
        [{"video_id": "video0", "video": "video0.mp4", "caption": ["a car", "a man"], "start time": 1, "end time": 9}],
        "webvid",
        [Entry("video0", [Row(0.0, None, "a car", "caption"), Row(0.0, None, "a man", "caption")])],
    ),
    "VATEX": Case(
        "vatex.json",
        [{"videoID": "Ptf_2VRj-V0_000122_000132", "enCap": ["He runs."], "chCap": ["x", "y"]}],
        "webvid",
        [
            Entry(
                "Ptf_2VRj-V0_000122_000132",
                [Row(0.0, 10.0, "He runs.", "caption")],
                clip_of="Ptf_2VRj-V0",
                offset_s=122.0,
                dropped={"other_language": 2},
            )
        ],
    ),
    "Something-Something": Case(
        "ssv2.json",
        [
            {
                "id": "78687",
                "label": "holding potato next to a box",
                "template": "Holding [something] next to [something]",
            }
        ],
        "webvid",
        [Entry("78687", [Row(0.0, None, "holding potato next to a box", "caption")])],
    ),
    "A video and a caption": Case(
        "a.jsonl",
        lines({"video": "a.mp4", "caption": "He runs."}),
        "webvid",
        [Entry("a.mp4", [Row(0.0, None, "He runs.", "caption")])],
    ),
    "A list of ids with texts": Case(
        "ids.json",
        [{"video_id": "A", "title": "How to bake"}, {"video_id": "B", "steps": [{"what": "he cuts the bread"}]}],
        "ids",
        [Entry("A"), Entry("B", dropped={"unread_text": 1})],
    ),
    "Charades CSV": Case(
        "Charades_v1_train.csv",
        "id,subject,scene,script,objects,descriptions,actions,length\n"
        "46GP8,HR43,Kitchen,A person cooks.,food;stove,He cooks.;He eats.,c092 11.90 21.20;c147 0.00;,24.83\n",
        "charades",
        [
            Entry(
                "46GP8",
                [Row(0.0, None, "He cooks.", "caption"), Row(11.9, 21.2, "", label="charades 92")],
                24.83,
                dropped={"no_time_or_text": 1, "other_caption": 1},
            )
        ],
    ),
    "SoccerNet": Case(
        "Labels-v2.json",
        {
            "UrlLocal": "epl/2014/m/",
            "annotations": [
                {"gameTime": "1 - 00:31", "label": "Foul", "position": "31460", "visibility": "visible"},
                {"gameTime": "2 - 00:05", "label": "Goal", "position": "5200", "visibility": "not shown"},
                {"gameTime": "2 - 00:06", "label": "Foul", "position": "6000", "visibility": "visible"},
            ],
        },
        "soccernet",
        [
            Entry(
                "epl/2014/m/1_720p.mkv",
                [Row(31.46, 31.46, "Foul", is_point=True, has_unit=True)],
                clip_of="epl/2014/m/1_224p.mkv",
            ),
            Entry(
                "epl/2014/m/2_720p.mkv",
                [Row(6.0, 6.0, "Foul", is_point=True, has_unit=True)],
                clip_of="epl/2014/m/2_224p.mkv",
            ),
            Entry("", dropped={"not_visible": 1}),
        ],
    ),
    "Perception Test": Case(
        "all_train.json",
        {
            "video_1": {
                "metadata": {"split": "train", "frame_rate": 30.0, "num_frames": 300},
                "mc_question": [{"question": "Who?", "options": ["He", "She"], "answer_id": 1}],
                "action_localisation": [{"label": "Putting", "timestamps": [0, 1500000]}, {"label": "Other"}],
                "sound_localisation": [{"label": "Talk", "timestamps": [0, 1]}],
            }
        },
        "perceptiontest",
        [
            Entry(
                "video_1",
                [Row(0.0, 1.5, "Putting", has_unit=True)],
                10.0,
                split="train",
                dropped={"sound": 1, "no_time": 1},
            ),
            Entry("video_1", duration_s=10.0, conversations=[ANSWER]),
        ],
    ),
    "Ego4D queries and moments": Case(
        "nlq_train.json",
        {
            "version": "1",
            "videos": [
                {
                    "video_uid": "U",
                    "split": "train",
                    "clips": [
                        {
                            "annotations": [
                                {"language_queries": [{"query": "Where is it?", "video_start_sec": 1.0}]},
                                {
                                    "labels": [
                                        {
                                            "label": "cut_bread",
                                            "primary": True,
                                            "video_start_time": 12.0,
                                            "video_end_time": 14.0,
                                        },
                                        {"label": "cut_dough", "primary": False},
                                    ]
                                },
                            ]
                        }
                    ],
                }
            ],
        },
        "ego4d_clips",
        [
            Entry(
                "U",
                [Row(12.0, 14.0, "cut bread")],
                questions=["Where is it?"],
                split="train",
                dropped={"no_answer": 1, "second_pass": 1},
            )
        ],
    ),
    "Ego4D actions": Case(
        "fho_main.json",
        {
            "videos": [
                {
                    "video_uid": "U",
                    "annotated_intervals": [
                        {"narrated_actions": [{"narration_text": "#C C runs", "narration_timestamp_sec": 14.1}]}
                    ],
                }
            ]
        },
        "ego4d_clips",
        [Entry("U", [Row(14.1, 14.1, "#C C runs", is_point=True)])],
    ),
    "Ego-Exo4D descriptions": Case(
        "atomic_descriptions_train.json",
        {
            "ds": "240101",
            "annotations": {
                "U": [
                    {"descriptions": [{"text": "C sits.", "timestamp": 9.0}], "rejected": True},
                    {"descriptions": [{"text": "C runs.", "timestamp": 0.8}], "rejected": False},
                    {"descriptions": [{"text": "C goes.", "timestamp": 0.9}], "rejected": False},
                ]
            },
        },
        "ego4d_narrations",
        [Entry("U", [Row(0.8, 0.8, "C runs.", is_point=True)], dropped={"second_pass": 1, "rejected": 1})],
    ),
    "Ego-Exo4D keysteps": Case(
        "keystep_train.json",
        {
            "annotations": {
                "U": {
                    "take_name": "cooking_3",
                    "take_uid": "U",
                    "segments": [{"start_time": 1.2, "end_time": 5.6, "step_name": "Get eggs"}],
                }
            },
        },
        "goalstep",
        [Entry("cooking_3", [Row(1.2, 5.6, "Get eggs")])],
    ),
    "ViTT": Case(
        "ViTT-annotations.json",
        lines(
            {
                "id": "FmTp",
                "annotations": [{"timestamp": 16000, "tag": "Cutting"}, {"timestamp": 260, "tag": "Opening"}],
            }
        ),
        "chapters",
        [
            Entry(
                "FmTp",
                [
                    Row(0.26, 16.0, "Opening", "chapter", has_unit=True),
                    Row(16.0, None, "Cutting", "chapter", has_unit=True),
                ],
            )
        ],
    ),
    "Chapters by time": Case(
        "chapters.json",
        {"A": {"duration": 90, "chapters": {"00:00:10": "Cutting", "0": "Intro", "x": "lost"}}},
        "chapters",
        [
            Entry(
                "A",
                [Row(0.0, 10.0, "Intro", "chapter"), Row(10.0, None, "Cutting", "chapter")],
                90.0,
                dropped={"no_time": 1},
            )
        ],
    ),
    "Messages": Case(
        "sharegpt.jsonl",
        lines(
            {
                "messages": [
                    {"role": "user", "content": "<image>\nWhat does he hold?"},
                    {"role": "assistant", "content": "A cup."},
                ],
                "videos": ["a.mp4"],
            },
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "video", "video": "b.mp4"}, {"type": "text", "text": "Who?"}],
                    },
                    {"role": "assistant", "content": [{"type": "text", "text": "He."}]},
                ]
            },
        ),
        "llava",
        [
            Entry(
                "a.mp4",
                conversations=[
                    [{"from": "user", "value": TURNS[0]["value"]}, {"from": "assistant", "value": TURNS[1]["value"]}]
                ],
            ),
            Entry(
                "b.mp4",
                conversations=[[{"from": "user", "value": "<video>\nWho?"}, {"from": "assistant", "value": "He."}]],
            ),
        ],
    ),
    "VTimeLLM": Case(
        "stage2.json",
        [
            {
                "id": "zBT",
                "meta": {"duration": 59.5, "token": {"<s0>": 0.4, "<e0>": 12}},
                "conversations": [
                    {"from": "human", "value": "<video>\nWhen?"},
                    {"from": "gpt", "value": "<s0> to <e0>, <s1>"},
                ],
            }
        ],
        "llava",
        [
            Entry(
                "zBT",
                duration_s=59.5,
                conversations=[
                    [{"from": "human", "value": "<video>\nWhen?"}, {"from": "gpt", "value": "0.4s to 12s, <s1>"}]
                ],
            )
        ],
    ),
    "Conversations about a part": Case(
        "part.json",
        [
            {"video": "a.mp4", "start": 10, "end": 20, "duration": 60, "conversations": TURNS},
            {"video": "a.mp4", "start": 0, "end": 59.5, "duration": 60, "conversations": TURNS},
        ],
        "llava",
        [
            Entry("a.mp4", duration_s=60.0, dropped={"part_of_video": 1}, questions=[TURNS[0]["value"]]),
            Entry("a.mp4", duration_s=60.0, conversations=[TURNS]),
        ],
    ),
    "VideoChat2-IT": Case(
        "it.json",
        [{"video": "a.mp4", "QA": [{"i": "Answer.", "q": "What does he hold?", "a": "A cup."}]}],
        "questions",
        [Entry("a.mp4", conversations=[TURNS])],
    ),
    "VideoChat2-IT captions": Case(
        "it.json",
        [{"video": "a.mp4", "QA": [{"i": "What does he hold?", "q": "", "a": "A cup."}]}],
        "questions",
        [Entry("a.mp4", conversations=[TURNS])],
    ),
    "Video-ChatGPT": Case(
        "train.json",
        [{"q": "What does he hold?", "a": "A cup.", "video_id": "v_k"}],
        "questions",
        [Entry("v_k", conversations=[TURNS])],
    ),
    "TVQA": Case(
        "tvqa.jsonl",
        lines({"a0": "He", "a1": "She", "answer_idx": "1", "q": "Who?", "qid": 7, "ts": "1.2-8.4", "vid_name": "s02"}),
        "questions",
        [Entry("s02", conversations=[ANSWER])],
    ),
    "An index of a number": Case(
        "pt.jsonl",
        lines({"video_name": "v", "question": "How many?", "options": ["1", "2"], "answer_id": "1"}),
        "questions",
        [
            Entry(
                "v",
                conversations=[
                    [
                        {
                            "from": "human",
                            "value": ANSWER[0]["value"].replace("Who?\n(A) He\n(B) She", "How many?\n(A) 1\n(B) 2"),
                        },
                        {"from": "gpt", "value": "(B) 2"},
                    ]
                ],
            )
        ],
    ),
    "HourVideo": Case(
        "dev.json",
        {
            "U": {
                "video_metadata": {"video_uid": "U"},
                "benchmark_dataset": [
                    {"question": "Who?", "answer_1": "He", "answer_2": "She", "correct_answer_label": "B"}
                ],
            }
        },
        "questions",
        [Entry("U", conversations=[ANSWER])],
    ),
    "LVBench lines": Case(
        "video_info.meta.jsonl",
        lines(
            {
                "key": "Cm73",
                "type": "cartoon",
                "qa": [{"uid": "0", "question": "What does he hold?", "answer": "A cup."}],
            }
        ),
        "questions",
        [Entry("Cm73", conversations=[TURNS])],
    ),
    "MovieChat": Case(
        "1.json",
        lines({"info": {"video_path": "1.mp4"}, "global": [{"question": "What does he hold?", "answer": "A cup."}]}),
        "questions",
        [Entry("1.mp4", conversations=[TURNS])],
    ),
    "STAR": Case(
        "STAR_train.json",
        [
            {
                "question": "Who?",
                "video_id": "6H78U",
                "start": 11.1,
                "end": 19,
                "answer": "She",
                "choices": [{"choice_id": 0, "choice": "He"}, {"choice_id": 1, "choice": "She"}],
            }
        ],
        "questions",
        [
            Entry(
                "6H78U",
                conversations=[
                    [
                        {"from": "human", "value": ANSWER[0]["value"].replace("Who?", "From 11.1 to 19 seconds: Who?")},
                        ANSWER[1],
                    ]
                ],
            )
        ],
    ),
    "MMVU": Case(
        "mmvu.json",
        [{"video": "0.mp4", "question": "Who?", "choices": {"A": "He", "B": "She"}, "answer": "B"}],
        "questions",
        [Entry("0.mp4", conversations=[ANSWER])],
    ),
    "Options in columns": Case(
        "mlvu.tsv",
        "index\tvideo\tquestion\tA\tB\tanswer\n0\ta.mp4\tWho?\tHe\tShe\tB\n",
        "questions",
        [Entry("a.mp4", conversations=[ANSWER])],
    ),
    "Questions without answers": Case(
        "test_q.json",
        [{"video_name": "1QIU", "question": "is he tall", "question_id": "v_1"}],
        "questions",
        [Entry("1QIU", dropped={"no_answer": 1}, questions=["is he tall"])],
    ),
    "EgoMCQ": Case(
        "egomcq.json",
        {
            "0": {
                "answer": 1,
                "query": {"video_uid": "U", "clip_text": "#C C runs"},
                "choices": {"0": {"video_uid": "V", "clip_text": "#C C sits"}},
            }
        },
        "questions",
        [Entry("U", dropped={"no_answer": 1}, questions=["#C C runs"]), Entry("V")],
    ),
    "Segments of each video": Case(
        "captions.json",
        [
            {
                "video": "a.mp4",
                "duration": 60.5,
                "segments": [
                    {"start": 0.5, "end": 9, "caption": "He sits."},
                    {"time": 12.5, "caption": "He falls."},
                    {"start": None, "end": 3, "caption": "lost"},
                ],
            }
        ],
        "timelines",
        [
            Entry(
                "a.mp4",
                [Row(0.5, 9.0, "He sits."), Row(12.5, 12.5, "He falls.", is_point=True)],
                60.5,
                dropped={"no_time": 1},
            )
        ],
    ),
    "A list for each video": Case(
        "chapters.json",
        {
            "A": [{"start": "00:00:00", "end": "00:01:51", "title": "Intro"}],
            "B": [{"start": 0, "end": 1, "title": "Cut"}],
        },
        "timelines",
        [Entry("A", [Row(0.0, 111.0, "Intro", "chapter")]), Entry("B", [Row(0.0, 1.0, "Cut", "chapter")])],
    ),
    "A transcript": Case(
        "yt.jsonl",
        lines({"video_id": "A", "transcript": [{"start": 0.5, "duration": 2.25, "text": "Hi there."}]}),
        "timelines",
        [Entry("A", [said(0.5, 2.75, "Hi there.")])],
    ),
    "MovieNet": Case(
        "tt0047396.json",
        {"cast": None, "story": [{"id": "s", "duration": [10, 20], "description": "He looks.", "subtitle": []}]},
        "timelines",
        [Entry("", [Row(10.0, 20.0, "He looks.")])],
    ),
    "Rows in data": Case(
        "qa.json",
        {"version": 1, "data": [{"video": "a.mp4", "question": "Who?", "options": ["He", "She"], "answer": "B"}]},
        "questions",
        [Entry("a.mp4", conversations=[ANSWER])],
    ),
}
