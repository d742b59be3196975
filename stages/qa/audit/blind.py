"""The blind score: how probable a model that sees no video finds the right option, and which pairs to leave out for it.

There is one model per form (`text_model`). It is cross-fitted by video: each pair is judged by a model that has seen no
pair of its video. A pair that it guesses counts for one, less its chance; of each form in which that is above a
margin, pairs are left out, those guessed with the highest probability first, and a model of the others judges anew.

What is left out is judged as well: pairs that one model failed on prove nothing of another one and of other videos. So
pairs are left out until a model of those that are kept has nothing to learn that holds of all.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from schemas.config import Config
from stages.qa.audit.features import Choice, rows_of
from stages.qa.audit.rules import RULES, most_frequent
from stages.qa.audit.text_model import Pairs, cross_fit
from stages.qa.audit.typical_places import typical_places

_STEP = 0.5  # pairs left out per round, of those by which all together are above the margin
_LEAST_STEP = 0.003  # of the pairs, so that a form close to the margin does not take a round for a few pairs


class BlindConfig(Config):
    """Sets what a text-only model may guess."""

    margin: float = Field(3.0, ge=0, le=100)
    """Points above chance that a form may be guessed at, by the model or by a single rule; pairs above it are left
    out, the surest first."""
    min_pairs: int = Field(300, ge=20)
    """Forms with fewer pairs are not judged: chance alone lies further from its mean than the margin."""
    folds: int = Field(5, ge=2, le=20)
    """Parts that the videos are divided into; each is judged by a model of the others."""
    rounds: int = Field(30, ge=1, le=200)
    """How often a form is judged anew after pairs were left out."""
    max_fit_pairs: int = Field(200_000, ge=1000)
    """A model is fitted on at most so many pairs of a form."""
    seed: int = Field(0, ge=0)
    """Of the order in which pairs are fitted, and of the parts."""


@dataclass
class Judged:
    """Tells what became of the pairs of one form.

    Attributes:
        score: float32 [N], probability of the right option, by the last model that judged the pair; NaN: not judged.
        guessed: bool [N], whether that model's first choice is the right option.
        dropped: per pair why it is left out; "": it is not.
    """

    score: np.ndarray
    guessed: np.ndarray
    dropped: list[str] = field(default_factory=list)


def judge(choices: Sequence[Choice], config: BlindConfig) -> Judged:
    """Judges the pairs of one form, each with at least two options, and says which to leave out."""
    found = Judged(np.full(len(choices), np.nan, np.float32), np.zeros(len(choices), bool), [""] * len(choices))
    if len(choices) < config.min_pairs:
        return found
    folds = np.array([fold_of(choice.video_id, config) for choice in choices])
    places = typical_places(choices, folds, config.max_fit_pairs, config.seed)
    pairs = Pairs(*rows_of(choices, places), np.array([choice.answer_index for choice in choices]), config.seed)
    chance = np.array([1 / len(choice.options) for choice in choices])
    kept = np.ones(len(choices), bool)
    for _ in range(config.rounds):
        score, guessed = cross_fit(pairs, folds, kept, config.max_fit_pairs)
        where, gain = np.flatnonzero(kept), guessed - chance
        found.score[where], found.guessed[where] = score[where], guessed[where]
        above = gain.mean() - config.margin / 100
        least = int(np.ceil(max(_STEP * above, _LEAST_STEP) * len(where))) if above > 0 else 0
        gone = where[surest(score[where], gain[where], config.margin, least)]
        kept[gone] = False
        for i in gone:
            found.dropped[i] = "guessable"
        if not len(gone) or kept.sum() < config.min_pairs:
            break
    while _drop_by_rules(choices, kept, found, config):  # what goes for one rule may raise another
        pass
    return found


def _drop_by_rules(choices: Sequence[Choice], kept: np.ndarray, found: Judged, config: BlindConfig) -> bool:
    """Leaves out, of the pairs that are kept, those that single rules guess; says whether any went."""
    places = np.flatnonzero(kept).tolist()
    for name, guesses in rule_guesses([choices[i] for i in places]).items():
        told = [(i, guess) for i, guess in zip(places, guesses, strict=True) if kept[i] and guess is not None]
        if len(told) < config.min_pairs:
            continue
        where = np.array([i for i, _ in told])
        gain = np.array([(guess == choices[i].answer_index) - 1 / len(choices[i].options) for i, guess in told])
        for i in where[surest(found.score[where], gain, config.margin)]:
            kept[i], found.dropped[i] = False, name
    return bool(kept.sum() < len(places))


def rule_guesses(choices: Sequence[Choice]) -> dict[str, list[int | None]]:
    """Returns what each single rule chooses."""
    guesses = {name: [rule(choice) for choice in choices] for name, rule in RULES.items()}
    return {**guesses, "most_frequent": most_frequent(choices)}


def surest(score: np.ndarray, gain: np.ndarray, margin: float, least: int = 0) -> np.ndarray:
    """Returns the pairs to leave out, the highest score first, until the mean gain is within the margin.

    Args:
        score: [N], by which right guesses are put in order; NaN counts as 0.
        gain: [N], one less the chance for a right guess, minus the chance for a wrong one.
        margin: in points.
        least: so many at least, where so many are guessed right.
    """
    right = np.flatnonzero(gain > 0)
    order = right[np.lexsort((right, -np.nan_to_num(score[right])))]
    # After the first k are gone: (total - their gains) / (N - k).
    left = gain.sum() - np.concatenate([[0.0], np.cumsum(gain[order])])
    fits = 100 * left <= margin * np.maximum(1, len(gain) - np.arange(len(left)))
    return order[: max(least, int(np.argmax(fits)))] if fits.any() else order


def fold_of(video_id: str, config: BlindConfig) -> int:
    """Returns the part that a video is in."""
    return zlib.crc32(f"{config.seed}:{video_id}".encode()) % config.folds
