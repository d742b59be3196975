"""The transcript that a question of speech carries."""

from stages.qa.plan import Plan
from stages.qa.transcript import transcript
from tests.stages.qa.worlds import timeline

SAID = [(10 * i, 10 * i + 8, f"This is sentence number {i}", "speech") for i in range(60)]


def of(line, start, end):
    """The transcript of a question about what is said in a span."""
    told = tuple(e for e in line.speech if start <= e.start_s < end)
    return transcript(line, Plan("event_order", "said_order", told, told))


def test_it_begins_and_ends_some_lines_around_what_is_told():
    before, after = set(), set()
    for seed in range(40):
        first, *lines = of(timeline(*SAID, duration=600.0, seed=seed), 300, 330).splitlines()
        assert first == "Transcript:"
        numbers = [int(line.split()[-1]) for line in lines]
        assert numbers == [*range(numbers[0], numbers[-1] + 1)] and {30, 31, 32} < set(numbers)
        before.add(30 - numbers[0])
        after.add(numbers[-1] - 32)
    assert len(before) > 4 and len(after) > 4, "no edge tells when the event begins or ends"
    assert min(before | after) >= 4 and max(before | after) <= 12


def test_it_ends_with_the_speech():
    text = of(timeline(*SAID, duration=600.0), 590, 600)
    assert text.endswith("[590.0 to 598.0 s] This is sentence number 59")


def test_there_is_none_of_silence_and_of_more_than_a_model_reads():
    line = timeline((0, 5, "A dog runs"), (20, 30, "Hello to all of you", "speech"))
    assert transcript(line, Plan("event_order", "order", tuple(line.visual), tuple(line.visual))) is None
    assert of(timeline(*((s, e, f"{t} {'x' * 500}", kind) for s, e, t, kind in SAID), duration=600.0), 300, 330) is None
