"""Readers of what people write about a video: subtitles, event files, conversations. Pure functions on bytes."""
