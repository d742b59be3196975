"""WebVTT and SubRip as found in the wild."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.annotations.subtitles import SubtitleError, parse_subtitles
from stages.annotations.text import TextError


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
    assert cues(text) == [(0.0, 6.0, "early"), (5.0, 9.0, "late")]


def test_sounds_are_not_said():
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n[Music]\n\n00:02.000 --> 00:03.000\n\u266a la la \u266a\n(applause)\n\n"
    assert cues(text) == [(2.0, 3.0, "la la")]


def test_a_cue_that_cannot_be_read_leaves_the_others():
    assert cues("WEBVTT\n\n0x --> 00:02.000\nbad\n\n00:02.000 --> 00:03.000\ngood\n") == [(2.0, 3.0, "good")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("WEBVTT\n\n1 --> 2\nx\n", r"line 3: '1 --> 2' is no cue timing"),
        ("Dear reader,\nthis is a letter.\n", "line 1: 'Dear reader,'"),
    ],
)
def test_a_file_without_one_cue_names_the_line(text, message):
    with pytest.raises(SubtitleError, match=message):
        parse_subtitles(text.encode())


@pytest.mark.parametrize("text", ["", "\n\n", "WEBVTT\n", "WEBVTT\n\nNOTE nothing\n"])
def test_an_empty_file_has_no_cues(text):
    assert cues(text) == []


def test_binary_data_is_refused():
    with pytest.raises(TextError):
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
    except SubtitleError:
        return
    assert all(0 <= cue.start_s <= cue.end_s and cue.text for cue in read)
