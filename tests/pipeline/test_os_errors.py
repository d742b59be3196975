import pytest

from pipeline.os_errors import explained


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(13, "Permission denied", "/a"), "/a: Permission denied; give this user the right to use it"),
        (OSError(28, "No space left on device", "/a"), "/a: No space left on device; free space on its disk"),
        (OSError(18, "Invalid cross-device link", "/a", None, "/b"), "/a: /b: Invalid cross-device link"),
        (OSError("no number"), "no number"),
        (ValueError("other"), "other"),
    ],
)
def test_the_file_the_fault_and_the_remedy_are_named(error, text):
    assert explained(error).startswith(text)
