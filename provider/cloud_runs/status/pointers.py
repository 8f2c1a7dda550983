"""`cloud-runs open` and `cloud-runs emulator --env`: where things are."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from cloud_runs.accounts import settings
from cloud_runs.errors import InvalidConfiguration, RunsError
from cloud_runs.lifecycle.clients import kinds
from cloud_runs.status import options
from cloud_runs.status.naming import named
from cloud_runs.status.options import Commands, Usage
from cloud_runs.status.report import Exit
from cloud_runs.wire.settings import LAG, START, Settings

URL = "http://127.0.0.1:9700"
# The emulator's own default, which opens nothing else. It is a program of its own, so this is a copy; a test compares.
ACCESS_KEY, SECRET_KEY = "AKIDEMULATOR00000000000000000000001", "this-is-not-a-secret-emulator-only"
# Any will do there. A service at once is not looked for as long as one far away.
_VALUES = {
    "tencent_region": "ap-beijing",
    "huawei_region": "cn-north-4",
    "huawei_project_id": "0123456789abcdef0123456789abcdef",
    "enos_org_id": "o15",
    "enos_user_id": "alice",
    START.argument: "4",
    LAG.argument: "0",
}


def add(commands: Commands) -> None:
    codes = "exit codes: 0 it is printed, 2 there is no such run or no page, 12 the stack could not be read"
    page = options.verb(
        commands,
        "open",
        "print the page of a run in its system's console",
        "Prints the address of the console's nearest page to a run. Asks no system.",
        codes,
    )
    options.add_stack(page)
    page.add_argument("name", metavar="RESOURCE[/OBJECT]", type=options.given, help="as `cloud-runs status` shows it")
    page.set_defaults(run=_open)
    emulator = options.verb(
        commands,
        "emulator",
        "point programs at a running emulator",
        "Prints what points `pulumi up` and `cloud-runs` at a running `cloud-runs-emulator`, for all systems:\n\n"
        '  eval "$(cloud-runs emulator --env)"\n\n'
        "What the stack's own configuration says still wins.",
        "exit codes: 0 it is printed, 2 the command line is wrong, 12 no emulator answers there",
    )
    emulator.add_argument("--env", action="store_true", required=True, help="print it as a shell takes it")
    emulator.add_argument("--url", default=URL, metavar="URL", help="where it listens (default %(default)s)")
    emulator.add_argument("--access-key", default=ACCESS_KEY, metavar="KEY", help="if it was started with another pair")
    emulator.add_argument("--secret-key", default=SECRET_KEY, metavar="KEY", help="the other half")
    emulator.set_defaults(run=_emulator)


def _open(given: argparse.Namespace) -> Exit:
    runs = named(given.name, options.read(given).records.runs)
    pages = dict.fromkeys(run.url for run in runs if run.url)
    if not pages:
        raise Usage(f"no page of a console is known for {given.name!r} ({runs[0].reference.system})")
    for page in pages:
        print(page)
    return Exit.SUCCEEDED


def _emulator(given: argparse.Namespace) -> Exit:
    url = given.url.rstrip("/")
    vendors = list(dict.fromkeys(kind.vendor for kind in kinds()))
    try:
        Settings({vendors[0].endpoint.config: url}.get, {}).endpoint(vendors[0])
    except InvalidConfiguration:
        raise Usage(f"--url {url[:100]!r} is no address of this machine such as {URL}") from None
    if not _answers(url):
        raise RunsError(f"no emulator answers at {url}: start one with `cloud-runs-emulator`")
    for line in _lines(url, given.access_key, given.secret_key):
        print(line)
    return Exit.SUCCEEDED


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # not through a proxy
        try:
            return session.get(f"{url}/_emulator/requests", timeout=5).ok
        except requests.RequestException:
            return False


def _lines(url: str, access_key: str, secret_key: str) -> Iterator[str]:
    """In the order of the settings. A token that is left over from another key would be refused."""
    vendors = dict.fromkeys(kind.vendor for kind in kinds())
    values = dict(_VALUES)
    for vendor in vendors:
        values |= {vendor.id.argument: access_key, vendor.secret.argument: secret_key, vendor.endpoint.argument: url}
    tokens = {vendor.token.argument for vendor in vendors if vendor.token}
    for setting in settings():
        if setting.argument in values:
            yield f"export {setting.environ}={shlex.quote(values[setting.argument])}"
        elif setting.argument in tokens:
            yield f"unset {setting.environ}"
    yield f"export NO_PROXY={shlex.quote(urlsplit(url).hostname or '')}${{NO_PROXY:+,$NO_PROXY}}"
