import json

import pytest

from benchmarks._endpoint_server import endpoint_server
from tests.workers.endpoint.requests import endpoint, request


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\x1b[31m red\ncir\x00cle\x07", "a red circle"),
        ("a \u202egniht\u202c", "a gniht"),
        ("a\U000e0041\U000e0042 b", "a b"),
        ("\ud83d\ude00 smile", "\U0001f600 smile"),
    ],
)
def test_control_and_hidden_characters_are_removed(tmp_path, text, told):
    with endpoint_server(lambda chat: json.dumps({"text": text})) as server:
        assert endpoint(server, tmp_path).ask(request()) == told
