"""Embeds frames, patches and questions with CLIP towers, and computes the visual tokens of a video."""
