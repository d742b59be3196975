"""WebVTT and SubRip as found in the wild."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.annotations.cues import merge_rolling
from stages.annotations.subtitles import parse_subtitles
from stages.annotations.text import AnnotationError
from tests.stages.annotations.hostile import hostile_subtitles


def cues(text: str) -> list[tuple]:
    return [(c.start_s, c.end_s, c.text) for c in parse_subtitles(text.encode()).cues]


def test_webvtt_with_all_that_is_no_cue():
    text = """\ufeffWEBVTT - by someone
Kind: descriptions
Language: en-GB

STYLE
::cue { color: red }

REGION
id:fred

NOTE 00:00 is early
still a note

intro
00:01.500 --> 00:03.000 align:start position:0%
- <v.loud Ann>Hello &amp; <i>welcome</i></v>
- {\\an8}you

00:00:02,000 --> 01:00:00.000
second &lt;image&gt; part
"""
    assert cues(text) == [(1.5, 3.0, "Hello & welcome you"), (2.0, 3600.0, "second part")]
    read = parse_subtitles(text.encode())
    assert (read.kind, read.language) == ("descriptions", "en-gb")


def test_subrip_with_missing_empty_lines_and_numbers():
    text = "1\r\n00:00:01,000 --> 00:00:02,000\r\none\r\n2\r\n00:00:03,000 --> 00:00:04,5\r\ntwo\r\nlines\r\n"
    assert cues(text) == [(1.0, 2.0, "one"), (3.0, 4.5, "two lines")]


def test_cues_in_disorder_overlapping_negative_and_reversed():
    text = (
        "WEBVTT\n\n00:05.000 --> 00:09.000\nlate\n\n-00:02.000 --> 00:06.000\nearly\n\n00:08.000 --> 00:07.000\nback\n"
    )
    assert cues(text) == [(-2.0, 6.0, "early"), (5.0, 9.0, "late")]


def shown_once(text: str) -> list[tuple]:
    return [(c.start_s, c.end_s, c.text) for c in merge_rolling(parse_subtitles(text.encode()).cues)]


def test_automatic_captions_give_each_line_once_from_its_own_start():
    text = """\
WEBVTT
Kind: captions
Language: en

00:00:00.799 --> 00:00:02.869 align:start position:0%
 
hi<00:00:01.040><c> everyone</c><c.colorE5E5E5><00:00:01.920><c> today</c></c>

00:00:02.869 --> 00:00:02.879 align:start position:0%
hi everyone today
 

00:00:02.879 --> 00:00:04.070 align:start position:0%
hi everyone today
modeling<00:00:03.360><c> a</c><00:00:03.520><c> cube</c>
"""
    once = [(0.799, 2.879, "hi everyone today"), (2.879, 4.07, "modeling a cube")]
    assert shown_once(text) == once
    # An editor that strips spaces at the ends of lines.
    assert shown_once(text.replace("\n \n", "\n\n")) == once


def test_automatic_captions_that_a_converter_turned_into_subrip():
    text = """\
5
00:00:17,840 --> 00:00:19,670
 
hi guys welcome to a

6
00:00:19,670 --> 00:00:19,680
hi guys welcome to a
 

7
00:00:19,680 --> 00:00:21,830
hi guys welcome to a
new<00:00:20,130> video

8
00:00:21,830 --> 00:00:22,230

