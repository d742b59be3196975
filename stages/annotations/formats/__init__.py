"""Annotation files as data sets publish them: one module per format, and `read`, which finds the format of a file."""
