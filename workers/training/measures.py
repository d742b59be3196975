"""Measurements of a step and of held-out samples, over all ranks."""

from dataclasses import dataclass

HELDOUT_REMEDY = (
    ", so no checkpoint is written. Look for samples of the held-out split with wrong tokens, or train without them: "
    "train.heldout_samples = 0"
)
"""What to do where the held-out loss is no number."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Holds the measurements of a step, over all ranks."""

    step: int
    """Number of the step, from 1."""
    epoch: int
    """Epoch in which the batch began."""
    loss: float
    """Mean cross entropy of a target token, in nats, before the step."""
    learning_rate: float
    grad_norm: float
    """Norm of the gradients before clipping."""
    num_targets: int
    questions_cut: int
    """Samples whose question was cut to `max_text_tokens`."""
    left_out: dict[str, str]
    """Ids and reasons of samples without a target."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Heldout:
    """Holds the loss on held-out samples, over all ranks."""

    loss: float
    """Mean cross entropy of a target token, in nats."""
    questions_cut: int
    left_out: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Holds counts of a set of samples, over all ranks."""

    num_targets: int
    questions_cut: int
    left_out: dict[str, str]