new video
play
"""
    assert shown_once(text) == [
        (17.84, 19.68, "hi guys welcome to a"),
        (19.68, 21.83, "new video"),
        (21.83, 22.23, "play"),
    ]


def test_only_an_empty_line_ends_a_webvtt_cue():
    text = "WEBVTT\n\n00:01.000 --> 00:04.000\nfirst\n \nsecond\n\nno cue\n\n00:05.000 --> 00:06.000\n \nbye"
    assert cues(text) == [(1.0, 4.0, "first second"), (5.0, 6.0, "bye")]


def test_an_empty_first_line_loses_no_text_and_takes_none():
    assert cues("1\n00:00:01,000 --> 00:00:04,000\n\nafter it\n\n2\n00:00:05,000 --> 00:00:06,000\nbye\n") == [
        (1.0, 4.0, "after it"),
        (5.0, 6.0, "bye"),
    ]
    empty = "WEBVTT\n\n00:01.000 --> 00:02.000\n\n{}00:03.000 --> 00:04.000\nbye\n"
    assert cues("WEBVTT\n\n00:01.000 --> 00:02.000\n\nwords") == [(1.0, 2.0, "words")]
    for between in ("intro\n", "NOTE\nthis\n\n", "\nSTYLE\n::cue {}\n\n", "2\n"):
        assert cues(empty.format(between)) == [(3.0, 4.0, "bye")]


def test_a_number_is_text_where_cues_have_no_numbers():
    assert cues("00:00:01,000 --> 00:00:02,000\n10\n00:00:02,000 --> 00:00:03,000\n9\n") == [
        (1.0, 2.0, "10"),
        (2.0, 3.0, "9"),
    ]


@pytest.mark.parametrize("end", ["", "\n\n3\n00:00:05,000 --> 00:00:06,000\nbye\n"])
def test_a_numbered_cue_without_a_timing_is_no_part_of_the_one_before(end):
    last = [(5.0, 6.0, "bye")] if end else []
    text = "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\nlost"
    assert cues(text + end) == [(1.0, 2.0, "one"), *last]
    assert cues("1\n00:00:01,000 --> 00:00:02,000\nthe answer is\n\n42\n" + end) == [
        (1.0, 2.0, "the answer is 42"),
        *last,
    ]


def test_a_number_at_the_end_of_the_file_is_text():
    assert cues("1\n00:00:01,000 --> 00:00:02,000\n10") == [(1.0, 2.0, "10")]


def test_an_arrow_in_the_text_is_text():
    assert cues("1\n00:00:01,000 --> 00:00:02,000\nx --> y\n") == [(1.0, 2.0, "x --> y")]


def test_metadata_and_thumbnails_are_no_text():
    for text in (
        "WEBVTT\nKind: metadata\n\n00:00.000 --> 00:10.000\nwords\n",
        'WEBVTT\n\n00:00.000 --> 00:10.000\n{"speaker": 1}\n',
        'WEBVTT\n\n00:00.000 --> 00:10.000\n[\n {"speaker":\n 1} ]\n',
        "WEBVTT\n\n00:00.000 --> 00:10.000\nsprite.jpg#xywh=0,0,160,90\n",
        "WEBVTT\n\n00:00.000 --> 00:10.000\nhttps://example.org/thumbs/1.webp\n",
    ):
        assert parse_subtitles(text.encode()).cues == []
        assert parse_subtitles(text.encode()).flags == ("subtitles_not_text",)


ASS = """[Script Info]
Title: x

