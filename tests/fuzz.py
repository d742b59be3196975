"""How many examples a fuzz test of a reader of untrusted text takes: few in `make test`, many in `make soak`."""

import pytest
from hypothesis import strategies as st

examples = pytest.mark.parametrize(
    "examples", [100, pytest.param(20_000, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])]
)


def soup(*pieces: str) -> st.SearchStrategy[bytes]:
    """Bytes of a file made of such pieces, of any text, and of bytes that are none."""
    words = st.sampled_from([*pieces, "\n", "\r\n", "\n\n", " ", "\t", "\ud83d", "\u200d", "\u0301" * 40, "9" * 400])
    texts = st.lists(words | st.text(max_size=8), max_size=30).map("".join)
    encoded = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251", "gb18030", "latin-1"])
    files = st.builds(lambda text, encoding: text.encode(encoding, "ignore"), texts, encoded)
    spoiled = st.builds(
        lambda data, at, byte: data[:at] + byte + data[at:], files, st.integers(0, 60), st.binary(max_size=4)
    )
    return files | spoiled | st.binary(max_size=60)
