"""The transcript that a question carries which only speech answers: what is said around the events it tells of."""

from stages.qa.event import overlap_s
from stages.qa.plan import Plan
from stages.qa.timeline import Timeline

# A question of more text would be cut where a model reads it.
_MOST_CHARS = 4000
_LEAST_MARGIN, _MOST_MARGIN = 4, 12


def transcript(timeline: Timeline, plan: Plan) -> str | None:
    """Returns a line per line of speech, with its times; None where nothing is said there, or too much.

    It begins some lines before the first of the events and ends some lines after the last. How many is drawn, so that
    the edges of the transcript do not tell when an event begins and ends.
    """
    start_s, end_s = min(e.start_s for e in plan.told), max(e.end_s for e in plan.told)
    inside = [i for i, line in enumerate(timeline.speech) if overlap_s(line.span, (start_s, end_s)) > 0]
    if not inside:
        return None
    rng = timeline.rng(f"transcript:{plan.form}:{start_s}:{end_s}")
    before, after = (rng.randint(_LEAST_MARGIN, _MOST_MARGIN) for _ in range(2))
    said = timeline.speech[max(0, inside[0] - before) : inside[-1] + 1 + after]
    text = "\n".join(["Transcript:", *(f"[{e.start_s:.1f} to {e.end_s:.1f} s] {e.text}" for e in said)])
    return text if len(text) <= _MOST_CHARS else None
