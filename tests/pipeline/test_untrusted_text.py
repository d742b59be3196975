"""Text that others wrote about their videos, in one build: each costs its own video at most."""

import json
import shutil

import pytest

from pipeline.build import build
from pipeline.demo import write_demo
from pipeline.tables.catalog import open_catalog
from tests.pipeline.in_process import in_process
from tests.pipeline.worlds import small_recipe

pytestmark = pytest.mark.slow  # a build of every row

EVENTS = [
    {"start_s": 1, "end_s": 6, "text": "a dog runs over the road"},
    {"start_s": 10, "end_s": 16, "text": "a cat falls from the roof"},
]
SUBRIP = "1\n00:00:01,000 --> 00:00:02,000\n"
# By name of the video: columns of its row, files beside it, and how the detail of its reject begins ("": it has none).
ROWS = {
    "good": ({"events": EVENTS}, {}, ""),
    "emoji": ({"events": [{**event, "text": "\U0001f600"} for event in EVENTS]}, {}, ""),
    "milliseconds": ({"events": [{**e, "start_s": e["start_s"] * 1000, "end_s": 10**6} for e in EVENTS]}, {}, ""),
    "cyrillic": (
        {"subtitles": ["cyrillic.ru.srt"]},
        {"cyrillic.ru.srt": (SUBRIP + "Здравствуйте, как дела? Я не знаю, что мне делать.\n").encode("cp1251")},
        "",
    ),
    "digits400": (
        {"events_file": "digits400.jsonl"},
        {"digits400.jsonl": json.dumps({**EVENTS[0], "end_s": 10**400}).encode()},
        "digits400.jsonl: line 1: end_s = a number of more than 20 digits",
    ),
    "digits5000": (
        {"events_file": "digits5000.jsonl"},
        {"digits5000.jsonl": b'{"x": ' + b"1" * 5000 + b"}"},
        "digits5000.jsonl: line 1: bad JSON: a number of more than 4,300 digits",
    ),
    "deep": (
        {"events_file": "deep.jsonl"},
        {"deep.jsonl": b'{"x": ' + b"[" * 975 + b"]" * 975 + b"}"},
        "deep.jsonl: line 1: bad JSON: nested",
    ),
    "entity": (
        {"subtitles": ["entity.srt"]},
        {"entity.srt": (SUBRIP + "hi &#" + "1" * 5000 + ";\n").encode()},
        "entity.srt: line 2: a character reference",
    ),
    "inline": ({"events": [{"start_s": "soon"}]}, {}, "events of the manifest: event 1: start_s = a text"),
    "infinity": (
        {"conversations": '[{"from":"human","value":"what?","z":1e999},{"from":"gpt","value":"a ball"}]'},
        {},
        "conversations of the manifest: the conversation: holds a number that is not finite",
    ),
    "surrogate": (
        {"conversations": '[{"from":"human","value":"what?","z":"\\ud800"},{"from":"gpt","value":"a ball"}]'},
        {},
        "conversations of the manifest: the conversation: holds half a surrogate pair",
    ),
    "answers only": (
        {"conversations": [{"from": "gpt", "value": "a ball"}, {"from": "human", "value": "what?"}]},
        {},
        "conversations of the manifest: the conversation: no turn of `human`",
    ),
    "passwd": ({"subtitles": ["passwd"]}, {"passwd": b"root:x:0:0:SECRET\n"}, "passwd: no cue in its 2 lines"),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_demo(folder, videos=1, seconds=30, seed=3)
    [video] = folder.glob("*.mp4")
    rows = []
    for name, (columns, files, _) in ROWS.items():
        shutil.copy(video, folder / f"{name}.mp4")
        for file, content in files.items():
            (folder / file).write_bytes(content)
        rows.append({"id": name, "uri": f"{name}.mp4", **columns})
    manifest = folder / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    corpus = tmp_path_factory.mktemp("corpus")
    with in_process():
        summary = build(manifest, str(corpus), small_recipe(), say=lambda line: None)
    with open_catalog(str(corpus)) as catalog:
        yield summary, lambda sql: catalog.sql(sql).fetchall()


def test_bad_text_is_a_reject_with_its_reason(built):
    summary, ask = built
    assert summary.failures == []
    details = dict(ask("select name, detail from rejects where stage = 'annotate' and reason = 'bad_annotation'"))
    assert details.keys() == {name for name, (*_, start) in ROWS.items() if start}
    for name, detail in details.items():
        assert detail.startswith(ROWS[name][2]) and len(detail) <= 500 and "SECRET" not in detail
    assert ask("select count(*) from rejects") == [(len(details),)]


def test_the_others_are_in_the_corpus(built):
    _summary, ask = built
    names = [name for name, (*_, start) in sorted(ROWS.items()) if not start]
    assert ask("select name from videos order by name") == [(name,) for name in names]
    assert ("good",) in ask("select distinct name from samples")
    assert ask("select text from events join videos using (video_id) where name = 'cyrillic' order by start_s") == [
        ("Здравствуйте, как дела? Я не знаю, что мне делать.",)
    ]


def test_flags_and_counts_are_at_the_videos_and_a_note_asks_for_milliseconds(built):
    summary, ask = built
    assert ask("select name, events_outside_video from videos where events_outside_video > 0") == [("milliseconds", 2)]
    assert ask("select name from videos where list_contains(flags, 'events_outside_video')") == [("milliseconds",)]
    assert ask("select name from videos where list_contains(flags, 'encoding_detected')") == [("cyrillic",)]
    assert summary.notes == [
        "most events lie outside the video in 1 of the videos, such as milliseconds (2 of 2 events): "
        "do the times come in milliseconds?"
    ]
