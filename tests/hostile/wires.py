"""Answers as they come over a socket: heads, framing and lengths that may lie, and connections that end badly."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from random import Random

from tests.hostile.answers import TEXTS, broken, content, good, written

STATUSES = [
    *(200, 200, 200, 200, 200, 201, 204, 299, 199, 300, 302, 304, 307, 400, 401, 403, 404, 407, 408, 409, 429),
    *(500, 502, 503, 600, 999),
]
DATES = [
    "Fri, 22 Nov 2019 01:23:45 GMT",
    "Thu, 99 Jul 99999 12:37:29 GMT",
    "Mon, 01 Jan 0001 00:00:00 +1400",
    "Fri, 31 Dec 9999 23:59:59 -1200",
    "Fri, 22 Nov 2019 01:23:45 +999999999",
    "0",
    ",,,",
    "x" * 5000,
]
HEADERS: dict[str, list[str]] = {
    "Date": [*DATES, *TEXTS],
    "Retry-After": ["0", "1", "9" * 5000, "-1", "1e9", "Fri, 31 Dec 9999 23:59:59 GMT", "soon", "\u00b2"],
    "x-ci-request-id": TEXTS,
    "X-Request-ID": TEXTS,
    "Location": ["http://evil.example/", "//evil.example", "\\\\evil", "http://[", "/", "javascript:x", "x" * 9000],
    "Set-Cookie": [
        "a=b; Domain=.com; Path=/; Expires=Fri, 99 Dec 99999999999 25:00:00 GMT",
        ";;;=",
        "a=b; Version=1; Max-Age=" + "9" * 400,
    ],
    "Content-Type": ["text/html; charset=nonsense", "application/xml; charset=utf-7", "x" * 500, ""],
}


def status(r: Random) -> int:
    return r.choice(STATUSES)


def headers(r: Random) -> dict[str, str]:
    """Headers that a service could send, as a head holds them: one line of latin-1."""
    chosen = r.sample(sorted(HEADERS), r.choice([0, 1, 2, len(HEADERS)]))
    told = {name: re.sub("[\r\n\0]", "", r.choice(HEADERS[name])) for name in chosen}
    return {name: value.encode("latin-1", "ignore").decode("latin-1") for name, value in told.items()}


LENGTHS = ["-1", "x", "1,2", "\u00b2", "9" * 5000, "0x10", ""]
FIRST_LINES = [b"HTTP/1.0 %d", b"HTTP/9.9 %d X", b"HTTP/1.1 %d \x1b[31m\xff", b"HTTP/1.1 0x%d"]
BEFORE = [
    b"HTTP/1.1 100 Continue\r\n\r\n" * 5,
    b"HTTP/1.1 103 X\r\nLink: <//evil.example>\r\n\r\n",
    b"\r\n",
    b"\x16\x03\x01",
]
_INTERIM = rb"HTTP/1\.1 1(?!01)\d\d [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n"
_STATUS = re.compile(rb"(?:" + _INTERIM + rb")*HTTP/\S*\s+([+0-9_]+)")


@dataclass
class Wire:
    """One answer as bytes: pieces to send, and what is done after the last of them. `said`: its body as it was meant,
    and all that is sent."""

    pieces: list[bytes]
    end: str
    body: bytes = b""

    @property
    def said(self) -> bytes:
        return self.body + b"".join(self.pieces)

    @property
    def status(self) -> int:
        """What a reader of the bytes takes for the status; 0 if there is none."""
        found = _STATUS.match(b"".join(self.pieces))
        return int(found[1]) if found and found[1].strip(b"+_") else 0


def healthy(line: str) -> Wire:
    body = written(*good(line))
    return Wire([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body], "keep")


def wire(r: Random, line: str) -> Wire:
    """An answer, with a body and headers as above, whose framing may lie as well."""
    body = framed = content(r, line)
    said = [(name, value) for name, value in headers(r).items() for _ in range(r.choice([1, 1, 3]))]
    if r.random() < 0.1:
        framed = r.choice([gzip.compress, zlib.compress, bytes])(body)
        said.append(("Content-Encoding", r.choice(["gzip", "deflate", "br", "gzip, gzip", "GZIP", "x"])))
    frame = r.choice(["length"] * 5 + ["short", "long", "nonsense", "two", "chunked", "bad chunks", "none"])
    if "chunk" in frame:
        framed = _chunked(r, said, framed, bad=frame == "bad chunks")
    elif frame != "none":
        told = {"short": -r.randrange(1, 40), "long": r.choice([1, 10**6, 10**30])}.get(frame, 0)
        said.append(("Content-Length", r.choice(LENGTHS) if frame == "nonsense" else str(max(0, len(framed) + told))))
        said += [("Content-Length", "3")] * (frame == "two")
    head = r.choice([b"HTTP/1.1 %d X"] * 12 + FIRST_LINES) % status(r) + b"\r\n"
    head += b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in said) + b"\r\n"
    if r.random() < 0.05:
        head = broken(r, head)
    whole = (r.choice(BEFORE) if r.random() < 0.05 else b"") + head + framed
    cut = r.randrange(len(whole) + 1) if r.random() < 0.1 else len(whole)
    at = r.randrange(cut + 1) if r.random() < 0.3 else cut
    return Wire([whole[:at], whole[at:cut]], r.choice(["close"] * 12 + ["keep"] * 3 + ["reset", "hang"]), body)


def _chunked(r: Random, said: list[tuple[str, str]], body: bytes, *, bad: bool) -> bytes:
    if not bad:
        said.append(("Transfer-Encoding", "chunked"))
        return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    said.append(("Transfer-Encoding", r.choice(["chunked", "gzip, chunked", "Chunked", "chunked, chunked"])))
    said += [("Content-Length", "3")] * (r.random() < 0.3)
    size = r.choice(
        [b"%x" % len(body), b"%X" % (len(body) + 7), b"%x;a=b" % len(body), b"-5", b"f" * 5000, b"zz", b"0"]
    )
    return size + b"\r\n" + body + r.choice([b"", b"\r\n0\r\n", b"\r\n0\r\nX: y", b"\r\n0\r\nHost: a\r\n\r\n", b"\n"])
