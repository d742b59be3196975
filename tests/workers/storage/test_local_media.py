"""A video is read from the corpus or from where the running build's manifest says, never from where the corpus says."""

import pytest

from schemas.rejects import Reject
from workers.storage.files import PathError
from workers.storage.local_media import local_media
from workers.storage.store import Store


def test_media_of_the_corpus_and_media_in_place(tmp_path):
    store = Store(tmp_path / "corpus")
    store.write_bytes("media/a.mp4", b"inside")
    (tmp_path / "b.mp4").write_bytes(b"outside")
    with local_media(store, {"media": "media/a.mp4", "location": None}) as path:
        assert path.read_bytes() == b"inside"
    with local_media(store, {"media": None, "location": str(tmp_path / "b.mp4")}) as path:
        assert path.read_bytes() == b"outside"


@pytest.mark.parametrize("media", ["/etc/hostname", "../b.mp4"])
def test_a_unit_names_no_file_outside_the_corpus(tmp_path, media):
    (tmp_path / "b.mp4").write_bytes(b"outside")
    unit = {"media": media, "location": str(tmp_path / "b.mp4")}
    with pytest.raises(PathError), local_media(Store(tmp_path / "corpus"), unit):
        pass


def test_a_file_that_may_not_be_read_where_it_lies_is_refused(tmp_path):
    with (
        pytest.raises(Reject, match="refused.*download.root"),
        local_media(Store(tmp_path), {"media": None, "location": None}),
    ):
        pass
