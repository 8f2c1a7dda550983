"""What a wait for many runs costs a service, with the real client against the emulator."""

from __future__ import annotations

from cloud_runs.promise.waiting import Watch
from cloud_runs.runs import Reference
from cloud_runs.tencent.client import WorkflowClient, WorkflowRequest
from cloud_runs.wire.settings import Credentials
from tests.support.clients import GO, hasty
from tests.support.emulator import SECRET_ID, SECRET_KEY, Emulator

CI, REGION, BUCKET = "tencent.workflow", "ap-beijing", "media-1250000000"


def test_a_round_for_a_thousand_runs_takes_their_pages_and_a_look_at_each_that_ended(cloud: Emulator) -> None:
    client = WorkflowClient(
        hasty(), Credentials(SECRET_ID, SECRET_KEY), region=REGION, bucket=BUCKET, endpoint=cloud.url
    )
    runs = [
        Reference(CI, REGION, BUCKET, client.start(WorkflowRequest("w" + "1" * 32, f"{n}.mp4"), GO).id)
        for n in range(1000)
    ]
    watch, left = Watch(runs), list(runs)
    for ending in (0, 0, 1, 250, 0, 700, 49):
        now, left = left[:ending], left[ending:]
        for run in now:
            cloud.set_state(run.id, "Success")
        before = {what: cloud.count(CI, what) for what in ("find", "get")}
        watch.look(lambda places: {place: client.get_many(ids) for place, ids in places.items()}, 0)
        took = {what: cloud.count(CI, what) - count for what, count in before.items()}
        assert watch.open == left
        assert took["find"] + took["get"] - ending <= 12, took
        assert took["get"] >= ending
    assert watch.tally == (1000, 0, 0)
    assert cloud.count(CI, "start") == 1000
