"""Values that stand for secrets, and where they may not be found: in anything that was written, in no common form."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from pathlib import Path


def canary() -> str:
    """A random secret. Its end is written in another form in URLs, its beginning is not."""
    return f"cnry{secrets.token_hex(12)}/+=z"


def forms(value: str) -> list[bytes]:
    """What is seen of it where it is written as it is, or quoted, or in base64 at each of the three offsets."""
    encoded = [base64.b64encode(b"x" * shift + value.encode())[4 if shift else 0 : -4] for shift in range(3)]
    return [value.partition("/")[0].encode(), *encoded]


def leaks(text: str | bytes, values: Iterable[str]) -> list[str]:
    """Which values are in the text, by the place in `values`."""
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    return [f"value {number}" for number, value in enumerate(values) if any(form in data for form in forms(value))]


def leaks_in_files(folder: Path, values: Iterable[str]) -> list[str]:
    values = list(values)
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            found += [f"{file.relative_to(folder)}: {leak}" for leak in leaks(file.read_bytes(), values)]
    return found
