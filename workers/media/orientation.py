"""Rotation and mirroring of frames for display."""

from typing import Any, NamedTuple

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame


class Orientation(NamedTuple):
    """Names one of the eight orientations of a rectangle.

    Rows and columns are transposed first, then either is reversed.
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def mirrored(self) -> bool:
        """Returns whether the orientation includes mirroring."""
        return self.transposed ^ self.flip_x ^ self.flip_y

    @property
    def clockwise(self) -> int:
        """Returns the degrees of clockwise rotation, after mirroring from left to right if the frame is mirrored."""
        if self.transposed:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def apply(self, rgb: np.ndarray) -> np.ndarray:
        """Returns a view of the array [height, width, ...] as displayed."""
        if self.transposed:
            rgb = rgb.swapaxes(0, 1)
        return rgb[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def undo(self, rgb: np.ndarray) -> np.ndarray:
        """Reverses `apply`; returns a view."""
        rgb = rgb[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]
        return rgb.swapaxes(0, 1) if self.transposed else rgb


def orientation(frame: VideoFrame) -> Orientation:
    """Returns the orientation of the frame's display matrix; for other angles or skew, the nearest of the eight.

    The matrix maps a column x and a row y to a x + c y and b x + d y (ISO/IEC 14496-12, 6.2.2).
    """
    # `frame.side_data` is kept by the frame and refers back to it: frames would stay until the next garbage collection.
    data: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(memoryview(data), np.int32, 5).astype(np.int64).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def turned(frame: VideoFrame) -> Orientation:
    """Returns what other decoders do with the matrix: they rotate by its angle, and ignore mirroring."""
    return {
        0: Orientation(),
        1: Orientation(True, True, False),
        2: Orientation(False, True, True),
        3: Orientation(True, False, True),
    }[round(-frame.rotation / 90) % 4]
