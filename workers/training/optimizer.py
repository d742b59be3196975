"""AdamW: its groups of parameters, and its state in checkpoints."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from schemas.config import ConfigError
from workers.training.checkpoint import check_shape

_ADAMW = {"step", "exp_avg", "exp_avg_sq"}
"""The state of AdamW for each parameter."""


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Returns parameter groups: weight decay applies to matrices, but not to norms, biases and the newline."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]


def optimizer_tensors(optimizer: torch.optim.Optimizer, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the state of an optimizer as `<key>.<name of the parameter>`, independent of the order of parameters."""
    return {
        f"{key}.{name}": value
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """Reverses `optimizer_tensors`. Moments go to their parameter's device; AdamW requires its step on the CPU.

    Raises ConfigError where names or shapes are not those that AdamW keeps for these parameters.
    """
    state: dict[str, dict[str, Tensor]] = {}
    for key_and_name, value in tensors.items():
        key, _, name = key_and_name.partition(".")
        if name not in parameters or key not in _ADAMW:
            raise ConfigError(f"the checkpoint is of another optimizer: it holds {key_and_name!r}. Give another run")
        check_shape(key_and_name, value, torch.Size() if key == "step" else parameters[name].shape)
        if key != "exp_avg" and (value < 0).any():  # AdamW takes the root of one, and a power of the other
            raise ConfigError(f"the checkpoint's {key_and_name!r} has values below 0. Give another run")
        state.setdefault(name, {})[key] = value if key == "step" else value.to(parameters[name].device)
    for name, values in state.items():
        if values.keys() != _ADAMW:
            raise ConfigError(f"the checkpoint is of another optimizer: it lacks moments of {name!r}. Give another run")
    optimizer.state.clear()
    optimizer.state.update({parameters[name]: values for name, values in state.items()})
