"""What the solver finds in a table of events."""

from stages.qa.answers import same
from stages.qa.solver_table import Table, find
from tests.stages.qa.worlds import EIGHT, RINGS, SCENES, timeline

EVENTS = timeline(*EIGHT, *SCENES, *RINGS, (90, 95, "the old dog digs a hole")).events


def test_events_are_found_as_a_search_through_all_would_find_them():
    whole = Table(EVENTS)
    assert tuple(whole) == EVENTS
    for gone in (None, *EVENTS):
        table = whole if gone is None else whole.without(gone)
        left = [e for e in EVENTS if e is not gone]
        assert list(table) == left
        for asked in EVENTS:
            meant = [e for e in left if e.kind == asked.kind and same(e, asked)]
            assert table.meant_by(asked) == meant
            assert find(table, asked) is (meant[0] if len(meant) == 1 else None)
