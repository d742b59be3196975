"""Interprets the headers of HTTP responses: whether they bring the file, which part of it, or when to ask again."""

import email.utils
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from schemas.rejects import Reject
from workers.fetch.limits import FetchLimits
from workers.fetch.partial_file import RetryableError, State

# Types that are never media; files of unknown types are probed.
_REFUSED_TYPES = (
    *("text/html", "application/xhtml", "application/json", "application/xml", "text/xml", "text/css"),
    *("text/javascript", "application/javascript", "application/pdf", "image/", "font/"),
)
_PLAYLIST_TYPES = ("mpegurl", "dash+xml", "smil", "scpls")
_SERVICE_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_REDIRECTS = (301, 302, 303, 307, 308)
# Upper bound of a pause: a faulty server may ask for a century.
_MAX_SECONDS = 10**9


@dataclass(frozen=True)
class Answer:
    """Holds a response whose body has not been read yet."""

    status: int
    headers: httpx.Headers
    blocks: AsyncIterator[bytes]
    """The raw body. Responses that are compressed although this was not requested are refused, so nothing is
    decompressed.
    """
    code: str = ""
    """Error code of an object store, such as `AccessDenied`."""

    @property
    def location(self) -> str:
        """Returns the target of a redirect; empty for other responses."""
        return self.headers.get("location", "") if self.status in _REDIRECTS else ""


def check_answer(answer: Answer, have: int, limits: FetchLimits) -> int | None:
    """Returns the length of the complete file, or None if it is not known.

    Raises:
        RetryableError: another attempt may succeed.
        Reject: the response does not bring a media file.
    """
    status, headers = answer.status, answer.headers
    said = f"HTTP {status}{f' {answer.code}' if answer.code else ''}"
    if status in (404, 410):
        raise Reject("not_found", said)
    if status == 407:
        raise Reject("unreachable", "HTTP 407: the proxy requires a password; add it to download.proxy")
    if status in (401, 403, 451):
        raise Reject(
            "refused", f"{said}: access is denied, or the signature has expired; renew it and run `longvid retry`"
        )
    if status in (408, 425, 429) or status >= 500:
        raise RetryableError("unreachable", said, pause_s=parse_retry_after(headers.get("retry-after", "")))
    if status == 416:
        return _number(headers.get("content-range", "").rpartition("/")[2])
    if status not in (200, 206):
        raise Reject("unreachable", said)
    if headers.get("content-encoding", "identity") != "identity":
        raise Reject(
            "refused",
            f"the response is compressed ({headers['content-encoding'][:40]}), although identity was requested",
        )
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    no_media = kind.startswith(_REFUSED_TYPES) or any(word in kind for word in _PLAYLIST_TYPES)
    if no_media and not limits.any_content_type:
        raise Reject(
            "not_a_video", f"the content type is {kind[:60]}; set download.any_content_type to download it anyway"
        )
    if status == 200:
        return _number(headers.get("content-length", ""))
    total = _number(headers.get("content-range", "").rpartition("/")[2])
    if not have and (total is None or _range(answer) != (0, total - 1)):
        raise Reject(
            "unreachable",
            f"HTTP 206: only a part of the file ({headers.get('content-range', '')[:60]}), although all was requested",
        )
    return total


def service_code(body: bytes) -> str:
    """Returns the code in the error message of an object store (S3, Azure); empty if there is none."""
    found = _SERVICE_CODE.search(body)
    return found[1].decode("ascii") if found else ""


def parse_retry_after(value: str) -> float | None:
    """Parses a Retry-After header, in seconds or as a date; None if it is invalid."""
    value = value.strip()
    if re.fullmatch("[0-9]{1,1000}", value):
        return float(min(int(value), _MAX_SECONDS))
    try:
        seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), float(_MAX_SECONDS))


def range_start(answer: Answer) -> int | None:
    """Returns the first byte that a partial response brings."""
    return _range(answer)[0]


def validator_of(answer: Answer) -> str:
    """Returns the validator for resuming the download; weak ETags are not suitable (RFC 9110, 13.1.5)."""
    etag = answer.headers.get("etag", "")
    return str(etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", ""))


def is_another(answer: Answer, total: int | None, state: State) -> bool:
    """Returns whether a response belongs to another version of the file; not all servers evaluate If-Range."""
    validator, known = state.get("validator", ""), state.get("total")
    header = "etag" if validator.startswith('"') else "last-modified"
    return answer.headers.get(header, validator) != validator or (None not in (total, known) and total != known)


def _range(answer: Answer) -> tuple[int | None, int | None]:
    unit, _, span = answer.headers.get("content-range", "").partition(" ")
    first, _, last = span.partition("/")[0].partition("-")
    return (_number(first), _number(last)) if unit.lower() == "bytes" else (None, None)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[0-9]{1,18}\s*", text) else None
