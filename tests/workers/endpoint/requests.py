"""Requests for a text, and endpoints of a loopback server that get them."""

from pathlib import Path

from benchmarks._endpoint_server import EndpointServer
from schemas.config import parse
from workers.endpoint.answers import Answer, Sentence
from workers.endpoint.client import Endpoint, Request
from workers.endpoint.config import EndpointConfig
from workers.storage.store import Store

GOOD = '{"text": "a red circle"}'


class Told(Answer):
    text: Sentence


def request(number: int = 0, **options) -> Request[Told]:
    return Request([{"role": "user", "content": f"Describe {number}."}], Told, lambda told: told.text, **options)


def config(server: EndpointServer, **values) -> EndpointConfig:
    base = {"base_url": server.base_url, "model": "m", "allow_private_addresses": True, "attempts": 2, "answers": 1}
    return parse(EndpointConfig, {**base, **values})


def endpoint(server: EndpointServer, folder: Path, **values) -> Endpoint:
    return Endpoint(config(server, **values), Store(folder), "test")
