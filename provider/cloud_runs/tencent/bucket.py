"""What both Tencent CI resources share on the Pulumi side: where a run is, and the checks of that."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pulumi.output import Unknown

from cloud_runs import errors
from cloud_runs.lifecycle import checks
from cloud_runs.runs import Reference
from cloud_runs.wire.settings import TENCENT, TENCENT_REGION

Lookup = Callable[[str], str | None]

WORKFLOW_ID = "w[0-9a-fA-F]{32}"
JOB_NAME = r"[0-9A-Za-z_\-\u2014\u3400-\u4dbf\u4e00-\u9fff]+"
_BUCKET = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9]{5,12}"
_REGION = r"[a-z]{2}-[a-z]+(-[a-z0-9]+)*"
_PLACES = f"the argument, {TENCENT_REGION.places}"


def problems(props: Mapping[str, Any], setting: Lookup) -> Iterator[checks.Problem]:
    """Bucket and region. The patterns also keep a value from changing the host that the request goes to."""
    bucket = "a bucket in the form name-appid, for example media-1250000000"
    yield from checks.text(props, "bucket", pattern=_BUCKET, expected=bucket, longest=60)
    region = "a region, for example ap-beijing"
    yield from checks.text(props, "region", required=False, pattern=_REGION, expected=region)
    if props.get("region") is None:
        configured = functools.partial(TENCENT.region, setting, os.environ)
        yield from checks.configured("region", configured, _PLACES, pattern=_REGION, expected=region)


def place(system: str, props: Mapping[str, Any], setting: Lookup) -> Reference:
    """A recorded run stays where its reference says, whatever the configuration says today."""
    if isinstance(props.get("reference"), str):
        return Reference.parse(props["reference"])
    region = props.get("region") or TENCENT.region(setting, os.environ)
    if not region:
        raise errors.InvalidConfiguration(f"the region is missing: set {_PLACES}")
    return Reference(system, str(region), str(props["bucket"]), "")


def console(reference: Reference) -> str:
    """The bucket's CI page; the console has no documented address for a single run (facts, section 7)."""
    bucket, region = quote(reference.scope, safe=""), quote(reference.region, safe="")
    return f"https://console.cloud.tencent.com/ci/bucket?bucket={bucket}&region={region}"


def given(value: Any) -> bool:
    return value is not None and not isinstance(value, Unknown)
