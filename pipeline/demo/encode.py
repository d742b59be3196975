"""Encodes drawn frames and sound to a real file: H.264 video and AAC audio in MP4."""

import subprocess
import tempfile
import wave
from collections.abc import Iterable
from pathlib import Path

import ffmpeg
import imageio_ffmpeg
import numpy as np

SAMPLE_RATE_HZ = 16_000
_KEY_FRAME_INTERVAL_S = 5


def encode(
    path: Path,
    frames: Iterable[bytes],
    *,
    width: int,
    height: int,
    fps: int,
    audio: np.ndarray,
) -> None:
    """Writes `path` from packed RGB frames and mono int16 audio at SAMPLE_RATE_HZ.

    One encoder thread and no times or versions in the file: the same frames give the same bytes.
    Raises RuntimeError with the encoder's last words where it fails.
    """
    with tempfile.TemporaryDirectory(prefix="longvid-demo-") as scratch:
        sound = Path(scratch) / "sound.wav"
        _write_wave(sound, audio)
        log = Path(scratch) / "log.txt"
        video = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", r=fps)
        command = ffmpeg.output(
            video.video,
            ffmpeg.input(str(sound)).audio,
            str(path),
            format="mp4",
            vcodec="libx264",
            preset="veryfast",
            crf=24,
            pix_fmt="yuv420p",
            g=_KEY_FRAME_INTERVAL_S * fps,
            acodec="aac",
            audio_bitrate="32k",
            threads=1,
            map_metadata=-1,
            fflags="+bitexact",
            movflags="+faststart",
            **{"flags:v": "+bitexact", "flags:a": "+bitexact"},
        ).overwrite_output()
        _feed(ffmpeg.compile(command, cmd=imageio_ffmpeg.get_ffmpeg_exe()), frames, path, log)


def _feed(arguments: list[str], frames: Iterable[bytes], path: Path, log: Path) -> None:
    with log.open("wb") as errors:
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors)
        assert process.stdin
        try:
            for frame in frames:
                process.stdin.write(frame)
            process.stdin.close()
        except BrokenPipeError:
            pass  # The encoder stopped early: its exit code and log say why.
        finally:
            if process.poll() is None and not process.stdin.closed:
                process.kill()
            code = process.wait()
    if code != 0:
        raise RuntimeError(
            f"encoding {path.name} failed with exit code {code}: {log.read_text(errors='replace')[-500:]}"
        )


def _write_wave(path: Path, audio: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(audio.astype("<i2").tobytes())
