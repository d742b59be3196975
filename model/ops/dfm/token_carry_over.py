"""A merging beyond ViLaMP's: a frame whose merged token says nothing new is told by the token before.

DFM gives every frame a token, also the 300 frames of a slide. Here a frame's token is left out while it lies within
`tolerance` of the last token kept, as a share of its own length: so the error of what a reader sees in its place is
bounded by the tolerance, for every frame and query, by construction. What is static depends on the query: of a lecture,
"what does the slide say" keeps a token a slide, "what is he doing" one a gesture. At the same number of tokens a longer
stretch is told, or the same stretch with less error, than by taking every n-th frame.

Shapes: Q queries, n frames of a chunk, N frames, C width.
"""

import torch
from torch import Tensor


class TokenCarryOver:
    """Goes along a sweep (`model.ops.dfm.merge.merge_sweep`), chunk by chunk, and holds one token a query.

    Args:
        tolerance: largest distance to the kept token that stands for a frame, as a share of the frame's token's length.
            0: only an equal token is left out.

    Raises:
        ValueError: a tolerance below 0 or not below 1 (at 1 a zero token could stand for any).
    """

    def __init__(self, tolerance: float) -> None:
        if not 0 <= tolerance < 1:
            raise ValueError(f"tolerance = {tolerance}: a share of a token's length in [0, 1)")
        self.tolerance = tolerance
        self._last_QC: Tensor | None = None

    @torch.no_grad()
    def __call__(self, tokens_QnC: Tensor, always_Qn: Tensor | None = None) -> Tensor:
        """Which frames of the next chunk keep their token, `[Q, n]` bool. No host sync.

        Args:
            tokens_QnC: merged tokens, in temporal order.
            always_Qn: bool: frames that must keep theirs whatever came before, such as the first after a keyframe.
        """
        num_queries, num_frames, _ = tokens_QnC.shape
        wide_QnC = tokens_QnC.float()
        limit_Qn = torch.linalg.vector_norm(wide_QnC, dim=2) * self.tolerance
        if self._last_QC is None:  # no token is within any distance of NaN
            self._last_QC = torch.full_like(wide_QnC[:, :1].mean(1), torch.nan)
        keep_Qn = torch.zeros(num_queries, num_frames, dtype=torch.bool, device=tokens_QnC.device)
        last_QC = self._last_QC
        for frame in range(num_frames):
            token_QC = wide_QnC[:, frame]
            far_Q = ~(torch.linalg.vector_norm(token_QC - last_QC, dim=1) <= limit_Qn[:, frame])
            if always_Qn is not None:
                far_Q |= always_Qn[:, frame]
            last_QC = torch.where(far_Q[:, None], token_QC, last_QC)
            keep_Qn[:, frame] = far_Q
        self._last_QC = last_QC
        return keep_Qn


def source_frames(keep_QN: Tensor) -> Tensor:
    """For each frame the frame whose token stands for it, `[Q, N]` int64; -1 before the first that is kept."""
    frame_N = torch.arange(keep_QN.shape[1], device=keep_QN.device)
    return torch.where(keep_QN, frame_N, -1).cummax(dim=1).values
