"""The share of right pairs, with its interval, and what the data card tells of it."""

import pyarrow as pa
import pytest

from pipeline.datasheet import card
from pipeline.tables.left_out import REVIEWS_PATH
from pipeline.tables.reviewed import judged_text, right_share, wilson
from schemas.tables.qa import REVIEW
from tests.pipeline.published_tables import pair, video, write_corpus


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(187, 200, 0.8921, 0.9616), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (1, 2, 0.0945, 0.9055)],
)
def test_the_interval_of_a_share(right, total, low, high):
    """Values of `statsmodels.stats.proportion.proportion_confint(method="wilson")`."""
    assert wilson(right, total) == pytest.approx((low, high), abs=2e-4)


def test_minor_blemishes_are_right_and_wrong_annotations_are_not():
    assert right_share(["ok", "minor", "fault", "source"]).startswith("50.0% (95% interval: 15.0% to 85.0%)")


def test_the_card_tells_what_people_found(tmp_path):
    store = write_corpus(tmp_path, [video("v")], [pair("v", 1)])
    assert judged_text(store) == "" and "judged" not in card(store, str(tmp_path))
    for verdicts, told in (([], ""), (["ok"] * 9 + ["fault"], "People judged 10 pairs drawn at random. Right: 90.0%")):
        table = pa.Table.from_pylist([{"verdict": verdict} for verdict in verdicts], REVIEW)
        store.write_tables(REVIEWS_PATH, [table], REVIEW)
        assert told in card(store, str(tmp_path)) and ("People judged" in card(store, str(tmp_path))) == bool(told)
