"""A training run on a cluster: its settings, what is checked before it starts, its driver and its ranks."""
