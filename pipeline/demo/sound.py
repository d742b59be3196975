"""The sound of a script: every event is heard, each action at a pitch and pulse of its own, over one hum per scene."""

import numpy as np

from pipeline.demo.encode import SAMPLE_RATE_HZ
from pipeline.demo.script import Script
from pipeline.demo.world import DEEDS, MOVES, SCENES

_ACTIONS = (*DEEDS, *MOVES, "card")


def sound(script: Script) -> np.ndarray:
    """Returns mono int16 samples at SAMPLE_RATE_HZ, as long as the script."""
    wave = np.zeros(round(script.seconds * SAMPLE_RATE_HZ), np.float32)
    for scene in script.scenes:
        _add(wave, scene.start_s, scene.end_s, 60 + 7 * SCENES.index(scene.name), pulse_hz=0, loudness=0.03)
    for event in script.events:
        pitch = _ACTIONS.index(event.act.action)
        _add(wave, event.start_s, event.end_s, 262 * 2 ** (pitch / 12), pulse_hz=1 + pitch % 4, loudness=0.25)
    return (wave * 32767).astype(np.int16)


def _add(wave: np.ndarray, start_s: float, end_s: float, pitch_hz: float, *, pulse_hz: float, loudness: float) -> None:
    first, last = round(start_s * SAMPLE_RATE_HZ), min(round(end_s * SAMPLE_RATE_HZ), len(wave))
    time_s = np.arange(last - first, dtype=np.float32) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * pitch_hz * time_s)
    if pulse_hz:
        tone = tone * (0.5 - 0.5 * np.cos(2 * np.pi * pulse_hz * time_s))
    # Ramps of 20 ms at both ends, so that no tone starts with a click.
    ramp = np.clip(np.minimum(time_s, time_s[::-1]) / 0.02, 0, 1)
    wave[first:last] += loudness * tone * ramp
