"""A small server on loopback that speaks as much of the OpenAI protocol as a test wants, rightly or wrongly."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from baselines.endpoint_asker import GREETING


@dataclass
class Asked:
    """One request: its number from 0 among the POSTs, path, body and headers."""

    number: int
    path: str
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def text(self) -> str:
        """The last message of a chat, or the prompt."""
        return self.body["messages"][-1]["content"] if "messages" in self.body else self.body["prompt"]


@dataclass
class Made:
    """What is answered. ``cut``: the connection is closed in the middle of the body. ``hang``: nothing comes at all."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    cut: bool = False
    hang: bool = False


Rule = Callable[[Asked], Made]


def said(text: str | None, *, read: int = 10, written: int = 2, reason: str = "stop", **usage: Any) -> Made:
    """Answer with ``text``, as a chat and as a completion at once."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "text": text, "finish_reason": reason}
    return Made({"choices": [choice], "usage": {"prompt_tokens": read, "completion_tokens": written, **usage}})


@dataclass
class Server:
    """A running server: where it is, and what it was asked; the small first request of a run is counted apart."""

    url: str
    rule: Rule
    asked: list[Asked] = field(default_factory=list)
    hello: Made = field(default_factory=lambda: said("yes", read=0, written=0))
    greeted: int = 0
    models: Made = field(default_factory=lambda: Made({"data": [{"id": "m", "max_model_len": 4096}]}))
    most_at_once: int = 0
    at_once: int = 0


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        """A client that hangs up is nothing to print."""


@contextmanager
def serving(rule: Rule) -> Iterator[Server]:
    """Serve by ``rule`` for as long as the block lasts."""
    lock, over = threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._send(server.models if self.path.endswith("/models") else Made("no such page", 404))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if GREETING.input in json.dumps(body):
                server.greeted += 1
                self._send(server.hello)
                return
            with lock:
                asked = Asked(len(server.asked), self.path, body, dict(self.headers))
                server.asked.append(asked)
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                made = server.rule(asked)
            finally:
                with lock:
                    server.at_once -= 1
            self._send(made)

        def _send(self, made: Made) -> None:
            if made.hang:
                over.wait(30)
                self.close_connection = True
                return
            content = made.body if isinstance(made.body, str) else json.dumps(made.body)
            sent = content.encode()
            self.send_response(made.status)
            for name, value in ({"Content-Type": made.kind, "Content-Length": str(len(sent))} | made.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent[: len(sent) // 2] if made.cut else sent)
            if made.cut:
                self.close_connection = True

    http = _Quiet(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1", rule)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        http.shutdown()
        http.server_close()
        thread.join(5)
