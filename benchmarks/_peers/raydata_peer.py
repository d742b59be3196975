"""Ray Data: torchcodec in a `flat_map`, as its documentation shows, an actor pool of towers, Parquet or WebDataset."""

import numpy as np
import ray
from common import BATCH, FILES, OUT, SIZE, WORK, Tower, decoder, jpeg, key, sample_times

HEAVY = SIZE > 100
ACTORS, ACTOR_CPUS, READER_CPUS = (2, 0.7, 0.6) if HEAVY else (1, 0.6, 0.7)


class Embed:
    def __init__(self):
        self.tower = Tower()

    def __call__(self, batch):
        batch["embedding"] = self.tower.embed(batch.pop("frame")).astype(np.float16)
        return batch


def sample(row):
    video, times = decoder(row["path"]), sample_times(row["path"])
    for start in range(0, len(times), BATCH):
        got = video.get_frames_played_at(times[start : start + BATCH])
        for time_s, pixels in zip(got.pts_seconds.numpy(), got.data.permute(0, 2, 3, 1).numpy(), strict=True):
            yield {"path": row["path"], "time": float(time_s), "frame": pixels}


def archived(row):
    return {"__key__": key(row["path"], row["time"]), "jpg": jpeg(row["frame"])}


def main():
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"path": path} for path in FILES], override_num_blocks=len(FILES))
    if WORK == "embed":
        rows = rows.flat_map(sample, num_cpus=READER_CPUS)
        rows.map_batches(Embed, batch_size=BATCH, concurrency=ACTORS, num_cpus=ACTOR_CPUS).write_parquet(OUT)
    else:
        rows = rows.flat_map(sample, num_cpus=1).map(archived, num_cpus=1)
        rows.write_webdataset(OUT, encoder=lambda sample: sample)  # its own encoder asks for PIL images


if __name__ == "__main__":
    main()
