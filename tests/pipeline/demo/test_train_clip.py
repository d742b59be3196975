"""The training of the tiny CLIP: its loss, and that a seed decides the weights."""

import pytest
import torch

from pipeline.demo.train_clip import contrast, train


def test_the_loss_is_least_where_all_true_pairs_score_alike():
    truth = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    right = contrast(20.0 * truth, truth)
    one_missed = contrast(20.0 * (truth & torch.eye(3, dtype=torch.bool)), truth)
    wrong = contrast(20.0 * ~truth, truth)
    assert right < one_missed < wrong
    # Two positives share the probability: the loss can't be below their entropy, ln 2 for two rows of three.
    assert right.item() == pytest.approx(2 / 3 * torch.log(torch.tensor(2.0)).item(), abs=1e-4)


@pytest.mark.slow
def test_a_seed_decides_the_weights_and_unseen_words_are_zero():
    first, again = (train(steps=2, num_groups=1, learning_rate=1e-3, seed=5) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert {tensor.dtype for tensor in first.values()} == {torch.float16}
    seen = first["token_embedding.weight"].abs().sum(dim=1) > 0
    assert 5 < seen.sum() < 1000
