"""Why the words of an event are not quoted: the source has them wrong, and what is meant is not certain enough to mend.

Such an event stays a step of its video, between others; no question, option or answer tells it.
"""

from functools import lru_cache

from stages.qa.spelling import misspelled

FAULTS = {
    "misspelled": "with a word that no list of English words has: it stays a step, and is not told in words",
}


@lru_cache(maxsize=1 << 14)
def fault_of(text: str) -> str:
    """A code of FAULTS for an English sentence of `stages.qa.clean`; "" where it can be quoted."""
    return "misspelled" if misspelled(text) else ""
