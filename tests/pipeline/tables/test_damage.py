import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.tables.damage import DamagedFile, damage_of, naming


def test_a_file_that_cannot_be_read_is_named_with_the_remedy(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is not all")
    message = r"^tables/a.parquet: damaged \(.*\). Delete it and run the build again.$"
    with pytest.raises(DamagedFile, match=message), naming("tables/a.parquet"):
        pq.read_table(tmp_path / "a.parquet")


@pytest.mark.parametrize("error", [OSError("x"), ValueError("x"), KeyError("x"), pa.ArrowInvalid("x")])
def test_each_fault_of_a_file_is_one_error(error):
    with pytest.raises(DamagedFile, match="^a: damaged"), naming("a"):
        raise error


def test_other_errors_are_no_damage():
    with pytest.raises(ZeroDivisionError), naming("a"):
        raise ZeroDivisionError("x")


def test_the_damage_of_a_file_is_a_message(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is not all")
    assert damage_of("a", lambda: pq.read_table(tmp_path / "a.parquet")).startswith("a: damaged (")
    assert damage_of("a", list) is None
