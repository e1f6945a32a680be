"""What stands outside the house, real and small: a mail server and a program that takes webhooks."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Program:
    """A receiver of webhooks: what came in, and what it answers next (200 when nothing is left)."""

    port: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def program() -> Iterator[Program]:
    taken = Program()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.requests.append((dict(self.headers), body))
            self.send_response(taken.answers.pop(0) if taken.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Hook)) as server:
        taken.port = server.server_address[1]
        yield taken


@contextmanager
def hanging() -> Iterator[str]:
    """The address of a receiver that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/hook"


@dataclass
class MailServer:
    """A mail server that keeps what it takes; `refuses` makes it answer 451 to every letter."""

    port: int = 0
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: bool = False


@contextmanager
def mail_server() -> Iterator[MailServer]:
    kept = MailServer()

    class Smtp(socketserver.StreamRequestHandler):
        def answer(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            self.answer("220 here")
            to = ""
            while line := self.rfile.readline().decode().strip():
                word = line.split()[0].upper()
                if word == "RCPT":
                    to = line.partition("<")[2].rstrip(">")
                if word == "DATA":
                    self.answer("354 go on")
                    self.take(to)
                    continue
                self.answer("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def take(self, to: str) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            if kept.refuses:
                return self.answer("451 later")
            letter = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(letter, EmailMessage)
            kept.letters.append((to, letter))
            self.answer("250 taken")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)) as server:
        kept.port = server.server_address[1]
        yield kept


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[socketserver.TCPServer]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
