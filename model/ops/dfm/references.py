"""The reference keyframes of a merge sweep: which one each query refers to at a frame, and the patches still in use.

Shapes: Q queries, K keyframes, M patches, D joint width, S references held.
"""

import torch
from torch import Tensor


class Schedule:
    """Holds the reference keyframe of each query at each frame, computed on the host before the sweep."""

    def __init__(self, keyframes_QK: Tensor) -> None:
        self.rows = [sorted({f for f in row if f >= 0}) for row in keyframes_QK.tolist()]
        self.last = max((row[-1] for row in self.rows if row), default=-1)
        self.keyframes = {f for row in self.rows for f in row}
        self.position = [0] * len(self.rows)  # keyframes before the current frame, per query

    def before(self, frame: int) -> list[int]:
        """Returns the nearest keyframe of each query strictly before `frame`, or -1.

        Frames must not descend between calls.
        """
        nearest = []
        for query, row in enumerate(self.rows):
            while self.position[query] < len(row) and row[self.position[query]] < frame:
                self.position[query] += 1
            nearest.append(row[self.position[query] - 1] if self.position[query] else -1)
        return nearest


class References:
    """Holds patches of the keyframes that are still in use, `joint_SMD`, and their inverse norms, `inverse_SM`."""

    def __init__(self) -> None:
        self.slot_of: dict[int, int] = {}
        self.free: list[int] = []
        self.joint_SMD, self.inverse_SM = torch.empty(0), torch.empty(0)

    def add(self, frame: int, joint_MD: Tensor, inverse_M: Tensor) -> None:
        """Copies the patches of a keyframe and their inverse norms."""
        if not self.free:
            self._grow(joint_MD)
        slot = self.slot_of[frame] = self.free.pop()
        self.joint_SMD[slot], self.inverse_SM[slot] = joint_MD, inverse_M

    def keep_only(self, frames: set[int]) -> None:
        """Frees the slots of all other keyframes."""
        for frame in self.slot_of.keys() - frames:
            self.free.append(self.slot_of.pop(frame))

    def _grow(self, like_MD: Tensor) -> None:
        held = self.joint_SMD.shape[0]
        joint = like_MD.new_empty(held + 8, *like_MD.shape)
        inverse = like_MD.new_empty(held + 8, like_MD.shape[0])
        if held:
            joint[:held], inverse[:held] = self.joint_SMD, self.inverse_SM
        self.joint_SMD, self.inverse_SM = joint, inverse
        self.free += range(held + 7, held - 1, -1)
