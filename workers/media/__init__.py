"""Reads untrusted media files: containers, clocks, decoding, rendering. Imports of its siblings only `sandbox`."""
