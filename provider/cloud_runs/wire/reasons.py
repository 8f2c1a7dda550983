"""What went wrong with a request, in words for a person, and whether it may be different next time.

The texts of the libraries are left out: they hold URLs and addresses of objects.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from cloud_runs.errors import clean
from cloud_runs.wire.connections import NoLeave


def cause(error: Exception, unsent: bool) -> str:
    if not unsent:
        return "lost"
    # a certificate that was refused will be refused again
    return "connect" if any(isinstance(item, ConnectTimeoutError) for item in _chain(error)) else "never"


def before_sending(error: Exception) -> bool:
    # a proxy or endpoint that cannot be used at all; requests finds that before it asks urllib3 for a connection
    return isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema))


def _chain(error: BaseException) -> list[BaseException]:
    """requests and urllib3 wrap errors in arguments and attributes rather than in causes: outermost first."""
    found = [error]
    while len(found) < 10:
        last = found[-1]
        inner = [getattr(last, "reason", None), getattr(last, "original_error", None), *last.args, last.__cause__]
        following = next((item for item in inner if isinstance(item, BaseException) and item not in found), None)
        if following is None:
            break
        found.append(following)
    return found


_PROXY = "if this network needs a proxy, set HTTPS_PROXY"


def reason(error: Exception) -> str:
    """What went wrong, without what the libraries put into their texts: URLs, addresses of objects."""
    chain = _chain(error)
    for item in chain:
        if isinstance(item, NoLeave):
            return str(item)
        if isinstance(item, NameResolutionError):
            return f"the host name cannot be resolved (check region and endpoint; {_PROXY})"
        if isinstance(item, ssl.SSLCertVerificationError):
            return (
                f"the certificate is not trusted ({clean(item.verify_message, 100)}); if a proxy opens TLS, set "
                "REQUESTS_CA_BUNDLE to a file with its certificate"
            )
        if isinstance(item, ssl.SSLError):
            return f"TLS failed ({clean(str(item.reason or item.args[-1:]), 100)})"
        if isinstance(item, ConnectTimeoutError) and not isinstance(item, NewConnectionError):
            return f"no connection in time (check the network; {_PROXY})"
        if isinstance(item, (Urllib3TimeoutError, TimeoutError)) and not isinstance(item, NewConnectionError):
            return "no answer in time"
        if isinstance(item, http.client.RemoteDisconnected):
            return "the connection was closed without an answer"
        if isinstance(item, OSError) and not isinstance(item, requests.exceptions.RequestException):
            if item.errno:
                return os.strerror(item.errno).lower()
            refused = re.match(r"Tunnel connection failed: (\d+)", str(item))
            if refused:  # the rest is the proxy's own text, and a proxy knows the password in its URL
                return (
                    f"the proxy refused ({refused[1]}); check HTTPS_PROXY and its password, and that the proxy lets "
                    "this host pass"
                )
    return type(chain[-1]).__name__
