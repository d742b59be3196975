import pytest

from schemas.config import ConfigError, parse
from workers.endpoint.config import EndpointConfig


@pytest.mark.parametrize(
    "url", ["https://user:secret@host/v1", "https://host/v1?key=secret", "ftp://host", "host", "x y"]
)
def test_addresses_that_are_refused(url):
    with pytest.raises(ConfigError, match="base_url"):
        parse(EndpointConfig, {"base_url": url})
