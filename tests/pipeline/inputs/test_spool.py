from datetime import date

from pipeline.inputs.spool import Spool


def test_records_come_back_by_bucket_and_in_order():
    with Spool() as spool:
        for number in range(10):
            spool.put(number % 3, [number, {"né": "\ud800"}])
        spool.put(5, {"day": date(2020, 1, 2)})
        assert [number for number, _ in spool.read(1)] == [1, 4, 7]
        assert next(spool.read(0)) == [0, {"né": "\ud800"}]
        assert list(spool.read(5)) == [{"day": "2020-01-02"}]
        assert list(spool.read(4)) == []
