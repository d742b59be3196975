"""Words of plans: right whatever the captions look like, and many of them."""

import random
import re
import string

import pytest

from stages.qa.realize.clause import inverted
from stages.qa.realize.templates import realize
from stages.qa.realize.wordings import WORDINGS
from stages.qa.tasks import WRITERS
from tests.stages.qa.worlds import EIGHT, RINGS, SCENES, plans, timeline


def test_each_task_has_twelve_wordings():
    names = {
        "neighbour": ("next_of_these", "previous_of_these", "further", "earlier"),
        "next_scene": ("next_scene_of_these", "previous_scene_of_these", "further_scene", "earlier_scene"),
        "said_next": ("said_next", "said_previous", "said_further", "said_earlier"),
        "occurrence": ("occurrence", "last_occurrence"),
        "missing_occurrence": (),
    }
    for writers in WRITERS.values():
        forms = [name for w in writers for name in names.get(w.__name__, (w.__name__,))]
        assert sum(len(WORDINGS[form]) for form in forms) >= 12


def test_every_wording_is_used_and_ends_as_a_question_or_a_request():
    rng = random.Random(0)
    line = timeline(*EIGHT, *SCENES, *RINGS, num_options=3)
    for writers in WRITERS.values():
        for writer in writers:
            for plan in plans(line, writer.__name__, seeds=3):
                question = realize(plan, rng).question
                assert "{" not in question and "  " not in question
                assert question.split(' (1) "')[0].endswith(("?", "."))
    fields = {name for ws in WORDINGS.values() for w in ws for _, name, _, _ in string.Formatter().parse(w) if name}
    assert fields == {"a", "b", "does", "nth", "side", "Side", "start", "end", "scene"}


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("The red circle bounces", "does the red circle bounce"),
        ("A dog digs a hole", "does a dog dig a hole"),
        ("the red circle enters from the left", "does the red circle enter from the left"),
        ("the cat catches a mouse", "does the cat catch a mouse"),
        ("Add salt and pepper", None),
        ("The camera wearer picks the cup", None),
        ("a man opened the door", None),
        ("two girls jump", None),
        ("There is a dog", None),
        ("the man do not open the door", None),
        ("the dog digs a hole and runs", None),
        ("he jumps", None),
    ],
)
def test_only_certain_sentences_become_questions(text, question):
    assert inverted(text) == question


def test_the_query_tells_no_more_than_question_and_options():
    rng = random.Random(0)
    line = timeline(*EIGHT, *SCENES, *RINGS)
    for writers in WRITERS.values():
        for writer in writers:
            for plan in plans(line, writer.__name__, seeds=3):
                words = realize(plan, rng)
                known = (
                    " ".join([words.question, words.answer, *words.wrong]).lower()
                    if words.wrong
                    else words.question.lower()
                )
                told = set(re.findall(r"\w+", " ".join(words.queries).lower()))
                if not plan.asked or inverted(plan.asked[0].text) is None:
                    assert told <= set(re.findall(r"\w+", known))


def test_what_happens_between_two_events_is_looked_for_among_the_options():
    plan = plans(timeline(*EIGHT), "between", seeds=3)[0]
    words = realize(plan, random.Random(0))
    assert set(words.queries) == {*(e.text for e in plan.asked), words.answer, *words.wrong}


def test_an_event_beside_others_is_looked_for_first_and_says_on_which_side_these_are_counted():
    for plan in plans(timeline(*EIGHT, *RINGS), "count_beside", seeds=3):
        counted, anchor = plan.asked
        assert realize(plan, random.Random(0)).queries == (anchor.text, counted.text)
        assert plan.relation == plan.side
        beside = [e for e in plan.evidence if e.text == anchor.text]
        assert beside == [plan.evidence[-1 if plan.relation == "before" else 0]]


def test_times_are_told_as_exactly_as_they_are_known():
    rng = random.Random(0)
    long, short = (20.4, 39.6, "a girl jumps over a rope"), (60.4, 63.6, "a boy climbs a ladder")
    said = [(70.4, 76.6, "Jump over it now, my dear!", "speech")]
    said += [(n, n + 6.0, f"We will meet again in {n} seconds.", "speech") for n in (90.0, 110.0)]

    def told(form, **config):
        line = timeline(long, short, *said, duration=200.0, **config)
        return {realize(p, rng).answer + realize(p, rng).hint for p in plans(line, form, seeds=1)}

    spans, points = "Give the start and the end in seconds.", "Give the time in seconds."
    assert told("when") == {"From 20 s to 40 s" + spans, "At about 62 s" + points}
    assert told("when", time_error_s=0) == {"From 20.4 s to 39.6 s" + spans, "From 60.4 s to 63.6 s" + spans}
    assert "From 70.4 s to 76.6 s" + spans in told("said_when")


def test_lines_are_quoted_without_their_full_stops():
    texts = ("We cook the rice today.", "Now we chop some onions", "Is the water hot enough?", "Eat it all at once...")
    line = timeline(*((10 * i, 10 * i + 6, text, "speech") for i, text in enumerate(texts)))
    words = [realize(plan, random.Random(0)) for plan in plans(line, "said_next") + plans(line, "said_order")]
    told = " ".join(" ".join((w.question, w.answer, *w.wrong)) for w in words)
    assert '"We cook the rice today"' in told and '"Is the water hot enough?"' in told
    assert 'today."' not in told and "Eat it all at once..." in told
    asked = {realize(plan, random.Random(seed)).question for plan in plans(line, "said_when") for seed in range(9)}
    assert {question[-2:] for question in asked if "enough" in question} == {'?"'}, "one mark ends the question"


@pytest.mark.parametrize(
    ("text", "is_title"), [("Bearded man in a hat sits on the chair", True), ("A man sits on the chair", False)]
)
def test_a_sentence_without_an_article_is_asked_for_as_a_caption(text, is_title):
    questions = {
        realize(plan, random.Random(seed)).question
        for seed in range(20)
        for plan in plans(timeline((0, 100, text, "clip")), "summary", seeds=1)
    }
    assert questions and questions <= set(WORDINGS["title" if is_title else "caption"])
