"""The demo world: long videos with known events, rendered, and a tiny CLIP that was trained on it."""

from pathlib import Path

from pipeline.demo.corpus import write_demo

__all__ = ["CLIP_DIR", "write_demo"]

CLIP_DIR = Path(__file__).parent / "clip"
"""An open_clip `local-dir:` folder: config and weights of the tiny CLIP."""
