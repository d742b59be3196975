"""The names of the tables, apart from their schemas: the command line lists them without importing Arrow."""

# For users, in `tables/<name>.parquet` of a corpus, in the order of a build.
TABLES = (
    "videos", "segments", "shots", "duplicates", "events", "qa", "dropped", "selections", "samples",
    "shards", "rejects",
)  # fmt: skip
# Others there, which no build makes from its units: `decontaminate` and `review` write the last two.
BESIDE = ("frames", "contamination", "reviews")
