"""A whole build over inputs that once stopped others: each costs its own row."""

import pytest

from benchmarks import _hostile

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not _hostile.CASES.is_dir():
        pytest.skip(f"the hostile inputs are not here: {_hostile.CASES}")
    return tmp_path_factory.mktemp("hostile")


def test_each_hostile_input_costs_its_own_row(folder):
    wrong = [ending for ending in _hostile.endings(folder) if not ending.is_right]
    assert not wrong


def test_a_manifest_that_would_fill_the_memory_is_refused(folder):
    ending = _hostile.bomb(folder)
    assert ending.is_right, ending
