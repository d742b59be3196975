"""Torch only: kernels, towers and the language model. No Arrow and no Ray."""
