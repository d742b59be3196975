"""`longvid status` and `longvid plan`, of the recipe and the manifest that a corpus was last built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.last_plan import last_plan
from pipeline.report import show_dropped, show_plan, show_published, show_rejects, show_status
from pipeline.tables.published import is_published_only
from pipeline.terminal import Terminal
from workers.storage.store import Store

if TYPE_CHECKING:
    from pipeline.stage_plan import StagePlan


def status(corpus: str, out: Terminal) -> None:
    """Prints what is done, what was rejected and what is missing. Raises NotBuilt, OtherFormat, ConfigError."""
    store = Store(corpus)
    if is_published_only(store):
        show_published(corpus, out)
    else:
        show_status(_recorded_plan(store), out)
    show_dropped(corpus, out)
    show_rejects(corpus, out)


def planned(corpus: str, out: Terminal) -> None:
    """Prints what the same build would run now. Raises NotBuilt, OtherFormat, ConfigError."""
    show_plan(_recorded_plan(Store(corpus)), out)


def _recorded_plan(store: Store) -> list[StagePlan]:
    def make() -> tuple[list[StagePlan], list[str]]:
        from pipeline.inputs.recipe import recorded_recipe
        from pipeline.plan import plan

        recipe = recorded_recipe(store)
        return plan(store.root, recipe), recipe.weights_files()

    return last_plan(store, make)
