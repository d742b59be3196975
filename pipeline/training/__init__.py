"""A training run on a cluster: its settings, the checks before it starts, its driver and its ranks."""
