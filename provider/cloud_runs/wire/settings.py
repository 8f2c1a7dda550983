"""Where keys, regions and endpoints come from: an explicit provider, then stack configuration, then the environment.

What does NOT happen: parts of two sources are never mixed, no file of another tool is read, and no value enters an
error text.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cloud_runs.errors import InvalidConfiguration, MissingCredentials

Lookup = Callable[[str], "str | None"]  # stack configuration: "tencentcloud:secretId" -> its value, or None

EXPLICIT = "explicit:"
"""Before a key of the stack configuration: the value was given to a `cloud_runs.Provider`."""
EXPLICIT_NAME = "runs:providerName"
"""The key under which an explicit provider tells its name."""

# What may go into a header and a signature without doubt; keys and tokens of all systems are made of these.
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_REGION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Credentials:
    """A key pair, and the token that belongs to it if it is a temporary one. `source` tells where it was found."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    source: str = ""


@dataclass(frozen=True)
class Setting:
    """What a setting is called in the stack configuration, in the environment, and as an argument of `Provider`."""

    config: str
    environ: str
    argument: str

    @property
    def places(self) -> str:
        """Where it can be set, in the order in which they count."""
        return (
            f"cloud_runs.Provider({self.argument}=...), stack configuration {self.config} or environment {self.environ}"
        )


@dataclass(frozen=True)
class System:
    """The settings of one system. A value that is empty counts as not set.

    Each method raises InvalidConfiguration for a value that cannot be right; the text names the setting.
    """

    title: str
    id: Setting
    secret: Setting
    endpoint_: Setting
    token: Setting | None = None
    region_: Setting | None = None
    more: tuple[Setting, ...] = ()

    @property
    def settings(self) -> tuple[Setting, ...]:
        known = (self.id, self.secret, self.token, self.region_, self.endpoint_, *self.more)
        return tuple(setting for setting in known if setting)

    def credentials(self, config: Lookup, environ: Mapping[str, str]) -> Credentials:
        """The key pair and token of the first source that has any of them.

        Raises MissingCredentials (with every place that was looked at), and InvalidConfiguration also for half of a
        pair.
        """
        pair = [self.id, self.secret, *([self.token] if self.token else [])]
        for source in zip(*(_sources(setting, config, environ) for setting in pair), strict=True):
            found = [(name, _value(lookup, name)) for name, lookup in source]
            (key_name, key), (secret_name, secret), *_ = found
            if key and secret:
                token = found[2][1] if len(found) > 2 else ""
                return Credentials(key, secret, token, source=f"{key_name} and {_key(secret_name)}")
            given = next((name for name, value in found if value), None)
            if given:
                # The other source may have the rest, but then nobody could tell whose key signs.
                missing = " and ".join(_key(name) for name, value in found[:2] if not value)
                raise InvalidConfiguration(f"{given} is set but not {missing}: set both, or neither")
        places = [f"{self.id.argument} and {self.secret.argument} of an explicit provider"]
        places += [f"stack configuration {self.id.config} and {self.secret.config}"]
        places += [f"environment {self.id.environ} and {self.secret.environ}"]
        raise MissingCredentials(f"no {self.title} credentials: set {', or '.join(places)}")

    def value(self, setting: Setting, config: Lookup, environ: Mapping[str, str]) -> str | None:
        """The setting's value in the first source that has it; None if no source has."""
        values = (_value(lookup, name) for name, lookup in _sources(setting, config, environ))
        return next((value for value in values if value), None)

    def region(self, config: Lookup, environ: Mapping[str, str]) -> str | None:
        """For example `ap-beijing`; None if it is not set."""
        assert self.region_
        for name, lookup in _sources(self.region_, config, environ):
            if value := _value(lookup, name):
                if not _REGION.fullmatch(value):
                    raise InvalidConfiguration(f"{name} is not the name of a region")
                return value
        return None

    def endpoint(self, config: Lookup, environ: Mapping[str, str]) -> str | None:
        """Where the bytes go instead of the service's own host, as `scheme://host[:port]`; None if it is not set.

        https is accepted anywhere, http for loopback only (127.0.0.0/8, ::1, localhost).
        """
        for name, lookup in _sources(self.endpoint_, config, environ):
            if value := _value(lookup, name):
                return _checked_endpoint(value, name)
        return None


