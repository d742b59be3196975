import pytest
import torch

from schemas.config import ConfigError
from workers.training.optimizer import load_optimizer

PARAMETERS = {"a": torch.zeros(2, 3), "b": torch.zeros(4)}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"step.c": torch.tensor(1.0)}, "holds 'step.c'"),
        ({"momentum.a": torch.ones(2, 3)}, "holds 'momentum.a'"),
        ({"nothing": torch.ones(2, 3)}, "holds 'nothing'"),
        ({"step.a": torch.ones(2)}, r"'step.a' is torch.float32 \[2\]"),
        ({"exp_avg.a": torch.ones(3)}, r"'exp_avg.a' is torch.float32 \[3\]"),
        ({"exp_avg.a": torch.full((2, 3), torch.nan)}, "'exp_avg.a' has values that are not finite"),
        ({"exp_avg_sq.a": torch.full((2, 3), -1.0)}, "'exp_avg_sq.a' has values below 0"),
        ({"step.a": torch.tensor(-1.0)}, "'step.a' has values below 0"),
        ({"step.a": torch.tensor(1.0), "exp_avg.a": torch.ones(2, 3)}, "lacks moments of 'a'"),
    ],
)
def test_tensors_of_another_optimizer_are_refused(tensors, message):
    parameters = {name: torch.nn.Parameter(value) for name, value in PARAMETERS.items()}
    optimizer = torch.optim.AdamW(parameters.values())
    with pytest.raises(ConfigError, match=message):
        load_optimizer(optimizer, parameters, tensors)
    assert not optimizer.state
