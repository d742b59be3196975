"""Hierarchical compression (HiCo) of VideoChat-Flash, arXiv 2501.00574: clip merging and progressive dropout."""
