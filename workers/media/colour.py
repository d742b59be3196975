"""Converts HDR and wide-gamut colours to BT.709, by one method for all decoders.

On R'G'B' of the size that is wanted:

1. Light. PQ (SMPTE ST 2084) says how bright a pixel is, in cd/m2; HLG does so by its system gamma of 1.2 for a screen
   of 1,000 cd/m2 (ITU-R BT.2100); BT.2020 without either by a gamma of 2.4 (BT.1886), of which 1 is white.
2. Gamut. BT.2020 primaries become those of BT.709, and what such a screen cannot show is cut off.
3. Brightness, of HDR alone: the curve of ITU-R BT.2390-8, 5.4 (EETF), from 1,000 cd/m2 to the 203 cd/m2 of HDR's
   reference white (BT.2408). Up to 92 cd/m2 nothing changes. The curve is taken of the brightest of a pixel's three
   colours, so that hues stay.
4. The gamma of 2.4 again.
"""

from functools import cache
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

PQ, HLG = 16, 18  # AVColorTransferCharacteristic
BT2020 = 9  # AVColorPrimaries
_UNSPECIFIED = 2
_SDR_GAMMA = 2.4
_PEAK, _WHITE = 1000.0, 203.0  # cd/m2
_BT2020_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)


def is_hdr(frame: VideoFrame) -> bool:
    """Returns whether a frame has an HDR transfer function (PQ or HLG)."""
    return frame.color_trc in (PQ, HLG)


def needs_conversion(frame: VideoFrame) -> bool:
    """Returns whether a frame has HDR or wide-gamut colours."""
    return is_hdr(frame) or frame.color_primaries == BT2020


def to_bt709(rgb: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Converts R'G'B' uint16 [height, width, 3] of a BT.2020 or HDR video to uint8 of BT.709.

    Args:
        transfer: AVColorTransferCharacteristic.
        primaries: AVColorPrimaries; those of HDR are BT.2020 where the stream doesn't say.
    """
    light = _light_of_code(transfer)[rgb]
    if transfer == HLG:
        light *= (light @ _BT2020_LUMA)[..., None] ** 0.2 * (_PEAK / _WHITE)
    if primaries in (BT2020, _UNSPECIFIED):
        light = light @ _BT2020_TO_BT709.T
    np.clip(light, 0, None, out=light)
    if transfer in (PQ, HLG):
        brightest = np.minimum(light.max(-1), _PEAK / _WHITE)
        light *= _gain()[(np.sqrt(brightest * (_WHITE / _PEAK)) * (len(_gain()) - 1)).astype(np.int32)][..., None]
    np.clip(light, 0, 1, out=light)
    return np.asarray(light ** (1 / _SDR_GAMMA) * 255 + 0.5, np.uint8)


@cache
def _light_of_code(transfer: int) -> np.ndarray:
    """Returns the linear light of each 16-bit code value, where 1 is white; for HLG, scene light with maximum 1."""
    code = np.arange(65536) / 65535
    if transfer == PQ:
        return (_pq_to_light(code) / _WHITE).astype(np.float32)
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)
    return (code**_SDR_GAMMA).astype(np.float32)


@cache
def _gain() -> np.ndarray:
    """Returns the factors of light at the squares of 0 .. 1, relative to the peak."""
    light = np.linspace(0, 1, 4097) ** 2 * _PEAK
    light[0] = light[1]
    return (_tone_curve(light) / light).astype(np.float32)


def _tone_curve(light: np.ndarray) -> np.ndarray:
    """Applies BT.2390's EETF, in cd/m2; black remains black."""
    peak = _light_to_pq(_PEAK)
    level, top = _light_to_pq(light) / peak, _light_to_pq(_WHITE) / peak
    knee = 1.5 * top - 0.5
    t = np.maximum(level - knee, 0) / (1 - knee)
    above = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * top
    return _pq_to_light(np.where(level < knee, level, above) * peak)


_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_to_light(code: np.ndarray) -> np.ndarray:
    power = code ** (1 / _M2)
    return 10_000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)


def _light_to_pq(light: Any) -> Any:
    power = (light / 10_000) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
