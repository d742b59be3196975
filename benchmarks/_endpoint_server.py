"""A loopback endpoint of the OpenAI API, for benchmarks and tests.

It records what it is sent, and answers, or fails, as it is told.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Chat = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What the server does in place of an answer."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    """The connection ends in the middle of the body."""
    finish_reason: str = "stop"
    refusal: str | None = None


def text_of(chat: Chat) -> str:
    """All text of a request, as one."""
    contents = [message["content"] for message in chat["messages"]]
    parts = [part for c in contents for part in ([{"text": c}] if isinstance(c, str) else c)]
    return "\n".join(part.get("text", "") for part in parts)


def user_data(chat: Chat) -> Any:
    """The JSON that the last message holds."""
    content = chat["messages"][-1]["content"]
    text = content if isinstance(content, str) else next(part["text"] for part in content if "text" in part)
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


@dataclass
class EndpointServer:
    """`answer` gets the JSON of a chat request, or of a transcription its fields, and gives the text of the answer, a
    Fault, or both.
    """

    answer: Callable[[Chat], Any]
    requests: list[Chat] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    base_url: str = ""
    usage: dict[str, int] | None = None

    @property
    def calls(self) -> int:
        return len(self.requests)


@contextmanager
def endpoint_server(answer: Callable[[Chat], Any]) -> Iterator[EndpointServer]:
    """Serves on loopback while the block lasts."""
    state, lock = EndpointServer(answer), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            request = _form(self.headers["Content-Type"], data) if "transcriptions" in self.path else json.loads(data)
            with lock:
                state.requests.append(request)
                state.headers.append({name.lower(): value for name, value in self.headers.items()})
                found = state.answer(request)
            with suppress(ConnectionError):
                self._send(*(found if isinstance(found, tuple) else (found, Fault())))

        def _send(self, text: Any, fault: Fault) -> None:
            if isinstance(text, Fault):
                text, fault = "", text
            time.sleep(fault.delay_s)
            body = fault.body if fault.body is not None else json.dumps(self._completion(text, fault)).encode()
            self.send_response(fault.status)
            for name, value in {"Content-Type": "application/json", **fault.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault.cut else body)
            self.close_connection = True

        def _completion(self, text: Any, fault: Fault) -> Any:
            if isinstance(text, dict):  # of a transcription
                return text
            usage = state.usage or {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
            message = {"role": "assistant", "content": text, "refusal": fault.refusal}
            return {
                "id": "c",
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": fault.finish_reason}],
                "usage": usage,
            }

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    state.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _form(content_type: str, data: bytes) -> dict[str, Any]:
    """The fields of a multipart form: text, or bytes of a file; those that come several times as a list."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + data)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        value = content if part.get_filename() else content.decode()
        if name.endswith("[]"):
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
    return fields
