"""What a script would do: Tencent's own SDK in a pool of threads. Keeps no record of what it started."""

import sys
from concurrent.futures import ThreadPoolExecutor

from qcloud_cos import CosConfig, CosS3Client

endpoint, n, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
config = CosConfig(
    Region="ap-beijing",
    SecretId="AKIDEMULATOR00000000000000000000001",
    SecretKey="this-is-not-a-secret-emulator-only",
    Scheme="http",
    Proxies={"http": endpoint},
    PoolConnections=threads,
    PoolMaxSize=threads,
)
client = CosS3Client(config)


def trigger(key):
    answer = client.ci_trigger_workflow(
        Bucket="media-1250000000", WorkflowId="we59a9648e62e48ffb25e4b41f3721799", Key=key
    )
    return answer["InstanceId"]


with ThreadPoolExecutor(threads) as pool:
    ids = list(pool.map(trigger, [f"videos/{number:05}.mp4" for number in range(n)]))
print(*ids, sep="\n")
