"""How requests get to their servers: what requests prepares and configures, once for each server.

Proxies, certificate bundles, the form of an address and of a header are decided by requests. What it has decided is the
same for all requests to one server, so that each of them goes straight to the pool of connections. To prepare each of
them anew, as requests does, takes twice the processor time of all the rest of a start.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import check_header_validity
from urllib3.exceptions import MaxRetryError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry, Timeout

from cloud_runs.wire import connections
from cloud_runs.wire.connections import POOLS, ours
from cloud_runs.wire.settings import is_loopback

SERVERS = 64  # whose pools are kept: in OBS and CI each bucket has a host name of its own
HEADERS = {"User-Agent": "cloud-runs", "Accept-Encoding": "gzip", "Accept": "*/*", "Connection": "keep-alive"}

Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""Signs a request, as the last thing before it is sent."""


class NoBundle(Exception): ...


@dataclass(frozen=True)
class _Way:
    """`whole`: a proxy that forwards is told the whole address, everybody else the path alone."""

    pool: Any  # of urllib3, for http or https
    whole: bool


class Ways:
    """Those of one transport. Safe for threads."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._adapter = _Adapter(pool_connections=SERVERS, pool_maxsize=connections.CONNECTIONS, pool_block=True)
        self._known: dict[str, _Way] = {}

    def send(self, request: requests.PreparedRequest, connect: float, read: float) -> BaseHTTPResponse:
        """Sends it, and returns the head of its answer. Nothing is repeated, no redirect is followed.

        Raises what urllib3 does; InvalidURL, InvalidSchema or NoBundle if the server cannot be asked at all.
        """
        url = request.url or ""
        server = _server(url)
        way = self._known.get(server)
        if way is None or way.pool.pool is None:  # the least used of too many pools are closed
            way = self._known[server] = self._found(request)
        response: BaseHTTPResponse = way.pool.urlopen(
            request.method or "",
            url if way.whole else url[len(server) :],
            request.body,
            request.headers,
            _NEVER,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=connect, read=read),
            preload_content=False,
            decode_content=False,
        )
        return response

    def _found(self, request: requests.PreparedRequest) -> _Way:
        url = request.url or ""
        host = urlsplit(url).hostname or ""
        # naming the host itself is the one form that requests decides without changing os.environ (there are threads)
        no_proxy = {"no_proxy": host} if is_loopback(host) else {}
        settings = self._session.merge_environment_settings(url, no_proxy, True, None, None)
        proxies, verify, cert = settings["proxies"], settings["verify"], settings["cert"]
        pool = self._adapter.get_connection_with_tls_context(request, verify, proxies, cert)
        try:
            self._adapter.cert_verify(pool, url, verify, cert)  # type: ignore[no-untyped-call]
        except OSError as error:  # REQUESTS_CA_BUNDLE names no file
            raise NoBundle(str(error)) from None
        return _Way(pool, self._adapter.request_url(request, proxies) == url)


def prepared(
    method: str, url: str, query: str, headers: dict[str, str], body: bytes, auth: Auth
) -> requests.PreparedRequest:
    """A request as it goes on the wire, signed. `url` has no query. Raises what requests does for what it refuses."""
    request = requests.PreparedRequest()
    for header in headers.items():
        check_header_validity(header)
    request.method, request.url = method, f"{_address(url)}?{query}" if query else _address(url)
    request.headers = CaseInsensitiveDict({**HEADERS, **headers})
    request.body = body or None
    return auth(request)


@functools.lru_cache(1024)
def _address(url: str) -> str:
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return request.url or ""


def _server(url: str) -> str:
    """`https://host:443`, of a prepared address, which has a path."""
    return url[: url.index("/", url.index("//") + 2)]


class _Adapter(HTTPAdapter):
    """Connections of ours in requests' pools; requests calls these two methods to make its pool managers."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        pools = manager.pool_classes_by_scheme.items()  # SOCKS has some of its own
        manager.pool_classes_by_scheme = {scheme: ours(pool) for scheme, pool in pools}
        return manager


class _Never(Retry):
    """The library repeats nothing. Its own default would send a POST again after a 503 with `Retry-After`."""

    RETRY_AFTER_STATUS_CODES = frozenset()

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Any:  # fmt: skip
        raise MaxRetryError(_pool, url, error) from error


_NEVER = _Never(0, redirect=False)
