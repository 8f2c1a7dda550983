"""Where keys, regions and endpoints come from: stack configuration first, then the environment.

What does NOT happen: parts of two sources are never mixed, no file of another tool is read, and no value enters an
error text.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from provider.errors import InvalidConfiguration, MissingCredentials

Lookup = Callable[[str], "str | None"]  # stack configuration: "tencentcloud:secretId" -> its value, or None

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
class _Names:
    """What one source calls the parts of a system's settings."""

    label: str
    id: str
    secret: str
    token: str
    region: str
    endpoint: str


@dataclass(frozen=True)
class _System:
    title: str
    config: _Names
    environ: _Names


# The names that the bridged Pulumi provider and Terraform's provider use (design.md, "Configuration and credentials").
_TENCENT = _System(
    title="Tencent Cloud",
    config=_Names(
        label="stack configuration",
        id="tencentcloud:secretId",
        secret="tencentcloud:secretKey",
        token="tencentcloud:securityToken",
        region="tencentcloud:region",
        endpoint="runs:tencentEndpoint",
    ),
    environ=_Names(
        label="environment",
        id="TENCENTCLOUD_SECRET_ID",
        secret="TENCENTCLOUD_SECRET_KEY",
        token="TENCENTCLOUD_SECURITY_TOKEN",
        region="TENCENTCLOUD_REGION",
        endpoint="RUNS_TENCENT_ENDPOINT",
    ),
)

# The environment's names are those of Terraform's provider; the OBS SDK has others, which it reads only when told to.
_HUAWEI = _System(
    title="Huawei Cloud",
    config=_Names(
        label="stack configuration",
        id="huaweicloud:accessKey",
        secret="huaweicloud:secretKey",
        token="huaweicloud:securityToken",
        region="huaweicloud:region",
        endpoint="runs:huaweiEndpoint",
    ),
    environ=_Names(
        label="environment",
        id="HW_ACCESS_KEY",
        secret="HW_SECRET_KEY",
        token="HW_SECURITY_TOKEN",
        region="HW_REGION_NAME",
        endpoint="RUNS_HUAWEI_ENDPOINT",
    ),
)

# EnOS: the vendor's SDK takes all of these as arguments, so the names are ours. Tokens are fetched, never configured.
_ENOS = _System(
    title="EnOS",
    config=_Names(
        label="stack configuration",
        id="enos:accessKey",
        secret="enos:secretKey",
        token="",
        region="",
        endpoint="enos:endpoint",
    ),
    environ=_Names(
        label="environment",
        id="ENOS_ACCESS_KEY",
        secret="ENOS_SECRET_KEY",
        token="",
        region="",
        endpoint="RUNS_ENOS_ENDPOINT",
    ),
)


def tencent_credentials(config: Lookup, environ: Mapping[str, str]) -> Credentials:
    """The key pair and token of the first source that has any of them. An empty value counts as not set.

    Raises MissingCredentials (with every place that was looked at) or InvalidConfiguration (half of a pair, or a value
    that no key can be; the text names the setting).
    """
    return _credentials(_TENCENT, config, environ)


def tencent_region(config: Lookup, environ: Mapping[str, str]) -> str | None:
    """For example `ap-beijing`; None if it is not set. Raises InvalidConfiguration for what no region can be."""
    return _region(_TENCENT, config, environ)


def tencent_endpoint(config: Lookup, environ: Mapping[str, str]) -> str | None:
    """Where the bytes go instead of the service's own host, as `scheme://host[:port]`; None if it is not set.

    https is accepted anywhere, http for loopback only (127.0.0.0/8, ::1, localhost). Raises InvalidConfiguration.
    """
    return _endpoint(_TENCENT, config, environ)


def huawei_credentials(config: Lookup, environ: Mapping[str, str]) -> Credentials:
    """As `tencent_credentials`."""
    return _credentials(_HUAWEI, config, environ)


