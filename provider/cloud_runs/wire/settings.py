"""Where keys, regions, endpoints and times come from: an explicit provider, then stack configuration, then the
environment. Which settings a vendor has is in its room.

What does NOT happen: parts of two sources are never mixed, no file of another tool is read, and no value enters an
error text.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cloud_runs.errors import InvalidConfiguration, MissingCredentials
from cloud_runs.limits import LAG_SECONDS, START_SECONDS, Times

EXPLICIT = "explicit:"
"""Before a key of the stack configuration: the value was given to a `cloud_runs.Provider`."""
EXPLICIT_NAME = "runs:providerName"
"""The key under which an explicit provider tells its name."""
LONGEST_SECONDS = 600.0
"""The most that may be set for a start or a list to take."""

# What may go into a header and a signature without doubt; keys and tokens of all vendors are made of these.
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Credentials:
    """A key pair, and the token that belongs to it if it is a temporary one. `source` tells where it was found."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    source: str = ""


@dataclass(frozen=True)
class Setting:
    """`argument` of `Provider`, such as `tencent_secret_id`: in the stack configuration it is `runs:tencentSecretId`,
    and in the environment `RUNS_TENCENT_SECRET_ID`, unless the vendor's other tools have names for it.

    `shared` is the key of the stack configuration that the bridged Pulumi providers accept too. A value is all of
    `pattern`; `expected` says so in words.
    """

    argument: str
    shared: str = ""
    variable: str = ""
    pattern: str = ""
    expected: str = ""

    @property
    def own(self) -> str:
        """`runs:tencentSecretId`."""
        first, *rest = self.argument.split("_")
        return f"runs:{first}{''.join(map(str.capitalize, rest))}"

    @property
    def config(self) -> str:
        """The key that people know best."""
        return self.shared or self.own

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the stack configuration, first the one that wins."""
        return (self.own, self.shared) if self.shared else (self.own,)

    @property
    def environ(self) -> str:
        return self.variable or f"RUNS_{self.argument.upper()}"

    @property
    def places(self) -> str:
        """Where it can be set, in the order in which they count."""
        keys = ", ".join(self.keys)
        return f"cloud_runs.Provider({self.argument}=...), stack configuration {keys} or environment {self.environ}"


@dataclass(frozen=True)
class Vendor:
    """Whose keys and settings they are. `more`: what its kinds need beside keys and endpoint."""

    title: str
    id: Setting
    secret: Setting
    endpoint: Setting
    token: Setting | None = None
    more: tuple[Setting, ...] = ()

    @property
    def keys(self) -> tuple[Setting, ...]:
        """What is secret."""
        return (self.id, self.secret, self.token) if self.token else (self.id, self.secret)

    @property
    def settings(self) -> tuple[Setting, ...]:
        return (*self.keys, *self.more, self.endpoint)


START = Setting("start_seconds")
LAG = Setting("lag_seconds")
TIMES = (START, LAG)
"""What belongs to no vendor."""


class Settings:
    """What a host was configured with. A value that is empty counts as not set.

    Each method raises InvalidConfiguration for a value that cannot be right; the text names the setting.
    """

    def __init__(
        self, config: Callable[[str], object] = lambda _: None, environ: Mapping[str, str] = os.environ
    ) -> None:
        """`config`: the value of a key of the stack configuration (`tencentcloud:secretId`), or of one that an explicit
        provider was given (EXPLICIT before the key); None if it is not set. What is no text counts as not set."""
        self._config, self._environ = config, environ

    def value(self, setting: Setting) -> str | None:
        """In the first source that has it; None if no source has."""
        return self._found(setting)[1] or None

    def credentials(self, vendor: Vendor) -> Credentials:
        """The key pair and token of the first source that has any of them.

        Raises MissingCredentials (with every place that was looked at), and InvalidConfiguration also for half of a
        pair.
        """
        for source in zip(*map(self._sources, vendor.keys), strict=True):
            found = [
                (name, _checked(setting, name, text)) for setting, (name, text) in zip(vendor.keys, source, strict=True)
            ]
            (key_name, key), (secret_name, secret), *_ = found
            if key and secret:
                token = found[2][1] if len(found) > 2 else ""
                return Credentials(key, secret, token, source=f"{key_name} and {_key(secret_name)}")
            given = next((name for name, value in found if value), None)
            if given:
                # The other source may have the rest, but then nobody could tell whose key signs.
                missing = " and ".join(_key(name) for name, value in found[:2] if not value)
                raise InvalidConfiguration(f"{given} is set but not {missing}: set both, or neither")
        id, secret_ = vendor.id, vendor.secret
        pairs = [f"{one} and {other}" for one, other in zip(id.keys, secret_.keys, strict=True)]
        raise MissingCredentials(
            f"no {vendor.title} credentials: set {id.argument} and {secret_.argument} of an explicit provider, or "
            f"stack configuration {', or '.join(pairs)}, or environment {id.environ} and {secret_.environ}"
        )

    def endpoint(self, vendor: Vendor) -> str | None:
        """Where the bytes go instead of the service's own host, as `scheme://host[:port]`; None if it is not set.

        https is accepted anywhere, http for loopback only (127.0.0.0/8, ::1, localhost).
        """
        name, value = self._found(vendor.endpoint)
        return _checked_endpoint(value, name) if value else None

    def times(self, vendor: Vendor) -> Times:
        """How long a start may take, and how late its run may show in lists.

        Less than the defaults is accepted only where the vendor's endpoint is this machine: a run that is looked for
        too shortly would be fired twice.
        """
        try:
            here = is_loopback(urlsplit(self.endpoint(vendor) or "").hostname or "")
        except InvalidConfiguration:  # which its client will tell
            here = False
        unless = f", or {vendor.endpoint.config} to an address of this machine"
        start = self._seconds(START, START_SECONDS, 0.1 if here else START_SECONDS, "" if here else unless)
        return Times(start, self._seconds(LAG, LAG_SECONDS, 0.0 if here else LAG_SECONDS, "" if here else unless))

    def _seconds(self, setting: Setting, default: float, least: float, unless: str) -> float:
        name, value = self._found(setting)
        if not value:
            return default
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not least <= seconds <= LONGEST_SECONDS:
            raise InvalidConfiguration(
                f"{name} is not a number of seconds from {least:g} to {LONGEST_SECONDS:g}: set one{unless}"
            )
        return seconds

    def _found(self, setting: Setting) -> tuple[str, str]:
        """The full name in the first source that has a value, and the value; else empty texts."""
        values = ((name, _checked(setting, name, text)) for name, text in self._sources(setting))
        return next(((name, value) for name, value in values if value), ("", ""))

    def _sources(self, setting: Setting) -> Iterator[tuple[str, object]]:
        """The setting's full name in each source, first the one that wins, and what is set there."""
        provider = self._config(EXPLICIT_NAME)
        yield f"provider {provider!r} {setting.argument}", self._config(EXPLICIT + setting.config)
        for key in setting.keys:
            yield f"stack configuration {key}", self._config(key)
        yield f"environment {setting.environ}", self._environ.get(setting.environ)


def is_loopback(host: str) -> bool:
    """Whether a host (no port, no brackets) is this machine by its name alone; nothing is resolved."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


def _key(name: str) -> str:
    """A setting's full name without its source."""
    return name.rpartition(" ")[2]


def _checked(setting: Setting, name: str, found: object) -> str:
    value = found if isinstance(found, str) else ""
    if value and not _PRINTABLE.fullmatch(value):
        what = (
            "leading or trailing white space" if value != value.strip() else "a space or a character that is not ASCII"
        )
        raise InvalidConfiguration(f"{name} has {what}; set it again without")
    if value and setting.pattern and not re.fullmatch(setting.pattern, value):
        raise InvalidConfiguration(f"{name} is not {setting.expected}")
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
