"""The key pairs that the emulator accepts when none are given on the command line.

They are fixed and public, so that a demo works without set-up. They open nothing but this emulator.
"""

from __future__ import annotations

DEFAULT_ACCESS_KEY = "AKIDEMULATOR00000000000000000000001"
DEFAULT_SECRET_KEY = "this-is-not-a-secret-emulator-only"

DEFAULT_KEYS: dict[str, str] = {DEFAULT_ACCESS_KEY: DEFAULT_SECRET_KEY}
