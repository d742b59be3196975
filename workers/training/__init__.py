"""One rank of a training run: the trainer, its checkpoints and the samples that it reads."""