def huawei_region(config: Lookup, environ: Mapping[str, str]) -> str | None:
    """For example `cn-north-4`; as `tencent_region`."""
    return _region(_HUAWEI, config, environ)


def huawei_endpoint(config: Lookup, environ: Mapping[str, str]) -> str | None:
    """As `tencent_endpoint`."""
    return _endpoint(_HUAWEI, config, environ)


def enos_credentials(config: Lookup, environ: Mapping[str, str]) -> Credentials:
    """Access key and secret key of an application. Otherwise as `tencent_credentials`."""
    return _credentials(_ENOS, config, environ)


def enos_endpoint(config: Lookup, environ: Mapping[str, str]) -> str:
    """The customer's API gateway as `scheme://host[:port]`; http for loopback only. Raises InvalidConfiguration also if
    it is not set, since there is no default.
    """
    found = _endpoint(_ENOS, config, environ)
    if found is None:
        places = " or ".join(f"{names.label} {names.endpoint}" for names in (_ENOS.config, _ENOS.environ))
        raise InvalidConfiguration(
            f"no EnOS endpoint: set {places} to your API gateway (console: Help, Environment Information)"
        )
    return found


def enos_organization(config: Lookup, environ: Mapping[str, str]) -> str | None:
    """For example `o15`; None if it is not set."""
    return (
        _value(config, "stack configuration", "enos:orgId") or _value(environ.get, "environment", "ENOS_ORG_ID") or None
    )


def enos_user(config: Lookup, environ: Mapping[str, str]) -> str | None:
    """The user that owns the flows; None if it is not set."""
    return (
        _value(config, "stack configuration", "enos:userId")
        or _value(environ.get, "environment", "ENOS_USER_ID")
        or None
    )


def is_loopback(host: str) -> bool:
    """Whether a host (no port, no brackets) is this machine by its name alone; nothing is resolved."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


def _sources(system: _System, config: Lookup, environ: Mapping[str, str]) -> list[tuple[_Names, Lookup]]:
    return [(system.config, config), (system.environ, environ.get)]


def _value(lookup: Lookup, label: str, name: str) -> str:
    value = (lookup(name) or "") if name else ""  # not each system has each setting
    if value and not _PRINTABLE.fullmatch(value):
        what = (
            "leading or trailing white space" if value != value.strip() else "a space or a character that is not ASCII"
        )
        raise InvalidConfiguration(f"{label} {name} has {what}; set it again without")
    return value


def _credentials(system: _System, config: Lookup, environ: Mapping[str, str]) -> Credentials:
    for names, lookup in _sources(system, config, environ):
        key, secret, token = (_value(lookup, names.label, name) for name in (names.id, names.secret, names.token))
        if key and secret:
            return Credentials(key, secret, token, source=f"{names.label} {names.id}")
        if key or secret or token:
            # The other source may have the rest, but then nobody could tell whose key signs.
            missing = " and ".join(name for name, value in ((names.id, key), (names.secret, secret)) if not value)
            given = next(n for n, v in ((names.id, key), (names.secret, secret), (names.token, token)) if v)
            raise InvalidConfiguration(f"{names.label} has {given} but not {missing}: set both, or neither")
    places = ", or ".join(f"{n.label} {n.id} and {n.secret}" for n in (system.config, system.environ))
    raise MissingCredentials(f"no {system.title} credentials: set {places}")


def _region(system: _System, config: Lookup, environ: Mapping[str, str]) -> str | None:
    for names, lookup in _sources(system, config, environ):
        if value := _value(lookup, names.label, names.region):
            if not _REGION.fullmatch(value):
                raise InvalidConfiguration(f"{names.label} {names.region} is not the name of a region")
            return value
    return None


def _endpoint(system: _System, config: Lookup, environ: Mapping[str, str]) -> str | None:
    for names, lookup in _sources(system, config, environ):
        if value := _value(lookup, names.label, names.endpoint):
            return _checked_endpoint(value, f"{names.label} {names.endpoint}")
    return None


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
