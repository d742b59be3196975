"""Puts stages on Ray Data, runs and commits their units, and keeps the Ray session."""