TENCENT_REGION = Setting("tencentcloud:region", "TENCENTCLOUD_REGION", "tencent_region")
HUAWEI_REGION = Setting("huaweicloud:region", "HW_REGION_NAME", "huawei_region")

# The names that the bridged Pulumi provider and Terraform's provider use (design.md, "Configuration and credentials").
TENCENT = System(
    title="Tencent Cloud",
    id=Setting("tencentcloud:secretId", "TENCENTCLOUD_SECRET_ID", "tencent_secret_id"),
    secret=Setting("tencentcloud:secretKey", "TENCENTCLOUD_SECRET_KEY", "tencent_secret_key"),
    token=Setting("tencentcloud:securityToken", "TENCENTCLOUD_SECURITY_TOKEN", "tencent_security_token"),
    region_=TENCENT_REGION,
    endpoint_=Setting("runs:tencentEndpoint", "RUNS_TENCENT_ENDPOINT", "tencent_endpoint"),
)

# The environment's names are those of Terraform's provider; the OBS SDK has others, which it reads only when told to.
HUAWEI = System(
    title="Huawei Cloud",
    id=Setting("huaweicloud:accessKey", "HW_ACCESS_KEY", "huawei_access_key"),
    secret=Setting("huaweicloud:secretKey", "HW_SECRET_KEY", "huawei_secret_key"),
    token=Setting("huaweicloud:securityToken", "HW_SECURITY_TOKEN", "huawei_security_token"),
    region_=HUAWEI_REGION,
    endpoint_=Setting("runs:huaweiEndpoint", "RUNS_HUAWEI_ENDPOINT", "huawei_endpoint"),
)

# EnOS: the vendor's SDK takes all of these as arguments, so the names are ours. Tokens are fetched, never configured.
ENOS_ORG = Setting("enos:orgId", "ENOS_ORG_ID", "enos_org_id")
ENOS_USER = Setting("enos:userId", "ENOS_USER_ID", "enos_user_id")
ENOS = System(
    title="EnOS",
    id=Setting("enos:accessKey", "ENOS_ACCESS_KEY", "enos_access_key"),
    secret=Setting("enos:secretKey", "ENOS_SECRET_KEY", "enos_secret_key"),
    endpoint_=Setting("enos:endpoint", "RUNS_ENOS_ENDPOINT", "enos_endpoint"),
    more=(ENOS_ORG, ENOS_USER),
)

SYSTEMS = (TENCENT, HUAWEI, ENOS)


def enos_endpoint(config: Lookup, environ: Mapping[str, str]) -> str:
    """The customer's API gateway as `scheme://host[:port]`; http for loopback only. Raises InvalidConfiguration also if
    it is not set, since there is no default.
    """
    found = ENOS.endpoint(config, environ)
    if found is None:
        raise InvalidConfiguration(
            f"no EnOS endpoint: set {ENOS.endpoint_.places} to the address of your API gateway (console, Help, "
            "Environment Information)"
        )
    return found


def is_loopback(host: str) -> bool:
    """Whether a host (no port, no brackets) is this machine by its name alone; nothing is resolved."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


def _sources(setting: Setting, config: Lookup, environ: Mapping[str, str]) -> Iterator[tuple[str, Lookup]]:
    """The setting's full name in each source, first the one that wins, and how to look it up there."""
    name = config(EXPLICIT_NAME)
    yield f"provider {name!r} {setting.argument}", lambda _: config(EXPLICIT + setting.config)
    yield f"stack configuration {setting.config}", lambda _: config(setting.config)
    yield f"environment {setting.environ}", lambda _: environ.get(setting.environ)


def _key(name: str) -> str:
    """A setting's full name without its source."""
    return name.rpartition(" ")[2]


def _value(lookup: Lookup, name: str) -> str:
    value = lookup(name) or ""
    if value and not _PRINTABLE.fullmatch(value):
        what = (
            "leading or trailing white space" if value != value.strip() else "a space or a character that is not ASCII"
        )
        raise InvalidConfiguration(f"{name} has {what}; set it again without")
    return value


def _checked_endpoint(value: str, where: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidConfiguration(f"{where} is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidConfiguration(f"{where} must be https://host[:port]")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc or "\\" in value:
        raise InvalidConfiguration(f"{where} must be https://host[:port], with no user, path or query")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidConfiguration(f"{where}: http:// is accepted for loopback only; use https://")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" if port is None else f"{parts.scheme}://{name}:{port}"
