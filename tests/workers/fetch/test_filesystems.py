"""Folders that users name by an address."""

import pytest

from schemas.config_error import ConfigError
from workers.fetch.filesystems import named_folder

OPTIONS = "?endpoint_override=127.0.0.1:9&scheme=http&region=us-east-1"


@pytest.mark.parametrize("key", ["", "/a", "/a b/c%20d", "/what?/is=it", "/a#b"])
def test_a_key_is_taken_literally_before_the_options(key):
    filesystem, path = named_folder(f"s3://bucket{key}{OPTIONS}")
    assert filesystem.type_name == "s3"
    assert path == f"bucket{key}"


def test_a_folder_of_this_machine(tmp_path):
    filesystem, path = named_folder(f"file://{tmp_path}/")
    assert filesystem.type_name == "local"
    assert path == str(tmp_path)


def test_what_cannot_be_used_is_told_without_its_secret():
    with pytest.raises(ConfigError, match="s3://bucket/a: cannot be used: .*no_such_option") as raised:
        named_folder("s3://key:sesame@bucket/a?no_such_option=1")
    assert "sesame" not in str(raised.value)
