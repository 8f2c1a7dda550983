"""What of a batch job's arguments has names of its own."""

from __future__ import annotations

from typing import TypedDict

import pulumi


class InventoryInputArgs(TypedDict, total=False):
    """Which objects the job takes: exactly one of these."""

    prefix: pulumi.Input[str]
    """All objects whose key begins so."""
    manifest: pulumi.Input[str]
    """The `manifest.json` of a COS inventory."""
    url_file: pulumi.Input[str]
    """A text object with one COS object address a line."""
    object: pulumi.Input[str]
    """One object key."""


class TimeIntervalArgs(TypedDict, total=False):
    """Only objects uploaded in this time; ISO times with offset, for example `2022-02-01T12:00:00+0800`."""

    start: pulumi.Input[str]
    """Without it: from the beginning."""
    end: pulumi.Input[str]
    """Without it: until now."""
