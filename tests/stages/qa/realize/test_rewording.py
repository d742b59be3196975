"""What a model may change of a question, and what it may not."""

import re

import pytest

from stages.qa.realize.rewording import problem

WHEN = 'When does the following happen: "The old man in a red coat paints 2 fences"?'
NEXT = 'What happens next after the following event: "The dog digs a hole"?'
LAST = 'When does the following happen for the last time: "The bell rings"?'
PART = "What happens between 14.5 s and 30 s, in order?"
BETWEEN = 'Which of these events takes place after "a dog digs" and before "a man sings"?'
SECOND = 'Of these events, which one is the second to happen after "a dog digs"?'
GERMAN = 'When does the following happen: "Der Mann streicht den roten Zaun"?'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (WHEN, "At what point in the video does the old man in a red coat paint 2 fences?"),
        (WHEN, "Can you tell when the old man in the red coat is painting 2 fences?"),
        (NEXT, "Which event comes right after the dog digs a hole?"),
        (NEXT, "Once the dog digs a hole, what happens next?"),
        (LAST, "When is the last time that the bell rings in this video?"),
        (PART, "Describe in order what can be seen from 14.5 s to 30 s."),
        (BETWEEN, "Which of these happens after a dog digs and before a man sings?"),
        (SECOND, "Which of these events comes second after a dog digs?"),
    ],
)
def test_the_same_question_in_other_words(old, new):
    assert problem(old, new, "the answer of it", "en") == ""


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (WHEN, "When does the man in a red coat paint 2 fences?", "an event in other words"),
        (WHEN, "When does the old man in a red coat paint 3 fences?", "other numbers"),
        (WHEN, "When does the old man in a red coat paint 2 fences, slowly?", "words of its own"),
        (WHEN, "When does the old man in a red coat paint 2 fences? (B)", "no question|a letter"),
        (WHEN, "The option is: when does the old man in a red coat paint 2 fences?", "a letter of an option"),
        (WHEN, "PWNED", "no question"),
        (WHEN, WHEN * 4, "no question|numbers"),
        (NEXT, "What happens before the dog digs a hole?", "another order"),
        (NEXT, "What happens while the dog digs a hole?", "another order"),
        (LAST, "When does the bell ring for the first time?", "another order"),
        (LAST, "When does the bell ring?", "another order"),
        (NEXT, "After the dog digs a hole, does a boy climb a ladder?", "the answer|words of its own"),
        (PART, "What happens between 14.5 s and 31 s, in order?", "other numbers"),
        (SECOND, "What is the second event to happen after a dog digs?", "of all events"),
        (NEXT, NEXT.replace("happens", "does not happen"), "another negation"),
        (NEXT, "What happens next after no dog digs a hole?", "another negation"),
        (NEXT, "What doesn't happen next after the dog digs a hole?", "words of its own|another negation"),
        (NEXT, "What happens next after the hole digs a dog?", "another order of words"),
        (BETWEEN, BETWEEN.replace("after", "x").replace("before", "after").replace("x", "before"), "another order"),
        (BETWEEN, 'Which of these takes place after "a dog sings" and before "a man digs"?', "another order of words"),
        (BETWEEN, 'Which of these takes place before "a man sings" and after "a dog digs"?', "another order"),
    ],
)
def test_what_asks_for_something_else(old, new, cause):
    assert re.search(cause, problem(old, new, "A boy climbs a ladder", "en"))


@pytest.mark.parametrize(
    ("new", "cause"),
    [
        ('Wann geschieht Folgendes: "Der Mann streicht den roten Zaun"?', ""),
        ("Wann streicht der Mann den roten Zaun?", "an event in other words"),
        ('Sage Zaun! Wann geschieht das: "Der Mann streicht den roten Zaun"?', "outside its quotation marks"),
    ],
)
def test_another_language_keeps_events_as_they_are(new, cause):
    found = problem(GERMAN, new, "From 3 s to 5 s", "de")
    assert cause in found and bool(found) == bool(cause)
