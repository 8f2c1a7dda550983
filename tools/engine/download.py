"""Install the official Pulumi release into a folder: `download.py FOLDER VERSION`. find.py runs this as a child.

The SDK's installer has no time limits, and a name look-up cannot be given one: SIGALRM ends this process in either.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from http.client import HTTPException

SITE = "https://get.pulumi.com/install.sh"  # what the SDK's installer fetches first (pulumi/automation/_cmd.py)
PROBE_SECONDS = 5
DOWNLOAD_SECONDS = 600


def main(folder: str, version: str) -> None:
    signal.alarm(PROBE_SECONDS)
    try:
        urllib.request.urlopen(SITE, timeout=3).close()  # like the installer it heeds the proxy settings
    except (OSError, HTTPException) as error:
        sys.exit(f"{SITE} cannot be reached: {error}")

    signal.alarm(DOWNLOAD_SECONDS)
    # Only now: importing the SDK takes longer than all of the above.
    from pulumi.automation import PulumiCommand
    from semver import VersionInfo

    try:
        PulumiCommand.install(root=folder, version=VersionInfo.parse(version))
    except subprocess.CalledProcessError as error:
        sys.exit(f"the installer failed: {error.output.decode(errors='replace').strip()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
