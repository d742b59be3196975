"""Reads whole manifests."""

from pathlib import Path

import pyarrow as pa

from pipeline.inputs.manifest import iterate_manifest
from stages.download import DownloadConfig


def read_manifest(path: str | Path, settings: DownloadConfig | None = None) -> pa.Table:
    return pa.concat_tables(iterate_manifest(path, settings or DownloadConfig()))
