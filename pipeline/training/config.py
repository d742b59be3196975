"""Settings of a training run."""

from pydantic import Field, ValidationInfo, field_validator

from workers.training.config import TrainerConfig

SAMPLES = "tables/samples.parquet"


class TrainConfig(TrainerConfig):
    """A training run on a cluster."""

    run: str = Field("first", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Its name, and its folder's."""
    split: str = "train"
    """Samples to train on."""
    heldout_split: str = "val"
    """Samples whose loss is measured with every checkpoint; none where the corpus has no such split."""
    heldout_samples: int = Field(32, ge=0)
    """As many of them at most."""
    workers: int = Field(2, ge=1)
    """Processes, one model each; `batch_size` is a multiple of it."""
    cpus_per_worker: float = Field(1.0, gt=0)
    """Cores a worker; it computes with as many threads."""
    use_gpu: bool = False
    """A GPU a worker, bfloat16 and NCCL; else cores, float32 and Gloo."""
    checkpoint_every: int = Field(50, ge=1)
    """Steps; the last step has a checkpoint in any case."""
    log_every: int = Field(10, ge=1)
    """Steps between printed lines."""
    max_failures: int = Field(3, ge=0)
    """How many times a call starts the workers again after one was lost. An error of the code is never tried again."""

    @field_validator("workers")
    @classmethod
    def _divides_the_batch(cls, workers: int, info: ValidationInfo) -> int:
        batch_size = info.data.get("batch_size", workers)
        if batch_size % workers:
            raise ValueError(f"must divide batch_size = {batch_size}")
        return workers

    @property
    def folder(self) -> str:
        """Of the run, in the corpus."""
        return f"train/{self.run}"
