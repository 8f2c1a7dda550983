"""The token service: one access token for each access key, good for two hours.

Sources: "Get Access Token", https://support.enos-iot.com/docs/apim/en/3.0.0/token/get_access_token, and "Refresh Access
Token", https://support.enos-iot.com/docs/api/en/2.3.0/token/refresh_access_token.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cloud_runs_emulator.enos.formats import new_token
from cloud_runs_emulator.enos.signing import (
    BAD_ENCRYPTION,
    BAD_PARAMETER,
    EMPTY,
    EXPIRED,
    MAX_SKEW_SECONDS,
    NO_KEY,
    NOT_REFRESHED,
    REPEATED,
    check_time,
    encryption,
    refused,
    same,
    verify,
)
from cloud_runs_emulator.settings import Settings
from cloud_runs_emulator.systems import Request

LIFETIME_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its end in Unix seconds."""

    value: str
    expires_at: float


class Tokens:
    """All tokens that are good, and the digests of token requests that were used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_key: dict[str, Token] = {}
        self._used: dict[str, float] = {}

    def clear(self) -> None:
        """Forget all, as after a restart."""
        self.expire()
        self._used.clear()

    def expire(self) -> None:
        """Let all tokens be expired."""
        self._by_key.clear()

    def get(self, body: bytes) -> Token:
        """Answer a token request: the same token until it has expired, with what is left of its time."""
        key = self._check(_fields(body, "appKey", "encryption", "timestamp"))
        return self._current(key) or self._renew(key)

    def refresh(self, body: bytes) -> Token:
        """Answer a refresh: a new token. The old one is good no longer; whether that is so is not documented."""
        fields = _fields(body, "appKey", "encryption", "timestamp", "accessToken")
        key = self._check(fields)
        current = self._current(key)
        if current is None or current.value != fields["accessToken"]:
            raise refused(NOT_REFRESHED, "failed to refresh access token: it is unknown or has expired")
        return self._renew(key)

    def verify(self, request: Request) -> None:
        """Refuse a call without a good token, or not signed with it and its key's secret.

        A token that was never given is taken for an expired one: callers recover from a restart of the emulator.
        """
        value = request.header("apim-accesstoken")
        if not value:
            raise refused(EMPTY, "parameter is empty: apim-accesstoken is required")
        for key in self._by_key:
            token = self._current(key)
            if token is not None and token.value == value:
                verify(request, self._settings.keys[key], value, self._settings.clock())
                return
        raise refused(EXPIRED, "access token has expired")

    def left(self, token: Token) -> int:
        """How long a token is still good, in whole seconds."""
        return int(token.expires_at - self._settings.clock())

    def _current(self, key: str) -> Token | None:
        token = self._by_key.get(key)
        return token if token is not None and token.expires_at > self._settings.clock() else None

    def _renew(self, key: str) -> Token:
        self._by_key[key] = Token(new_token(), self._settings.clock() + LIFETIME_SECONDS)
        return self._by_key[key]

    def _check(self, fields: dict[str, str]) -> str:
        """The access key of a token request that holds and is no repetition."""
        key, given = fields["appKey"], fields["encryption"]
        secret = self._settings.keys.get(key)
        if secret is None:
            raise refused(NO_KEY, "the appKey does not exist")
        now = self._settings.clock()
        timestamp = int(fields["timestamp"])
        check_time(timestamp, now)
        if not same(encryption(key, timestamp, secret), given):
            raise refused(BAD_ENCRYPTION, "the encryption is not valid")
        # A digest that is too old for its timestamp needs no remembering: the check of the time refuses it.
        self._used = {digest: until for digest, until in self._used.items() if until >= now}
        if given in self._used:
            raise refused(REPEATED, "repeated requests with duplicated encryption")
        self._used[given] = timestamp / 1000 + MAX_SKEW_SECONDS
        return key


def _fields(body: bytes, *names: str) -> dict[str, str]:
    """The named fields of a JSON body as text; `timestamp` must be a whole number, or the text of one."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise refused(BAD_PARAMETER, "invalid parameter: the body must be a JSON object")
    fields: dict[str, str] = {}
    for name in names:
        field = value.get(name)
        if field is None or field == "":
            raise refused(EMPTY, f"parameter is empty: {name}")
        if name == "timestamp" and isinstance(field, int) and not isinstance(field, bool):
            field = str(field)
        if not isinstance(field, str) or (name == "timestamp" and not (field.isascii() and field.isdigit())):
            raise refused(BAD_PARAMETER, f"invalid parameter: {name}")
        fields[name] = field
    return fields
