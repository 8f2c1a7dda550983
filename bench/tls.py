"""TLS in front of the emulator, with a certificate that is made for this run and trusted by nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit


@contextlib.contextmanager
def tls(url: str) -> Iterator[tuple[str, str]]:
    """The address that speaks TLS in place of `url`, and the file for REQUESTS_CA_BUNDLE. Needs openssl.

    One connection there is one connection here, so that the emulator still counts them.
    """
    with tempfile.TemporaryDirectory(prefix="cloud-runs-bench-") as folder:
        key, certificate = Path(folder) / "key.pem", Path(folder) / "certificate.pem"
        subprocess.run(
            [
                *(shutil.which("openssl") or "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048"),
                *("-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with _serving(context, urlsplit(url).port or 80) as port:
            yield f"https://127.0.0.1:{port}", str(certificate)


@contextlib.contextmanager
def _serving(context: ssl.SSLContext, upstream: int) -> Iterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(_pass_on(reader, there), _pass_on(there_reader, writer))

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    connections = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
