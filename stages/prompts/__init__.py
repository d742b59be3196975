"""The prompts of the models, a file each."""

import hashlib
from functools import lru_cache
from pathlib import Path


@lru_cache
def prompt(name: str) -> str:
    """Returns the text of `stages/prompts/<name>.md`."""
    return (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8").strip()


def prompt_hash(name: str) -> str:
    """Returns 16 hex digits of the SHA-256 of a prompt, for cache keys and origins."""
    return hashlib.sha256(prompt(name).encode()).hexdigest()[:16]
