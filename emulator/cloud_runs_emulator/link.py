"""The client's TCP connection, in reach of the application: some faults happen below HTTP."""

from __future__ import annotations

import asyncio
import http
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

EXTENSION = "emulator.link"


class Link:
    """One connection. After `drop`, `reset` or `finish` it is `cut`: no answer can be sent on it any more."""

    __slots__ = ("_transport", "counted_in", "cut")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.counted_in = 0
        self.cut = False

    @classmethod
    def of(cls, scope: HTTPScope) -> Link:
        """The connection that a request came over; `emulator.server.Protocol` puts it into the scope."""
        extensions = cast("dict[str, Any]", scope["extensions"])
        link: Link = extensions[EXTENSION]["link"]
        return link

    def interim(self, status: int) -> None:
        """Send a status line without headers and body, after which the real answer can come (RFC 9110, 15.2).

        ASGI has no message for this. A client that has left is sent nothing.
        """
        if not self._transport.is_closing():
            phrase = next((known.phrase for known in http.HTTPStatus if known == status), "")
            self._transport.write(f"HTTP/1.1 {status} {phrase}\r\n\r\n".encode())

    def drop(self) -> None:
        """Close at once; what was not yet sent is lost. The client sees the end of the stream."""
        self.cut = True
        self._transport.abort()

    def reset(self) -> None:
        """Close with a TCP reset: a linger time of 0 makes the kernel send RST in place of FIN."""
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.drop()

    def finish(self) -> None:
        """Send what was written, then close."""
        self.cut = True
        self._transport.close()
