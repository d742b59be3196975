"""The prompts of the models, a file each."""

import hashlib
from functools import lru_cache
from pathlib import Path


@lru_cache
def prompt(name: str) -> str:
    """The text of `stages/prompts/<name>.md`."""
    return (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8").strip()


def prompt_hash(name: str) -> str:
    """What a cache key and a provenance know of a prompt: 16 hex digits of its SHA-256."""
    return hashlib.sha256(prompt(name).encode()).hexdigest()[:16]
