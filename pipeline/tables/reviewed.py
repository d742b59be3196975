"""The share of right pairs that the verdicts of people show."""

import math
from collections.abc import Collection

from pipeline.tables.damage import naming
from pipeline.tables.left_out import REVIEWS_PATH, WRONG
from schemas.messages import counted
from workers.storage.store import Store


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the Wilson score interval of a share; 95% with the default `z`. Source: Wilson 1927.

    Args:
        right: number of successes.
        total: number of trials, at least 1.
        z: quantile of the normal distribution.
    """
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return middle - half, middle + half


def right_share(verdicts: Collection[str]) -> str:
    """Returns the share of right pairs among one verdict or more, such as `93.5% (95% interval: 89.2% to 96.2%)`."""
    right = sum(verdict not in WRONG for verdict in verdicts)
    low, high = wilson(right, len(verdicts))
    return f"{right / len(verdicts):.1%} (95% interval: {low:.1%} to {high:.1%})"


def judged_text(store: Store) -> str:
    """Returns what people found, for the data card; nothing if there are no verdicts. Raises DamagedFile."""
    if not store.exists(REVIEWS_PATH):
        return ""
    with naming(REVIEWS_PATH):
        verdicts = store.read_table(REVIEWS_PATH, ["verdict"])["verdict"].to_pylist()
    if not verdicts:
        return ""
    return (
        f"People judged {counted(len(verdicts), 'pair')} drawn at random. Right: {right_share(verdicts)}. The others "
        "are left out of the shards, with all pairs made from annotations that were found wrong.\n"
    )