[V4+ Styles]
Style: Default,Arial,20,&HZZ,broken

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,a comment
Dialogue: 0,0:00:02.50,0:00:04.00,Default,,0,0,0,,{an aside}Second,\\Nwith a comma
Dialogue: 1,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}First{\\i0}
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\blur9}First
Dialogue: 0,xx,0:00:02.00,Default,,0,0,0,,bad
"""
TTML = """
<?xml version="1.0" encoding="iso-8859-1"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"><body begin="1s"><div>
<p begin="00:00:00.500" end="2s">Sch\u00f6n <span tts:color="red">&amp; gut</span><br/>\n so</p>
<p begin="3s" dur="1.5s">next</p></div></body></tt>"""


def test_ass_and_ttml():
    assert cues(ASS) == [(1.0, 2.0, "First"), (2.5, 4.0, "Second, with a comma")]
    assert cues(ASS.replace("V4+", "V4").replace("Dialogue: 0", "Dialogue: Marked=0")) == cues(ASS)
    assert cues(TTML) == [(1.5, 3.0, "Sch\u00f6n & gut so"), (4.0, 5.5, "next")]


def test_cues_that_cannot_be_read_are_counted():
    good = "00:00:01.000 --> 00:00:02.000\nHi\n\n"
    lost = "00:0x:03.000 --> 00:00:04.000\nlost\n\n"
    for text, reasons in (
        (f"WEBVTT\n\n{good}{lost}{lost}00:00:06.000 --> 00:00:05.000\nlost\n", {"no_time": 2, "ends_before_start": 1}),
        (f"1\n{good}2\n0:00:03,000 --> soon\nlost\n", {"no_time": 1}),
        (ASS, {"no_time": 1}),
        (f"WEBVTT\n\n{good}", {}),
    ):
        assert {each.reason: each.number for each in parse_subtitles(text.encode()).left_out} == reasons, text
    [first] = parse_subtitles(f"WEBVTT\n\n{good}{lost}".encode()).left_out
    assert first.example == "line 6: its times cannot be read"


def test_long_lines_are_cut_and_flagged():
    read = parse_subtitles(f"1\n00:00:01,000 --> 00:00:02,000\n{'word ' * 1000}\n".encode())
    assert len(read.cues[0].text) == 4096 and read.flags == ("long_lines_cut",)


@pytest.mark.slow
@pytest.mark.parametrize("name", hostile_subtitles(0))
def test_a_megabyte_of_each_hostile_text_is_read_or_refused(name):
    try:
        read = parse_subtitles(hostile_subtitles(1 << 20)[name])
    except AnnotationError:
        return
    assert merge_rolling(read.cues) is not None


def test_a_cue_that_cannot_be_read_leaves_the_others():
    assert cues("WEBVTT\n\n0x --> 00:02.000\nbad\n\n00:02.000 --> 00:03.000\ngood\n") == [(2.0, 3.0, "good")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("WEBVTT\n\n1 --> 2\nsecret\n", "^line 3: no cue can be read; times are written 00:00:01.000 -->"),
        ("root:x:0:0:secret\nsecret\n", "^no cue in its 3 lines: neither WebVTT, SubRip, ASS nor TTML$"),
        ("[Script Info]\n[Events]\nDialogue: 0,secret,0:00:01.00,,,0,0,0,,secret", "^line 3: no cue can be read"),
        ("<tt xmlns='http://www.w3.org/ns/ttml'>\n<p secret", "^bad TTML at line 2, column 1$"),
        ("<tt><!ENTITY a 'secret'>", "declares XML entities"),
        (
            "<tt xmlns='http://www.w3.org/ns/ttml'><body><div><p begin='secret' end='2s'>a</p></div></body></tt>",
            "TTML that is not read .NotImplementedError.: each <p> needs begin and end or dur",
        ),
        ("1\n00:00:01,000 --> 00:00:02,000\nhi &#" + "1" * 5000, "^line 2: a character reference"),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_without_one_cue_names_the_line_and_quotes_nothing(text, message):
    with pytest.raises(AnnotationError, match=message) as caught:
        parse_subtitles(text.encode())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "WEBVTT\n", "WEBVTT\n\nNOTE nothing\n"])
def test_an_empty_file_has_no_cues(text):
    assert cues(text) == []


def test_binary_data_is_refused():
    with pytest.raises(AnnotationError):
        parse_subtitles(b"\x1aE\xdf\xa3\0\0")


def test_the_real_files(videos):
    english = parse_subtitles((videos / "long/agent327_360p.en.vtt").read_bytes()).cues
    assert len(english) == 16
    assert (english[0].start_s, english[0].text) == (12.72, "This is 327, I'm going in")
    assert english[4].text == "Haircut? Please!"
    assert len(parse_subtitles((videos / "long/countdown_10min_burned_clock.vtt").read_bytes()).cues) == 600


@given(
    st.lists(
        st.sampled_from(["WEBVTT", "", "00:01.000 --> 00:02.000", "1", "a <b>c", "-->", "9:99:99.9 --> \u0661:00"])
    )
)
def test_any_lines_are_read_or_refused(lines):
    try:
        read = parse_subtitles("\n".join(lines).encode()).cues
    except AnnotationError:
        return
    assert all(cue.start_s <= cue.end_s and cue.text for cue in read)
