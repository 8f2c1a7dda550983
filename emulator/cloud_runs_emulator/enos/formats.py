"""EnOS's formats on the wire: times, instance ids, tokens.

Sources: the pages trigger_flow, list_flow_instances, get_flow_instance and get_time_zone of
https://support.enos-iot.com/docs/batch-processing-api/en/3.0.0/v2.0/ and of v2.1 beside it.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone

TIME_ZONE = "GMT+8"
"""The server's, as in the sample of Get Time Zone."""

_ZONE = timezone(timedelta(hours=8))


def server_time(moment: float | None) -> str | None:
    """Unix seconds in the server's zone, which the text does not say: `2019-07-18 07:50:00`."""
    return None if moment is None else f"{datetime.fromtimestamp(int(moment), _ZONE):%Y-%m-%d %H:%M:%S}"


def business_date(moment: float) -> str:
    """The day in the server's zone, for `calDt`."""
    return f"{datetime.fromtimestamp(int(moment), _ZONE):%Y-%m-%d}"


def instance_id(flow_id: int, trigger_ms: int) -> str:
    """The id of a flow's instance: `2430-20190718075000`.

    The digits are documented nowhere. In the vendor's samples they are the trigger time cut off to the minute; in most
    of them in UTC while the times beside it are not, and so it is here.
    """
    return f"{flow_id}-{datetime.fromtimestamp(trigger_ms // 60_000 * 60, timezone.utc):%Y%m%d%H%M%S}"


def new_token() -> str:
    """An access token; callers are to treat it as opaque."""
    return "APIM" + secrets.token_hex(16)
