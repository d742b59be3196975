"""Download to embeddings: by Ray as a build does it, and a stage after the other on a bare pool of processes."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

from pipeline.engine.forked_workers import BUILD, CHAIN, fork_server

STAGES = ("download", "shard", "decode", "embed")
CORES = 2


def whole_seconds(paths: list[Path], copies: int, short_side: int, corpus: str) -> dict[str, float]:
    """`build`: from the manifest to the last unit, workers' imports and loading included; `start`: what was before."""
    manifest = Path(corpus) / "manifest.jsonl"
    rows = ({"id": f"{path.stem} {copy}", "uri": str(path)} for copy in range(copies) for path in paths)
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "benchmarks._whole_build", str(manifest), corpus, ",".join(STAGES)]
    command.append(f"decode.short_side={short_side}")
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def build(manifest: str, corpus: str, names: str, *settings: str) -> None:
    """The phase `ingest` in this process, of these stages; prints its seconds."""
    begun = time.perf_counter()
    with fork_server(BUILD if "embed" in names.split(",") else CHAIN):
        _build(begun, manifest, corpus, names, settings)


def _build(begun: float, manifest: str, corpus: str, names: str, settings: tuple[str, ...]) -> None:
    from pipeline.engine.cluster import ray_session
    from pipeline.engine.crash_counter import CrashCounter
    from pipeline.engine.progress import Display
    from pipeline.inputs.addresses import manifest_folder
    from pipeline.inputs.manifest import MANIFEST_ROWS, iterate_manifest
    from pipeline.phases import phases
    from pipeline.tables.workspace import Workspace
    from workers.storage.store import Store

    stages, store, folder = _stages(settings), Store(corpus), manifest_folder(manifest)
    with Workspace() as work:
        # First, as in a build: bad input is an error before Ray starts.
        reading = time.perf_counter()
        work.put("manifest", iterate_manifest(manifest, stages["download"].config), MANIFEST_ROWS)
        read_s = time.perf_counter() - reading
        with ray_session(CORES):
            from pipeline.engine.compose import run_chain  # after the session, as in a build: it imports Ray Data

            ready = time.perf_counter()
            ingest = phases(stages, folder, stages["download"].config.access(folder))[0]
            chain = [stages[name] for name in names.split(",")]
            with Display(chain, 0) as display:
                tables = run_chain(
                    ingest.inputs(work),
                    ingest.schema,
                    chain,
                    store,
                    passthrough=[],
                    crashes=CrashCounter(store, "benchmark", max_crashes=1),
                    display=display,
                )
                rejects = [row["reject"] for table in tables for row in table.to_pylist() if row["reject"]]
            ended = time.perf_counter()
    assert not rejects, rejects
    print(json.dumps({"build": ended - ready + read_s, "start": ready - begun - read_s}))


def parts_seconds(paths: list[Path], copies: int, short_side: int, corpus: str) -> dict[str, float]:
    """Each stage on a pool of CORES processes, its imports and loading included; units are written as a build does."""
    units: list[dict[str, Any]] = [
        {**dict.fromkeys(("sha256", "licence", "source", "split")), "source_stamp": "", "location": str(path)}
        | {"uri": str(path), "id": f"{path.stem} {copy}", "video_id": f"{copy * len(paths) + number:016x}"}
        for copy in range(copies)
        for number, path in enumerate(paths)
    ]
    seconds = {}
    for name in STAGES:
        with ProcessPoolExecutor(CORES, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(abs, range(CORES)))
            start = time.perf_counter()
            written = list(pool.map(partial(_work, name, short_side, corpus), units))
            seconds[name] = time.perf_counter() - start
        units = [row for rows in written for row in rows]
    return seconds


def _work(name: str, short_side: int, corpus: str, unit: dict[str, Any]) -> list[dict[str, Any]]:
    """One unit of a stage; the rows that go on."""
    stage, store = _stage(name, short_side, corpus)
    path = stage.unit_path(unit)
    store.write_tables(path, _run(name, short_side, corpus)(unit), stage.writes)
    rows = store.read_table(path).to_pylist() if stage.emits == "rows" else [{}]
    return [{**unit, **row, f"{name}_unit": path} for row in rows]


@cache
def _run(name: str, short_side: int, corpus: str) -> Callable:
    stage, store = _stage(name, short_side, corpus)
    return stage.make(store)


def _stage(name: str, short_side: int, corpus: str) -> tuple[Any, Any]:
    from workers.storage.store import Store

    return _stages((f"decode.short_side={short_side}",))[name], Store(corpus)


@cache
def _stages(settings: tuple[str, ...]) -> dict[str, Any]:
    from pipeline.inputs.recipe import load_recipe

    recipe = load_recipe("demo", list(settings))
    return recipe.stages(recipe.download.access("/"))


if __name__ == "__main__":
    build(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # as the command line ends, without Python's finalization
