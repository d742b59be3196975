"""Differential keyframe selection (DKS) of ViLaMP, arXiv 2504.02438, section 3.2."""
