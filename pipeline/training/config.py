"""Settings of a training run."""

from pydantic import Field, ValidationInfo, field_validator

from workers.training.config import TrainerConfig

SAMPLES = "tables/samples.parquet"


class TrainConfig(TrainerConfig):
    """Sets how a training run on a cluster works."""

    run: str = Field("first", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """Name of the run and of its folder."""
    split: str = "train"
    """Split with the samples to train on."""
    heldout_split: str = "val"
    """Split with the samples whose loss is measured with every checkpoint; none if the corpus has no such split."""
    heldout_samples: int = Field(32, ge=0)
    """Maximum number of held-out samples."""
    workers: int = Field(2, ge=1, validate_default=True)  # by `batch_size`, also where it is not given
    """Number of processes, each with one model; `batch_size` must be a multiple of it."""
    cpus_per_worker: float = Field(1.0, gt=0)
    """Cores and computing threads per worker."""
    use_gpu: bool = False
    """Use one GPU per worker, bfloat16 and NCCL; otherwise cores, float32 and Gloo."""
    checkpoint_every: int = Field(50, ge=1)
    """Steps between checkpoints; the last step always has one."""
    log_every: int = Field(10, ge=1)
    """Steps between printed lines."""
    max_failures: int = Field(3, ge=0)
    """How many times a call restarts the workers after one was lost. Errors of the code are not retried."""

    @field_validator("workers")
    @classmethod
    def _divides_the_batch(cls, workers: int, info: ValidationInfo) -> int:
        batch_size = info.data.get("batch_size", workers)
        if batch_size % workers:
            raise ValueError(f"must divide batch_size = {batch_size}")
        return workers

    @property
    def folder(self) -> str:
        """Returns the folder of the run in the corpus."""
        return f"train/{self.run}"
