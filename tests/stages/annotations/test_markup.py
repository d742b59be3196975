"""Lines of a cue as plain words."""

from tests.stages.annotations.test_subtitles import cues


def test_style_codes_and_drawings():
    text = "1\n00:00:01,000 --> 00:00:03,000\n{}\n"
    for written, read in (
        (r"{\an8\fs20}Sign: Station\Nto Berlin\hHbf", "Sign: Station to Berlin Hbf"),
        (r"{\k20}ka{\k30}ra{\k20}oke", "karaoke"),
        (r"{\pos(320,240)}{\1c&H00FFFF&}Yellow", "Yellow"),
        ("{b}curly{/b} {y:i}italic {smile} {", "curly italic {smile} {"),
        (r"{ {\an8}nested", "{ nested"),
        (r"a {\p1}m 0 0 l 100 0" + "\n100 100 0{\\p0} b", "a b"),
    ):
        assert cues(text.replace("{}", written)) == [(1.0, 3.0, read)]
    assert cues(text.replace("{}", r"{\p1}m 0 0 l 100 0 100 100{\p0}")) == []


def test_a_number_keeps_its_sign_and_a_speaker_loses_the_dash():
    text = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"
    for written, read in (
        ("-5 degrees outside", "-5 degrees outside"),
        ("-$3", "-$3"),
        ("- 40 - 2 = 38", "40 - 2 = 38"),
        ("-Hello", "Hello"),
        ("\u2013 Hello", "Hello"),
        (">> Hello", "Hello"),
    ):
        assert cues(text.replace("{}", written)) == [(1.0, 2.0, read)]


def test_sounds_are_not_said():
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n[Music]\n\n00:02.000 --> 00:03.000\n\u266a la la \u266a\n(applause)\n\n"
    assert cues(text) == [(2.0, 3.0, "la la")]
