"""How far guesses are above chance."""

import random
from collections import defaultdict
from collections.abc import Sequence

from stages.qa.audit.features import Choice


def over_chance(
    pairs: Sequence[Choice], guesses: Sequence[int | None], *, rounds: int = 500
) -> tuple[float, float, int]:
    """Returns the points over chance, the lower end of their 95% interval and the number of guesses.

    The interval is a bootstrap over videos.
    """
    by_video: dict[str, list[float]] = defaultdict(list)
    for pair, guess in zip(pairs, guesses, strict=True):
        if guess is not None:
            by_video[pair.video_id].append((guess == pair.answer_index) - 1 / len(pair.options))
    gains = list(by_video.values())
    count = sum(map(len, gains))
    if not count:
        return 0.0, 0.0, 0
    sums = [(sum(gain), len(gain)) for gain in gains]
    rng = random.Random(0)
    drawn = []
    for _ in range(rounds):
        sample = rng.choices(sums, k=len(sums))
        drawn.append(sum(s for s, _ in sample) / sum(n for _, n in sample))
    return 100 * sum(s for s, _ in sums) / count, 100 * sorted(drawn)[int(0.025 * rounds)], count
