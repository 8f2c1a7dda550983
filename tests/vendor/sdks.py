"""The vendors' SDKs, set up to reach a server on loopback. Nothing of them is changed or replaced."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdwr.v3 import DwrClient
from obs.workflow import WorkflowClient
from qcloud_cos import CosConfig, CosS3Client

from tests.support.emulator import SECRET_ID, SECRET_KEY

BUCKET = "media-1250000000"
REGION = "ap-beijing"
HUAWEI_REGION = "cn-north-4"
GRAPH = "demo-graph_1"
DWR_PROJECT = "0123456789abcdef0123456789abcdef"


def tencent(
    proxy: str, id: str = SECRET_ID, secret: str = SECRET_KEY, token: str | None = None, retry: int = 0
) -> CosS3Client:
    """`proxy` is a server that takes the requests for the vendor's host, which keeps its name."""
    config = CosConfig(
        Region=REGION, SecretId=id, SecretKey=secret, Token=token, Scheme="http", Proxies={"http": proxy}
    )
    return CosS3Client(config, retry=retry)


def huawei(
    server: str,
    id: str = SECRET_ID,
    secret: str = SECRET_KEY,
    token: str | None = None,
    tunnel: str = "",
    retry: int = 0,
) -> Any:
    """`tunnel` is a proxy that answers CONNECT; the SDK uses it for http too.

    It is ONE object for the whole process: another one made later changes the keys and server of the first.
    """
    proxy = urlsplit(tunnel)
    return WorkflowClient(
        access_key_id=id,
        secret_access_key=secret,
        security_token=token,
        server=server,
        is_secure=False,
        proxy_host=proxy.hostname,
        proxy_port=proxy.port,
        max_retry_count=retry,
    )


def dwr_of_a_region(host: str, iam: str, region: str, token: str | None = None) -> DwrClient:
    """No project is given, so the SDK asks IAM for that of the region when it is made."""
    keys = BasicCredentials(SECRET_ID, SECRET_KEY).with_iam_endpoint(iam)
    if token:
        keys = keys.with_security_token(token)
    built: DwrClient = DwrClient.new_builder().with_credentials(keys).with_region(Region(region, host)).build()
    return built


def dwr(server: str, id: str = SECRET_ID, secret: str = SECRET_KEY, token: str | None = None) -> DwrClient:
    """The project is given, so the SDK asks IAM for none."""
    keys = BasicCredentials(id, secret, DWR_PROJECT)
    if token:
        keys = keys.with_security_token(token)
    built: DwrClient = DwrClient.new_builder().with_credentials(keys).with_endpoints([server]).build()
    return built
