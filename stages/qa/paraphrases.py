"""Which texts of a video tell of the same thing in other words, by the embeddings of a text model."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.qa.similarity import differ_in_colour

_BLOCK = 1024


def paraphrases(texts: Sequence[str], embeddings_ND: np.ndarray, least: float) -> Mapping[str, str]:
    """Returns each text that says another again, and the first one that says it.

    Every text is compared with those that say something new, in the order of the texts; so no chain of small steps
    joins texts that differ. Texts that name different colours differ.

    Args:
        texts: N texts, each once.
        embeddings_ND: float32 [N, D], L2-normalised.
        least: cosine from which on two texts say the same.
    """
    found: dict[str, str] = {}
    first: list[int] = []
    for start in range(0, len(texts), _BLOCK):
        block = embeddings_ND[start : start + _BLOCK]
        against = np.concatenate([embeddings_ND[first], block]) @ block.T
        places = [*first, *range(start, start + len(block))]
        for column, text in enumerate(texts[start : start + _BLOCK]):
            of = next(
                (
                    texts[places[row]]
                    for row in np.flatnonzero(against[: len(places) - len(block) + column, column] >= least)
                    if texts[places[row]] not in found and not differ_in_colour(texts[places[row]], text)
                ),
                None,
            )
            if of is None:
                first.append(start + column)
            else:
                found[text] = of
    return found
