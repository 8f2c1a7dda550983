"""The settings of EnOS. The vendor's SDK takes all of these as arguments, so the names are ours. Tokens are fetched,
never configured."""

from __future__ import annotations

from cloud_runs.errors import InvalidConfiguration
from cloud_runs.wire.settings import Setting, Settings, Vendor

ORG = Setting("enos_org_id", "enos:orgId", "ENOS_ORG_ID")
USER = Setting("enos_user_id", "enos:userId", "ENOS_USER_ID")
VERSION = Setting(
    "enos_api_version", "enos:apiVersion", "ENOS_API_VERSION", pattern=r"2\.[01]", expected="a version: 2.0 or 2.1"
)

ENOS = Vendor(
    title="EnOS",
    id=Setting("enos_access_key", "enos:accessKey", "ENOS_ACCESS_KEY"),
    secret=Setting("enos_secret_key", "enos:secretKey", "ENOS_SECRET_KEY"),
    endpoint=Setting("enos_endpoint", "enos:endpoint"),
    more=(ORG, USER, VERSION),
)


def gateway(settings: Settings) -> str:
    """The customer's API gateway as `scheme://host[:port]`; http for loopback only. Raises InvalidConfiguration also if
    it is not set, since there is no default.
    """
    found = settings.endpoint(ENOS)
    if found is None:
        raise InvalidConfiguration(
            f"no EnOS endpoint: set {ENOS.endpoint.places} to the address of your API gateway (console, Help, "
            "Environment Information)"
        )
    return found
