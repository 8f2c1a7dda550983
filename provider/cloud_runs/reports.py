"""`report`: what `cloud-runs status` shows, as values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi.automation import Deployment

    from cloud_runs.status.report import Report


def report(
    cwd: str | Path = ".", *, stack: str = "", state: str | Path | Mapping[str, Any] | Deployment | None = None
) -> Report:
    """What became of the runs of a stack, as their systems tell it now. For programs beside Pulumi's: it starts no
    engine, takes no lock, and fires, cancels and changes nothing.

    ```python
    from cloud_runs import report

    found = report(stack="prod")
    for run in found.runs:
        print(run.label, run.phase.value, run.status.started_at)
    assert found.exit == 0, found.summary
    ```

    :param cwd: The project's folder, if not this one.
    :param stack: Without it the selected one.
    :param state: In the place of both: an export of the stack (`pulumi stack export`), as a file or as what `json.load`
        or the Automation API's `export_stack` makes of it. No `pulumi` is needed then. What such an export keeps
        encrypted is not known: keys come from the environment.
    :raises cloud_runs.errors.RunsError: There is no such stack, or it cannot be read. A system that cannot be asked
        raises nothing: its runs have the `answer` `none`.
    """
    from cloud_runs.status import asking, reading  # not before: programs with resources start faster without

    found = reading.read(str(cwd), stack) if state is None else reading.read_export(state)
    return asking.report(found)
