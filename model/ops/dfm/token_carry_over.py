"""Token carry-over: leaves out merged tokens that repeat the last one kept. An addition to ViLaMP.

DFM creates one token per frame, even for the 300 frames of one slide. Here a frame's token is left out while its
distance to the last token kept is at most `tolerance` times its own norm. The error of the replacement is therefore
bounded for every frame and query. Whether a part is static depends on the query: in a lecture, "what does the slide
say" keeps one token per slide, "what is he doing" one per gesture. At an equal number of tokens, this covers a longer
part of the video, or the same part with a smaller error, than keeping every n-th frame.

Shapes: Q queries, n frames per chunk, N frames, C width.
"""

import torch
from torch import Tensor


class TokenCarryOver:
    """Selects the tokens to keep along a sweep of `model.ops.dfm.merge.merge_sweep`; holds one token per query.

    Args:
        tolerance: maximum distance between a frame's token and the token that replaces it, relative to the norm of the
            frame's token. With 0, only equal tokens are left out.

    Raises:
        ValueError: the tolerance is not in [0, 1). At 1, a zero token could replace any other.
    """

    def __init__(self, tolerance: float) -> None:
        if not 0 <= tolerance < 1:
            raise ValueError(f"tolerance = {tolerance}: must be a share of a token's norm, in [0, 1)")
        self.tolerance = tolerance
        self._last_QC: Tensor | None = None

    @torch.no_grad()
    def __call__(self, tokens_QnC: Tensor, always_Qn: Tensor | None = None) -> Tensor:
        """Returns which frames of the next chunk keep their token, `[Q, n]` bool. No host sync.

        Args:
            tokens_QnC: merged tokens in temporal order.
            always_Qn: bool, frames that keep their token in any case, such as the first after a keyframe.
        """
        num_queries, num_frames, _ = tokens_QnC.shape
        wide_QnC = tokens_QnC.float()
        limit_Qn = torch.linalg.vector_norm(wide_QnC, dim=2) * self.tolerance
        if self._last_QC is None:  # comparisons with NaN are false, so the first token is kept
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
    """Returns the source frame of each frame's token, `[Q, N]` int64; -1 before the first token kept."""
    frame_N = torch.arange(keep_QN.shape[1], device=keep_QN.device)
    return torch.where(keep_QN, frame_N, -1).cummax(dim=1).values
