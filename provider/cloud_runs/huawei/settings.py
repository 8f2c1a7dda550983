"""The settings of Huawei Cloud. The names are those of the bridged Pulumi provider, and of Terraform's; the OBS SDK has
others, which it reads only when told to."""

from __future__ import annotations

from cloud_runs.wire.settings import Setting, Vendor

_NAME = "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"

REGION = Setting(
    "huawei_region", "huaweicloud:region", "HW_REGION_NAME", pattern=_NAME, expected="the name of a region"
)
CLOUD = Setting(
    "huawei_cloud",
    "huaweicloud:cloud",
    "HW_CLOUD",
    pattern=rf"{_NAME}\.[A-Za-z]+",
    expected="the domain of a cloud, for example myhuaweicloud.com",
)

HUAWEI = Vendor(
    title="Huawei Cloud",
    id=Setting("huawei_access_key", "huaweicloud:accessKey", "HW_ACCESS_KEY"),
    secret=Setting("huawei_secret_key", "huaweicloud:secretKey", "HW_SECRET_KEY"),
    token=Setting("huawei_security_token", "huaweicloud:securityToken", "HW_SECURITY_TOKEN"),
    endpoint=Setting("huawei_endpoint"),
    more=(REGION, CLOUD),
)
