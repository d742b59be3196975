"""Multiple-choice pairs that give nothing away, and shortcuts to plant in them."""

import random
from collections.abc import Callable
from dataclasses import replace

from stages.qa.audit.features import Choice

VERBS, NOUNS = ("wash", "cut", "open", "paint", "lift", "drop"), ("cup", "door", "car", "hat")
WORDS = [f"{verb} the {noun}" for verb in VERBS for noun in NOUNS]
Plant = Callable[[Choice, random.Random], Choice]


def honest(videos: int = 60, per_video: int = 8, seed: int = 0) -> list[Choice]:
    """Pairs whose right option is drawn by chance."""
    rng = random.Random(seed)
    made = []
    for video in range(videos):
        place = {text: rng.random() for text in WORDS}
        for _ in range(per_video):
            asked, *options = rng.sample(WORDS, 5)
            times = tuple(place[text] for text in options)
            question = f'What happens next after the following event: "{asked}"?'
            answer = rng.randrange(4)
            made.append(Choice(f"v{video}", question, tuple(options), answer, "neighbour", times, (place[asked],)))
    return made


def with_options(choice: Choice, options: list[str], right: int) -> Choice:
    return replace(choice, options=tuple(options), answer_index=right)


def _lengthened(choice: Choice, rng: random.Random) -> Choice:
    options = list(choice.options)
    options[choice.answer_index] += " in the very large house"
    return with_options(choice, options, choice.answer_index)


def _telling_word(choice: Choice, rng: random.Random) -> Choice:
    options = [
        f"{option} {'slowly' if i == choice.answer_index else 'quickly'}" for i, option in enumerate(choice.options)
    ]
    return with_options(choice, options, choice.answer_index)


def _first_place(choice: Choice, rng: random.Random) -> Choice:
    return replace(choice, answer_index=1)


def _smallest(choice: Choice, rng: random.Random) -> Choice:
    numbers = rng.sample(range(2, 60), 4)
    options = [f"{n} s to {n + 3} s" for n in numbers]
    return replace(with_options(choice, options, numbers.index(min(numbers))), form="when", option_times=())


def _adjoining(choice: Choice, rng: random.Random) -> Choice:
    """The right time lies between two others, the fourth one far off; which it is in order of time differs."""
    first = rng.randrange(20, 60)
    spans = [(first, first + 5), (first + 6, first + 11), (first + 12, first + 17)]
    spans.append(rng.choice([(first - 20, first - 15), (first + 40, first + 45)]))
    order = rng.sample(range(4), 4)
    options = [f"{start} s to {end} s" for start, end in (spans[i] for i in order)]
    return replace(with_options(choice, options, order.index(1)), form="when", option_times=())


def _listed(choice: Choice, rng: random.Random) -> Choice:
    orders = rng.sample(["(1), (2), (3)", "(2), (1), (3)", "(3), (1), (2)", "(2), (3), (1)"], 4)
    listed = "; ".join(f'({n}) "{text}"' for n, text in enumerate(rng.sample(WORDS, 3), 1))
    question = f"In which order do these events happen? {listed}"
    made = with_options(choice, orders, orders.index("(1), (2), (3)"))
    return replace(made, question=question, form="order", option_times=(), asked_times=())


def _frequent(choice: Choice, rng: random.Random) -> Choice:
    options = list(choice.options)
    options[choice.answer_index] = "wait for the bus"
    return with_options(choice, options, choice.answer_index)


def _typical_place(choice: Choice, rng: random.Random) -> Choice:
    """What one washes is early in every video, and right: only the words tell the place."""
    options = rng.sample([w for w in WORDS if not w.startswith("wash")], 3) + [rng.choice(WORDS[:4])]
    times = [0.5 + rng.random() / 2 for _ in range(3)] + [rng.random() / 5]
    order = rng.sample(range(4), 4)
    made = with_options(choice, [options[i] for i in order], order.index(3))
    return replace(made, option_times=tuple(times[i] for i in order))


def _nearest(choice: Choice, rng: random.Random) -> Choice:
    asked = choice.asked_times[0]
    times = [asked + rng.choice((-1, 1)) * (0.2 + rng.random()) for _ in range(4)]
    times[choice.answer_index] = asked + 0.05
    return replace(choice, option_times=tuple(times))


PLANTS: dict[str, Plant] = {
    "length": _lengthened,
    "word": _telling_word,
    "position": _first_place,
    "number": _smallest,
    "adjoining times": _adjoining,
    "listed order": _listed,
    "frequent answer": _frequent,
    "typical place": _typical_place,
    "nearest in time": _nearest,
}
