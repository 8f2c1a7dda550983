"""A PostgreSQL server of its own: Debian's package, in a temporary folder, reached by a socket in there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OWNER = "postgres"  # whom Debian's package adds; PostgreSQL refuses to run as root


def programs() -> Path | None:
    """The folder with the server's programs. Debian does not put them on PATH."""
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


@contextmanager
def postgres(bin: Path) -> Iterator[str]:
    """The URL of an empty database, as Pulumi's `postgres://` backend takes it."""
    as_owner: dict[str, Any] = {"user": OWNER, "group": OWNER, "extra_groups": []} if os.geteuid() == 0 else {}
    # Not in pytest's folder: only root may look into that, and the path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="cloud-runs-pg-"))
    if as_owner:
        shutil.chown(folder, OWNER, OWNER)
    data = folder / "data"
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, **as_owner}
    server = None
    try:
        subprocess.run(
            [bin / "initdb", "--pgdata", data, "--auth=trust", f"--username={OWNER}", "--no-sync"], check=True, **quiet
        )
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", folder]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([bin / "postgres", "-D", data, *settings], stderr=log, **quiet)
        while subprocess.run([bin / "pg_isready", "--quiet", "--host", folder, "--username", OWNER]).returncode:
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"postgres://{OWNER}@/postgres?host={folder}&sslmode=disable"
    finally:
        if server:
            server.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            server.wait(timeout=60)
        shutil.rmtree(folder)
