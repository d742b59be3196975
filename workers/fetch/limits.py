"""The limits of a download."""

from pydantic import Field

from schemas.config import Config
from workers.fetch.access import Access


class FetchSettings(Config):
    """Sets the limits of a download that users choose."""

    max_bytes: int = Field(64 << 30, ge=1)
    """Maximum size of a file that is downloaded or copied."""
    max_seconds: float = Field(6 * 3600.0, gt=0)
    """Maximum time of a download in seconds, over all attempts; waiting for a slot does not count."""
    attempts: int = Field(6, ge=1, le=100)
    """Maximum number of attempts; each resumes where the last one stopped."""
    backoff_s: float = Field(1.0, ge=0)
    """Initial wait between attempts in seconds; doubles with jitter, up to a minute. A server's Retry-After takes
    precedence."""
    max_retry_after_s: float = Field(300.0, ge=0, le=7 * 86400.0)
    """Longest pause requested by a host that is waited for, in seconds. If a host requests a longer one, its videos are
    rejected as `unreachable` without a request until the pause is over."""
    timeout_s: float = Field(30.0, gt=0)
    """Timeout for connecting and between two packets, in seconds."""
    min_bytes_per_s: int = Field(1024, ge=0)
    """Minimum rate of a download over 30 s; slower ones fail."""
    max_partial_bytes: int = Field(1 << 40, ge=1)
    """Maximum size of all partial files of a corpus on a disk, or else of a node. Those left by killed builds are
    deleted first, the oldest before others."""
    per_host: int = Field(4, ge=1, le=1000)
    """Maximum number of concurrent downloads from one host, over all workers of a node."""
    any_content_type: bool = False
    """Whether to accept responses whose content type is a page, an image or a document; the probe then decides."""
    user_agent: str = "longvid"
    """User-Agent header of requests; it should contain a contact address."""


class FetchLimits(FetchSettings):
    """Limits one download."""

    max_header_s: float = 60.0
    """Time limit from the start of a connection to the end of the response headers."""
    access: Access = Access()
    """Which addresses may be reached."""
