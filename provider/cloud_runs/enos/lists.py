"""The list of flow instances, in the name of one user of one organization; `POST /flowInstances?action=search`.

Source: the page `list_flow_instances.html` of the Batch Data Processing API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cloud_runs.enos import answers as reading
from cloud_runs.enos.gateway import Gateway
from cloud_runs.errors import Unavailable, clean
from cloud_runs.limits import Limit
from cloud_runs.wire.payloads import usable_id

ROWS = 50  # of one page; the service's limit is nowhere documented
LOOK_ROWS = 100  # of one page of a list that may have gaps
PAGES = 100
MOST = PAGES * ROWS  # of one list that is kept whole
TYPES = (0, 2, 1)  # manual, temporary, periodic; which of them a triggered run is, is nowhere documented
ALWAYS = (0, 4_102_444_800_000)  # trigger times from 1970 to 2100, in milliseconds
_ACTIVE = ",".join(str(status) for status, (_, phase) in reading.STATES.items() if not phase.terminal)


class Lists(Gateway):
    """What a client lists its runs with."""

    def _search(
        self, expression: str, between: tuple[int, int], limit: Limit
    ) -> tuple[dict[str, Mapping[str, Any]], datetime | None]:
        """`POST /flowInstances?action=search`: the runs whose id or flow's name has `expression` in it, by their id,
        with a trigger time in [from, to). All of them, or an error: a run that is not shown would be fired twice.
        """
        found: dict[str, Mapping[str, Any]] = {}
        server_time = None
        for kind in TYPES:
            seen: dict[str, Mapping[str, Any]] = {}
            for page in range(PAGES + 1):
                rows, count, date = self._page(kind, expression, between, page, ROWS, limit)
                server_time = date or server_time
                more = rows.keys() - seen.keys()
                seen |= rows
                if len(rows) < ROWS and len(seen) >= count:
                    break
                # it repeats itself, or tells of more than it lists, or of more than anybody has
                if not more or page == PAGES or len(seen) > MOST:
                    raise Unavailable(f"EnOS cannot list them all: {len(seen)} runs on {page + 1} pages, of {count}")
            found |= seen
        return found, server_time

    def _going(self, flow: int, kind: int, limit: Limit) -> Iterator[Mapping[str, Mapping[str, Any]]]:
        """Pages of the runs that go on and may be of the flow, by id."""
        seen: set[str] = set()
        for page in range(PAGES):
            rows, count, _ = self._page(kind, str(flow), ALWAYS, page, LOOK_ROWS, limit, _ACTIVE)
            yield rows
            more = rows.keys() - seen
            seen |= more
            # The service may give fewer rows than it is asked for; `count` tells whether there are more.
            if not more or (len(seen) >= count if count > 0 else len(rows) < LOOK_ROWS):
                return

    def _page(
        self,
        kind: int,
        expression: str,
        between: tuple[int, int],
        page: int,
        size: int,
        limit: Limit,
        status: str = "",
    ) -> tuple[dict[str, Mapping[str, Any]], int, datetime | None]:
        """The rows of a page by id, how many there are on all pages, and the server's time."""
        body = {
            "type": kind,
            "expression": expression,
            "owner": "",
            "fromTriggerTime": between[0],
            "toTriggerTime": between[1],
            "status": status,
            "pagination": {"pageNo": page, "pageSize": size},  # V2.0 counts from 0
        }
        data, answer = self._ask("POST", "/flowInstances", "search", [], limit, body)
        return *self._rows(data), answer.date

    def _rows(self, data: Any) -> tuple[dict[str, Mapping[str, Any]], int]:
        """The rows of a page by id, and how many runs the service says there are."""
        listed, count = (reading.mapping(data).get(name) for name in ("flowInsts", "count"))
        if listed is None and count == 0:
            listed = []
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            raise Unavailable("EnOS gave a list of runs that cannot be read")
        by_id = {}
        for row in listed:
            id = row.get("instanceId")
            if not id:
                raise Unavailable("EnOS listed a run without instanceId")
            if not usable_id(id):
                shown = clean(self._context.mask.text(str(id)), 100)
                raise Unavailable(f"EnOS listed a run whose instanceId cannot be used: {shown!r}")
            by_id[id] = row
        return by_id, reading.number(count) or 0
