"""cosmos-xenna, the engine of cosmos-curate: a stage that decodes pieces of 300 seconds and one with the tower."""

import os
from pathlib import Path

import attrs
import cosmos_xenna.pipelines.v1 as xenna
import numpy as np
import ray
from common import BATCH, FILES, OUT, SIZE, Tower, decoder, sample_times

PIECE = 300
DECODERS, TOWERS = (1, 2) if SIZE > 100 else (2, 1)


@attrs.define
class Piece:
    path: str
    times: list
    frames: object = None


class Stage(xenna.Stage):
    @property
    def stage_batch_size(self):
        return 1

    @property
    def required_resources(self):
        return xenna.Resources(cpus=0.6, gpus=0)


class Decode(Stage):
    def process_data(self, pieces):
        for piece in pieces:
            got = decoder(piece.path).get_frames_played_at(piece.times)
            piece.times, piece.frames = got.pts_seconds.numpy(), got.data.permute(0, 2, 3, 1).numpy()
        return pieces


class Embed(Stage):
    def setup(self, worker_metadata):
        self.tower = Tower()

    def process_data(self, pieces):
        for piece in pieces:
            batches = [piece.frames[start : start + BATCH] for start in range(0, len(piece.frames), BATCH)]
            vectors = np.concatenate([self.tower.embed(batch) for batch in batches]).astype(np.float16)
            name = f"{OUT}/{Path(piece.path).stem}-{int(piece.times[0]):06d}.npz"
            np.savez(name, times=piece.times, embeddings=vectors)
        return []


def own_ray():
    """Starts the Ray that xenna would start, of two cores, and names it: its monitor asks for "the" Ray otherwise."""
    os.environ |= {
        "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1",
        "RAY_MAX_LIMIT_FROM_API_SERVER": "40000",
        "RAY_MAX_LIMIT_FROM_DATA_SOURCE": "40000",
    }
    context = ray.init(address="local", num_cpus=2, include_dashboard=True, log_to_driver=False)
    os.environ["RAY_ADDRESS"] = context.address_info["gcs_address"]


def main():
    Path(OUT).mkdir()
    times = {path: sample_times(path) for path in FILES}
    pieces = [Piece(path, t[start : start + PIECE]) for path, t in times.items() for start in range(0, len(t), PIECE)]
    pieces.sort(key=lambda piece: -len(piece.times))
    own_ray()
    stages = [xenna.StageSpec(Decode(), num_workers=DECODERS), xenna.StageSpec(Embed(), num_workers=TOWERS)]
    mode = xenna.ExecutionMode.STREAMING
    config = xenna.PipelineConfig(execution_mode=mode, logging_interval_s=10, cpu_allocation_percentage=1.0)
    xenna.run_pipeline(xenna.PipelineSpec(input_data=pieces, stages=stages, config=config))


if __name__ == "__main__":
    main()
