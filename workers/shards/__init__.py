"""Shards: how samples lie in them, how they are written and read, and in which order."""
