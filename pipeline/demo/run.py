"""`longvid demo`: from nothing to a trained model on the demo world, with what each step gave."""

from pathlib import Path

from pipeline.build import build
from pipeline.demo.corpus import write_demo
from pipeline.inputs.recipe import Recipe
from pipeline.report import show_summary, show_training
from pipeline.tables.catalog import open_catalog
from pipeline.terminal import Terminal
from pipeline.train import train
from pipeline.verify import verify
from workers.storage.store import Store

VIDEOS, SECONDS, SEED = 4, 330, 7

# Grounding questions of which a keyframe lies in a span asked for; and the same for as many uniform frames.
CAUGHT = """
    with grounding as (
        select qa.evidence, len(s.keyframes) as k, s.time_s as chosen, v.duration_s
        from qa join selections s using (qa_id) join videos v on qa.video_id = v.video_id
        where task = 'temporal_grounding'
    ), tried as (
        select chosen, evidence, [(i + 0.5) * duration_s / k for i in range(k)] as uniform from grounding
    )
    select count(*),
           avg((len([t for t in chosen if len([e for e in evidence if t >= e.start_s and t < e.end_s]) > 0]) > 0)::int),
           avg((len([t for t in uniform if len([e for e in evidence if t >= e.start_s and t < e.end_s]) > 0]) > 0)::int)
    from tried"""


def run_demo(to: Path, recipe: Recipe, out: Terminal) -> None:
    """Renders, builds, verifies and trains; a complete corpus is left unchanged.

    Raises PathError where a link leads out of the folder.
    """
    manifest = Path(Store(to).full("world/manifest.jsonl"))
    if not manifest.exists():
        out.print(f"rendering {VIDEOS} videos of {SECONDS} s or more into {manifest.parent}")
        write_demo(manifest.parent, videos=VIDEOS, seconds=SECONDS, seed=SEED)
    show_summary(build(manifest, str(to), recipe, say=out.print), str(to), out)
    show_questions(str(to), out)
    verdict = verify(str(to), manifest)
    out.print(f"verified: {verdict.units} units, {verdict.shards} shards, {len(verdict.problems) or 'no'} problems")
    show_training(train(str(to), recipe.train), out)


def show_questions(corpus: str, out: Terminal) -> None:
    """Prints a pair of each task, and how often the keyframes catch the event that is asked for."""
    with open_catalog(corpus) as catalog:
        pairs = "select distinct on (task) task, question, answer from qa order by task, qa_id"
        for task, question, answer in catalog.sql(pairs).fetchall():
            out.print(task, style="bold")
            out.print(f"  Q: {question}\n  A: {answer}")
        ((count, selected, uniform),) = catalog.sql(CAUGHT).fetchall()
    if count:
        out.print(
            f"of {count} grounding questions, the keyframes hold the event in {selected:.0%}, as many uniform frames "
            f"in {uniform:.0%}",
        )
