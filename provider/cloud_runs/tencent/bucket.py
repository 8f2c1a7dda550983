"""What both kinds of Tencent CI share: a bucket in a region, and the client's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cloud_runs.checks import Text
from cloud_runs.kinds import Argument, Kind, Props, Request, own_transport
from cloud_runs.runs import Reference
from cloud_runs.tencent.settings import DOMAIN, REGION, TENCENT
from cloud_runs.wire.settings import Settings

if TYPE_CHECKING:
    from cloud_runs.wire.transport import Transport

WORKFLOW_ID = "w[0-9a-fA-F]{32}"
JOB_NAME = Text(
    "a name of letters, digits, hyphens, underscores or Chinese characters",
    pattern=r"[0-9A-Za-z_\-\u2014\u3400-\u4dbf\u4e00-\u9fff]+",
    longest=128,
)

# The patterns also keep a value from changing the host that the request goes to.
_BUCKET = Text(
    "a bucket in the form name-appid, for example media-1250000000",
    pattern=r"[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9]{5,12}",
    longest=60,
)
_REGION = Text("a region, for example ap-beijing", pattern=r"[a-z]{2}-[a-z]+(-[a-z0-9]+)*")

PLACE = (
    Argument("bucket", _BUCKET, subject="bucket"),
    Argument("region", _REGION, setting=REGION, subject="region"),
)


class BucketKind(Kind[Request]):
    """A kind whose runs belong to a bucket."""

    vendor = TENCENT

    def where(self, props: Props, settings: Settings) -> Reference:
        return Reference(self.name, self.given("region", props, settings), str(props["bucket"]), "")

    def reach(self, place: Reference, settings: Settings, transport: Transport | None) -> dict[str, Any]:
        """What both clients are made with."""
        return {
            "transport": transport or own_transport(),
            "credentials": settings.credentials(TENCENT),
            "region": place.region,
            "bucket": place.scope,
            "endpoint": settings.endpoint(TENCENT),
            "domain": settings.value(DOMAIN),
            "times": settings.times(TENCENT),
        }

    def page(self, reference: Reference, arguments: Mapping[str, Any]) -> str:
        """The bucket's CI page; the console has no documented address for a single run."""
        bucket, region = quote(reference.scope, safe=""), quote(reference.region, safe="")
        return f"https://console.cloud.tencent.com/ci/bucket?bucket={bucket}&region={region}"
