"""Speech without punctuation is cut where it can be read."""

from hypothesis import given
from hypothesis import strategies as st

from stages.annotations.runs import OPEN_WORDS, cut_run
from stages.annotations.subtitles import Cue

SAID = (
    "so today we are going to make a simple bread | you need some flour and a little bit of salt | then add the water "
    "and mix it with your hand until there is no dry flour left in the bowl | now cover it with a towel and wait"
)


def words(text, word_s=0.3, pause_s=0.7):
    """A piece per word, a pause at each bar."""
    pieces, now = [], 0.0
    for word in text.split():
        if word == "|":
            now += pause_s
            continue
        pieces.append(Cue(now, now + word_s, (word,)))
        now += word_s
    return pieces


def told(parts):
    return [" ".join(piece.text for piece in part) for part in parts]


def test_a_run_is_cut_at_its_pauses():
    assert told(cut_run(words(SAID), 120)) == [
        "so today we are going to make a simple bread you need some flour and a little bit of salt",
        "then add the water and mix it with your hand until there is no dry flour left in the bowl",
        "now cover it with a towel and wait",
    ]


def test_without_pauses_a_clause_is_not_torn_apart():
    parts = told(cut_run(words(SAID, pause_s=0.0), 120))
    assert " ".join(parts) == SAID.replace("| ", "")
    assert max(map(len, parts)) <= 120
    assert not [part for part in parts if part.split()[-1] in OPEN_WORDS]
    assert all(part.split()[0] in ("so", "you", "then", "now", "and", "until", "there", "it") for part in parts)


def test_what_is_short_or_one_piece_stays():
    assert cut_run(words("hello there"), 20) == [words("hello there")]
    assert told(cut_run([Cue(0, 1, ("a" * 50,))], 20)) == ["a" * 50]


@given(st.lists(st.tuples(st.floats(0, 5), st.text("abc", min_size=1, max_size=8)), min_size=1, max_size=80))
def test_nothing_is_lost_and_no_part_is_too_long(drawn):
    pieces, now = [], 0.0
    for gap, text in drawn:
        pieces.append(Cue(now + gap, now + gap + 0.2, (text,)))
        now += gap + 0.2
    parts = cut_run(pieces, 20)
    assert [piece for part in parts for piece in part] == pieces
    assert all(len(" ".join(piece.text for piece in part)) <= 20 for part in parts)
