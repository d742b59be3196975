"""The entry of a plan, apart from what makes plans, since showing one needs little."""

from collections import Counter
from dataclasses import dataclass, field

OTHER_SETTINGS = "all its units are of other settings or of another version"


@dataclass
class StagePlan:
    """Plans one stage. `later` estimates the units whose number depends on units that are not done yet."""

    stage: str
    done: int
    rejected: int
    run: int
    later: int
    bytes: int = 0
    why: str = ""
    frames_decoded: int = 0
    """Number of frames sent to the decoder for the units that are done (decode only)."""
    frames_to_decode: int = 0
    """Number of frames to send to the decoder for the units to run, as planned by shard (decode only)."""
    cost: Counter[str] = field(default_factory=Counter)
    """Cost of the units to run at the endpoint of models: `calls`, `tokens_in`, `tokens_out`, `minutes` of audio."""
    price: float = 0.0
    """Price of `cost`, in the currency of the endpoint's prices."""
