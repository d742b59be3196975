"""What a step and a look at held-out samples measured, over all ranks."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a step did, over all ranks."""

    step: int
    """The first is 1."""
    epoch: int
    """That the batch began in."""
    loss: float
    """Mean cross entropy of a target token, in nats, before the step."""
    learning_rate: float
    grad_norm: float
    """Before clipping."""
    num_targets: int
    questions_cut: int
    """Samples whose question was cut to `max_text_tokens`."""
    left_out: dict[str, str]
    """Samples without a target: id and reason."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Heldout:
    """The loss on held-out samples, over all ranks."""

    loss: float
    """Mean cross entropy of a target token, in nats."""
    questions_cut: int
    left_out: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What some samples gave, over all ranks."""

    num_targets: int
    questions_cut: int
    left_out: dict[str, str]
