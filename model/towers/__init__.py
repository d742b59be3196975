"""Frozen open_clip towers: their source, preprocessing and patch features."""
