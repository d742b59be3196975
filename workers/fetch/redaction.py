"""Removes secrets from addresses: passwords, signatures, and everything after `?`, `#` and `;`."""

import fnmatch
import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}")
# Credentials without a scheme before them: `user:password@host/...`.
_BARE_CREDENTIALS = re.compile(r"[^/@\s:]+:[^/@\s]+@(?=[^/@\s]+/)")
# A host name with a dot and no colon before the query: an `@` after it belongs to the path or query, not to a password.
_CERTAIN_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/[^:?#;]*$|(/[^:?#;]*)?[?#;])")
_AUTHORITY = re.compile(r"([\w.~%*-]*|\[[0-9A-Fa-f:.]+\])(:\d*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_IN_TEXT = re.compile(
    r"""(?P<quote>['"`])(?P<quoted>[A-Za-z][A-Za-z0-9+.-]{0,20}://.*?)(?P=quote)|[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s'"`<>]+"""
)
_FINGERPRINT = re.compile("#sha256=[0-9a-f]{32}")
_SCHEME_FIRST = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_PARAMETER = re.compile(
    r"([?&#;](?:x-amz-[^=&#;?]*|x-goog-[^=&#;?]*|[^=&#;?]*(?:sig|signature|token|key|secret|pass|passwd|password|pwd|pw|auth"
    r"|credential|policy|session|jwt|hmac))=)[^&#;]*",
    re.IGNORECASE,
)
HIDDEN = "***"


def redacted(address: str) -> str:
    """Returns the address without credentials, query, fragment and path parameters; paths are returned unchanged.

    If it is not certain which part is secret, only the scheme is left: `https://***`.
    """
    text = address.lstrip()
    before, mark, rest = ("", "//", text[2:]) if text.startswith("//") else text.partition("://")
    if not mark:
        credentials = _BARE_CREDENTIALS.match(text)
        return text[credentials.end() :] if credentials else address
    if before and not _SCHEME.fullmatch(before):
        return HIDDEN
    head, at, tail = rest.rpartition("@")
    if at and not _CERTAIN_HOST.match(head):
        # A password may contain `?`, and a query may contain `@`: it is then unclear which side is secret.
        rest = HIDDEN if re.search("[?#;]", head) else tail
    bare = re.split("[?#;]", rest, maxsplit=1)[0]
    host, slash, path = bare.partition("/")
    if not _AUTHORITY.fullmatch(host) or _CONTROL.search(bare):
        host, slash, path = HIDDEN, "", ""
    return f"{before}{mark}{host}{slash}{path}"


def format_value(value: Any) -> str:
    """Formats a value of a manifest for messages: short, and redacted, since any column may contain an address."""
    if isinstance(value, list):
        return f"[{', '.join(map(format_value, value[:10]))}]"
    if isinstance(value, str):
        return repr(redacted(value)[:200])
    if isinstance(value, int | float) and abs(value) < 1e50:  # Python refuses to format very long integers
        return repr(value)
    return type(value).__name__


def scrub_text(text: str) -> str:
    """Redacts every address in a text."""
    return _IN_TEXT.sub(lambda found: _scrubbed(found["quote"], found["quoted"], found[0], redacted), text)


def without_credentials(text: str) -> str:
    """Removes credentials, and parameters named like secrets, from every address in a free text.

    Other query parameters are kept: the address of a page in `source` may be useless without them.
    """
    if _SCHEME_FIRST.match(text) and not re.search(r"\s", text.partition("@")[2]):
        return _without_credentials(text)
    return _IN_TEXT.sub(lambda found: _scrubbed(found["quote"], found["quoted"], found[0], _without_credentials), text)


def scrub_secrets(text: str, address: str) -> str:
    """Removes the secrets of an address, in any encoding, from a library's message about it."""
    text = text.replace(address, redacted(address))
    secrets = _secrets(address)
    for recode in (unquote, unquote_plus, quote, quote_plus):
        secrets |= {*map(recode, secrets)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if len(secret) > 3 else text
    return scrub_text(text)


def fingerprinted(address: str, ignored: Iterable[str] = ()) -> str:
    """Returns the redacted address, plus a hash of the complete address if that tells more than the redacted one.

    The function is idempotent, since plans are also made from the addresses kept in a corpus.

    Args:
        address: any address.
        ignored: patterns of query parameters that do not identify a file (signatures), case-insensitive.
    """
    identity = _identity(address, [pattern.lower() for pattern in ignored])
    bare = redacted(identity)
    if identity == bare or _FINGERPRINT.fullmatch(identity.removeprefix(bare)):
        return identity
    return f"{bare}#sha256={hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _identity(address: str, ignored: list[str]) -> str:
    """Removes ignored parameters, fragment and password from a well-formed address."""
    before, mark, query = address.partition("?")
    if "://" not in before or not (mark or "@" in before):
        return address
    query, hash_, fragment = query.partition("#")
    kept = [
        part
        for part in query.split("&")
        if not any(fnmatch.fnmatchcase(part.partition("=")[0].lower(), pattern) for pattern in ignored)
    ]
    before = re.sub(r"(?<=://)([^/@:#;]*):[^/@#;]*@", r"\1@", before)
    query = "&".join(kept)
    return f"{before}{'?' if query else ''}{query}{hash_}{fragment}"


def _scrubbed(mark: str | None, quoted: str, whole: str, scrub: Callable[[str], str]) -> str:
    return f"{mark}{scrub(quoted)}{mark}" if mark else scrub(whole)


def _without_credentials(address: str) -> str:
    bare = redacted(address)
    if not address.lstrip().startswith(bare):  # credentials were removed, or are ambiguous
        return bare
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", address)


def _secrets(address: str) -> set[str]:
    """Returns every part of an address that may be a secret."""
    rest = address.partition("://")[2] or address
    head, at, _ = rest.rpartition("@")
    parts = {*re.split("[?#;]", rest)[1:]}
    if at:
        parts |= {head, *head.split(":", 1)}
    for part in [*parts]:
        parts |= {value for _, value in parse_qsl(part)} | {pair.partition("=")[2] for pair in part.split("&")}
    bare = redacted(address)
    return {part for part in parts if part and part not in bare}
