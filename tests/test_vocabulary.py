"""Former terms do not come back: each has a successor in `docs/glossary.md`."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Words that have no other meaning anywhere in the tree, also as parts of identifiers.
USE = {
    "(?:un)?likeness(?:es)?": "similarity",
    "tall(?:y|ies|ied)": "counter",
    "strangers": "untrusted",
    "runaways?": "CPU-time limit exceeded",
    "crossing[ _]out": "suppression",
    "local[ _]cop(?:y|ies)": "disk cache",
    "node[ _]folders?": "scratch folder",
    "host[ _]gates?": "per-host rate limiter",
    "(?:decoder|media)_child": "sandbox process",
    "probe_apart": "probe_in_subprocess",
    "by_order": "missing pts",
    "located_by": "columns excluded from the cache key",
    "must_stay": "resume fingerprint",
    "check_same": "check_resumable",
    "can_be_parted": "is_parsable_url",
    r"def \w*(?:picture|(?<=_)jump)\w*": "frame, timestamp discontinuity",
    r"(?:bytes|frames|keyframes|milliseconds|samples|tokens)_a_\w+": "_per_",
    "(?:frames?|samples?|times|once|twice) a (?:second|minute|hour)": "per",
    "(?:frames|tokens|keyframes) a (?:clip|chunk|keyframe|step)": "per",
}
# Former names of settings and saved states, which may be told only where they are still accepted.
FORMER = {
    "max_deaths": "max_crashes",
    "lanes": "interleaved videos",
    "thinning": "subsampling",
    "leaning": "embedding_assist_ratio",
    "kept_share": "static_ratio",
    "noise_steps": "noise_window",
}
ACCEPT = {
    "CHANGELOG.md",
    "schemas/renamed_settings.py",
    "stages/find_shots.py",
    "tests/schemas/test_renamed_settings.py",
    "tests/workers/shards/test_reader.py",
    "tests/workers/training/test_manifest.py",
    "workers/shards/sample_reader.py",
}


def former_terms(name: str, text: str) -> list[str]:
    """One line for each former term in a file."""
    terms = USE if name in ACCEPT else USE | FORMER
    uses, any_term = list(terms.values()), "|".join(f"({term})" for term in terms)
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]!r}: use {uses[found.lastindex - 1]!r}"
        for found in re.finditer(rf"(?<![a-z])(?:{any_term})(?![a-z])", text, re.IGNORECASE)
    ]


def test_no_file_has_a_former_term():
    listed = subprocess.run(["git", "ls-files", "-z", "*.py", "*.md", "*.yaml"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = set(listed.stdout.decode().rstrip("\0").split("\0")) - {str(Path(__file__).relative_to(ROOT))}
    found = [line for name in sorted(names) for line in former_terms(name, (ROOT / name).read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x\nLIKENESS = 1", "a.py:2: 'LIKENESS': use 'similarity'"),
        ("FRAMES_A_STEP", "a.py:1: 'FRAMES_A_STEP': use '_per_'"),
        ("def test_a_tally():", "a.py:1: 'tally': use 'counter'"),
        ("one frame a second", "a.py:1: 'frame a second': use 'per'"),
        ("def test_a_picture():", "a.py:1: 'def test_a_picture': use 'frame, timestamp discontinuity'"),
        ("the thinning", "a.py:1: 'thinning': use 'subsampling'"),
    ],
)
def test_a_former_term_is_found(text, told):
    assert former_terms("a.py", text) == [told]
