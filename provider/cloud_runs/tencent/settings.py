"""The settings of Tencent Cloud. The names are those of the bridged Pulumi provider, and of Terraform's."""

from __future__ import annotations

from cloud_runs.wire.settings import Setting, Vendor

REGION = Setting(
    "tencent_region",
    "tencentcloud:region",
    "TENCENTCLOUD_REGION",
    pattern="[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?",
    expected="the name of a region",
)
DOMAIN = Setting(
    "tencent_domain", pattern=r"myqcloud\.com|tencentci\.cn", expected="a domain of CI: myqcloud.com or tencentci.cn"
)

TENCENT = Vendor(
    title="Tencent Cloud",
    id=Setting("tencent_secret_id", "tencentcloud:secretId", "TENCENTCLOUD_SECRET_ID"),
    secret=Setting("tencent_secret_key", "tencentcloud:secretKey", "TENCENTCLOUD_SECRET_KEY"),
    token=Setting("tencent_security_token", "tencentcloud:securityToken", "TENCENTCLOUD_SECURITY_TOKEN"),
    endpoint=Setting("tencent_endpoint"),
    more=(REGION, DOMAIN),
)
