import pytest
import torch

from model.ops.keyframes import select_keyframes
from model.ops.threads import one_thread, over_threads


def test_the_number_of_threads_comes_back_also_after_an_error():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with one_thread():
            assert torch.get_num_threads() == 1
        with pytest.raises(ValueError, match="k = 0"):
            select_keyframes(torch.eye(2), torch.eye(2), k=0)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_parts_are_done_each_on_one_thread_and_errors_arrive():
    seen = []
    over_threads(lambda part: seen.append((part, torch.get_num_threads(), torch.is_grad_enabled())), [1, 2, 3], 2)
    assert sorted(seen) == [(1, 1, False), (2, 1, False), (3, 1, False)]
    with pytest.raises(ZeroDivisionError):
        over_threads(lambda part: 1 / part, [1, 0], 2)
