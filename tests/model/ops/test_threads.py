import pytest
import torch

from model.ops.keyframes import select_keyframes
from model.ops.threads import one_thread


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
