"""A store that speaks S3's protocol: the address of docs/teams.md leads there, with the bucket in the path."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.sockets import Service, answer

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]


def test_requests_go_to_the_store_that_the_address_names(tmp_path: Path) -> None:
    (address,) = re.findall(r"`(s3://\S+)`", (ROOT / "docs/teams.md").read_text())
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PULUMI_HOME": str(tmp_path),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    with Service(answer(403)) as store:
        region, endpoint = address.replace("...", "eu-1", 1), f"http://{store.address}"
        login = ["pulumi", "login", region.replace("...", endpoint), "--non-interactive"]
        done = subprocess.run(login, env=env | keys, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0, "it refuses everybody"
        assert store.received
        for request in store.received:
            assert re.match(rb"[A-Z]+ /bucket[/?]", request)
            assert b"Credential=key/" in request
