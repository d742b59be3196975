"""The format in which sound is passed on: mono, int16."""

RATE_HZ = 16_000


def num_samples(start_s: float, end_s: float) -> int:
    """Returns the number of samples of a part."""
    return max(0, round((end_s - start_s) * RATE_HZ))
