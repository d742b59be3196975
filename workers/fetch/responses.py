"""What the headers of an HTTP response say: whether it brings the file, which part of it, or when to ask again."""

import email.utils
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from schemas.rejects import Reject
from workers.fetch.partial_file import FetchLimits, RetryableError

# What is no media whatever its name says; unknown types go on to the probe.
_REFUSED_TYPES = (
    *("text/html", "application/xhtml", "application/json", "application/xml", "text/xml", "text/css"),
    *("text/javascript", "application/javascript", "application/pdf", "image/", "font/"),
)
_PLAYLIST_TYPES = ("mpegurl", "dash+xml", "smil", "scpls")
_SERVICE_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_REDIRECTS = (301, 302, 303, 307, 308)
# Longer than any pause that is waited for; a broken server may ask for a century.
_MAX_SECONDS = 10**9


@dataclass(frozen=True)
class Answer:
    """A response whose body has yet to be read."""

    status: int
    headers: httpx.Headers
    blocks: AsyncIterator[bytes]
    """The body as it was sent: what a server compresses although asked not to is refused, so nothing is unpacked."""
    code: str = ""
    """What an object store calls the error, as `AccessDenied`."""

    @property
    def location(self) -> str:
        """Where the file lies instead."""
        return self.headers.get("location", "") if self.status in _REDIRECTS else ""


def check_answer(answer: Answer, have: int, limits: FetchLimits) -> int | None:
    """The length of the whole file, where it is told. Raises RetryableError or Reject where the answer is no file."""
    status, headers = answer.status, answer.headers
    said = f"HTTP {status}{f' {answer.code}' if answer.code else ''}"
    if status in (404, 410):
        raise Reject("not_found", said)
    if status == 407:
        raise Reject("unreachable", "HTTP 407: the proxy asks for a password, which belongs into download.proxy")
    if status in (401, 403, 451):
        raise Reject("refused", f"{said}: for others only, or the signature has expired: sign anew, `longvid retry`")
    if status in (408, 425, 429) or status >= 500:
        raise RetryableError("unreachable", said, pause_s=parse_retry_after(headers.get("retry-after", "")))
    if status == 416:
        return _number(headers.get("content-range", "").rpartition("/")[2])
    if status not in (200, 206):
        raise Reject("unreachable", said)
    if headers.get("content-encoding", "identity") != "identity":
        raise Reject("refused", f"compressed as {headers['content-encoding'][:40]}, although asked not to")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    no_media = kind.startswith(_REFUSED_TYPES) or any(word in kind for word in _PLAYLIST_TYPES)
    if no_media and not limits.any_content_type:
        raise Reject("not_a_video", f"the source sends {kind[:60]}; download.any_content_type fetches it all the same")
    if status == 200:
        return _number(headers.get("content-length", ""))
    total = _number(headers.get("content-range", "").rpartition("/")[2])
    if not have and (total is None or _range(answer) != (0, total - 1)):
        raise Reject(
            "unreachable", f"HTTP 206: a part of the file ({headers.get('content-range', '')[:60]}) unasked for"
        )
    return total


def service_code(body: bytes) -> str:
    """The code in the error message of an object store (S3, Azure); empty where there is none."""
    found = _SERVICE_CODE.search(body)
    return found[1].decode("ascii") if found else ""


def parse_retry_after(value: str) -> float | None:
    """Seconds that a server asks to wait, in either form of the header; None where it says nothing that can be used."""
    value = value.strip()
    if re.fullmatch("[0-9]{1,1000}", value):
        return float(min(int(value), _MAX_SECONDS))
    try:
        seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), float(_MAX_SECONDS))


def range_start(answer: Answer) -> int | None:
    """The first byte that a partial answer brings."""
    return _range(answer)[0]


def validator_of(answer: Answer) -> str:
    """What a later request for the rest is bound to; a weak ETag says too little for that (RFC 9110, 13.1.5)."""
    etag = answer.headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", "")


def is_another(answer: Answer, total: int | None, state: dict) -> bool:
    """Whether a source sends the rest of another file than the one begun: not all of them look at If-Range."""
    validator, known = state.get("validator", ""), state.get("total")
    header = "etag" if validator.startswith('"') else "last-modified"
    return answer.headers.get(header, validator) != validator or (None not in (total, known) and total != known)


def _range(answer: Answer) -> tuple[int | None, int | None]:
    unit, _, span = answer.headers.get("content-range", "").partition(" ")
    first, _, last = span.partition("/")[0].partition("-")
    return (_number(first), _number(last)) if unit.lower() == "bytes" else (None, None)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[0-9]{1,18}\s*", text) else None
