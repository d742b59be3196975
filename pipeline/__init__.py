"""Composes the stages, commits their units and runs the command line. The only package that imports Ray."""
