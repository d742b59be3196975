"""How the shard stage would sample and cut a file, in this process."""

from pathlib import Path

from stages.shard import ShardConfig
from workers.media.decode_plan import Segment
from workers.media.probe import probe, sample_grid
from workers.media.sample_grid import AccessPoints, SampleGrid


def grid_of(path: Path, **config) -> SampleGrid:
    """The samples of a file and what they cost, by a config of the shard stage."""
    facts = probe(path)
    return sample_grid(path, ShardConfig(**config).sampling(facts.first_frame_s, facts.duration_s))


def access_points(path: Path) -> AccessPoints:
    """The key frames that decoding can start on."""
    return sample_grid(path, ShardConfig().sampling(0.0, 1.0)).access_points


def planned(path: Path, phase: str | float = "centre", **config) -> list[Segment]:
    """The segments of a file."""
    return grid_of(path, phase=phase, **config).segments
