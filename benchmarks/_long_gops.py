"""Videos with long GOPs, as platforms for videos encode them: H.264, HEVC and VP9, 21 minutes each."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

SECONDS, RATE, SIZE = 21 * 60, 24, "320:180"
# Name, seconds between key frames, encoder and its fast settings.
FILES = {
    "h264_gop5.mp4": (5, ["-c:v", "libx264", "-preset", "veryfast"]),
    "hevc_gop10.mp4": (10, ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:open-gop=0"]),
    "vp9_gop5.webm": (5, ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k"]),
}


def long_gops(source: Path, folder: Path) -> list[Path]:
    """Encodes `source`, repeated to SECONDS, as each of FILES into a folder; takes about two minutes."""
    video = ["-an", "-sn", "-t", str(SECONDS), "-vf", f"fps={RATE},scale={SIZE}", "-pix_fmt", "yuv420p"]
    for name, (gop_s, encoder) in FILES.items():
        gop = ["-g", str(gop_s * RATE), "-keyint_min", str(gop_s * RATE)]
        repeated = ["-stream_loop", "-1", "-i", str(source)]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *repeated, *video, *encoder, *gop]
        subprocess.run([*command, str(folder / name)], check=True)
    return [folder / name for name in FILES]
