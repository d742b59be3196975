"""Daft: its `video_frames` over a column of files, a tower as `daft.cls` in a process, Parquet."""

import daft
import numpy as np
import pyarrow as pa
from common import BATCH, CONFIG, FILES, OUT, SIZE, Tower
from daft import DataType, Series, col
from daft.functions import video_file, video_frames

WIDTH = CONFIG["model_cfg"]["embed_dim"]
TOWERS = 2 if SIZE > 100 else 1  # a heavy tower takes both cores


@daft.cls(max_concurrency=TOWERS, use_process=True)
class Embed:
    def __init__(self):
        self.tower = Tower()

    @daft.method.batch(return_dtype=DataType.fixed_size_list(DataType.float32(), WIDTH), batch_size=BATCH)
    def __call__(self, images: Series):
        vectors = self.tower.embed(np.stack(images.to_pylist()))
        return Series.from_arrow(pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), WIDTH))


def main():
    frame = video_frames(video_file(col("path")), width=SIZE, height=SIZE, sample_interval_seconds=1.0)
    table = daft.from_pydict({"path": FILES}).into_batches(1).with_column("frame", frame).explode("frame")
    table = table.select("path", col("frame")["frame_time"].alias("time"), col("frame")["data"].alias("data"))
    table.select("path", "time", Embed()(col("data")).alias("embedding")).write_parquet(OUT)


if __name__ == "__main__":
    main()
