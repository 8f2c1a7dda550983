"""A service on loopback that speaks raw bytes: it answers as it is told to, well or badly, and keeps what came."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

Action = bytes | Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ENDLESS = 100 * 1024 * 1024


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers])
    return f"{head}\r\n\r\n".encode() + body


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def certified(folder: Path) -> ssl.SSLContext:
    """For a service at 127.0.0.1; its certificate is written to `crt.pem`."""
    key, crt = folder / "key.pem", folder / "crt.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt),
            *("-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return context


class Service:
    """Does the next action for each request that it receives, the last one for ever."""

    def __init__(self, *actions: Action, tls: ssl.SSLContext | None = None) -> None:
        self.actions = list(actions)
        self.received: list[bytes] = []
        self.connections = self.open = self.most = self.sent = 0
        self._lock = threading.Lock()
        self._tls = tls
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.address}/path"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *exc: object) -> None:
        self._closing = True
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closing:
                connection.close()
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self.open += 1
            self.most = max(self.most, self.open)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while self._one(connection):
                pass
        except OSError:
            pass
        finally:
            connection.close()
            with self._lock:
                self.open -= 1

    def _one(self, connection: socket.socket) -> bool:
        text = b""
        while b"\r\n\r\n" not in text:
            if not (more := connection.recv(65536)):
                return False
            text += more
            if text.startswith(b"\x16"):  # a TLS greeting, read by a service that speaks plain HTTP
                connection.sendall(answer(400))
                return False
        head, _, body = text.partition(b"\r\n\r\n")
        length = next((int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            if not (more := connection.recv(65536)):
                return False
            body += more
        received = head + b"\r\n\r\n" + body
        with self._lock:
            self.received.append(received)
        return self.act(connection, received)

    def act(self, connection: socket.socket, received: bytes) -> bool:
        """Answers a request. Whether the connection stays open."""
        with self._lock:
            action = self.actions.pop(0) if len(self.actions) > 1 else self.actions[0]
        if callable(action):
            action(connection)
            return False
        connection.sendall(action)
        return True

    def endless(self, head: bytes, chunk: bytes = b"x" * 65536, pause: float = 0.0) -> Callable[[socket.socket], None]:
        def send(connection: socket.socket) -> None:
            connection.sendall(head)
            while self.sent < ENDLESS and not self._closing:
                connection.sendall(chunk)
                self.sent += len(chunk)
                time.sleep(pause)

        return send
