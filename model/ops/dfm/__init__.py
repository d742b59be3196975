"""Differential feature merging (DFM) of ViLaMP, arXiv 2504.02438, section 3.3."""
