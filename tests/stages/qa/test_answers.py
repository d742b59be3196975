"""Answers that say the same."""

from stages.qa.answers import same
from stages.qa.event import Event


def test_answers_that_say_the_same():
    dog, other = (Event(str(i), 0, 1, "event", t, i) for i, t in enumerate(["a dog digs a hole", "the dog digs holes"]))
    assert same(dog, other)
    assert same((1.0, 5.0), (1.5, 5.0)) and not same((1.0, 5.0), (5.0, 9.0))
    assert same(2, 2) and not same(2, 3)
    assert not same(2, dog)
