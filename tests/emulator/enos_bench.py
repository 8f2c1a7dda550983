"""The emulator with the digests of EnOS's API gateway."""

from __future__ import annotations

import json
from typing import Any

from emulator_bench import START, Bench, Reply

from cloud_runs_emulator.enos.signing import encryption, signature
from cloud_runs_emulator.keys import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY
from cloud_runs_emulator.systems import Request

FLOW = 3377
TOKEN_GET, TOKEN_REFRESH = "/apim-token-service/v2.0/token/get", "/apim-token-service/v2.0/token/refresh"
FLOWS = "/dataflow-batch-service/v2.0/flows"
INSTANCES = "/dataflow-batch-service/v2.0/flowInstances"
TIME = "/dataflow-batch-service/v2.0/time"
WHO = {"userId": "alice", "orgId": "o15"}
NOW_MS = int(START * 1000)
MINUTE = 60_000
NOW_ID = f"{FLOW}-20220809065400"


class EnosBench(Bench):
    """One emulator, and the calls of the token and the flow service."""

    host = "apigw.example.com"
    system = "enos.flow"
    keys = (DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)
    access_token = ""
    last_stamp = 0

    def sign(self, request: Request, headers: dict[str, str]) -> None:
        """Add the given headers and those of a signature that are not given; there is a token after the first call."""
        if request.path.startswith("/apim-token-service/"):
            request.headers += headers.items()
            return
        if not self.access_token:
            self.access_token = self.token()
        stamp = headers.get("apim-timestamp", str(int(self.now * 1000)))
        base = {
            "apim-accesstoken": self.access_token,
            "apim-timestamp": stamp,
            "apim-signature": signature(self.access_token, request.query, request.body, stamp, self.keys[1]),
        }
        request.headers += {**base, **headers}.items()

    def token_call(self, path: str = TOKEN_GET, **change: object) -> Reply:
        """A token request; `change` replaces fields of its body."""
        # A digest is good only once, and the clock of a test stands still.
        stamp = self.last_stamp = max(int(self.now * 1000), self.last_stamp + 1)
        fields = {"appKey": self.keys[0], "encryption": encryption(self.keys[0], stamp, self.keys[1])}
        return self.call("POST", path, body=json.dumps({**fields, "timestamp": stamp, **change}))

    def token(self) -> str:
        """The access token."""
        return str(self.token_call().json["data"]["accessToken"])

    def post(self, path: str, action: str, value: object, **more: Any) -> Reply:
        """A call with a JSON body."""
        return self.call("POST", path, {"action": action, **WHO}, json.dumps(value), **more)

    def trigger(self, trigger_ms: int = NOW_MS, flow: int = FLOW, **more: Any) -> Reply:
        """Trigger a flow."""
        return self.post(FLOWS, "trigger", {"flowId": flow, "triggerTime": trigger_ms}, **more)

    def start(self, trigger_ms: int = NOW_MS, flow: int = FLOW, **more: Any) -> str:  # type: ignore[override]
        """Trigger a flow; the id of the instance."""
        return str(self.data(self.trigger(trigger_ms, flow, **more))["flowInstanceId"])

    def look(self, run: str, who: dict[str, str] = WHO) -> Reply:
        """Look at an instance."""
        return self.call("GET", INSTANCES, {"action": "get", "flowInstId": run, **who})

    def state(self, run: str) -> tuple[int, str]:
        """Number and word of an instance's state."""
        data = self.data(self.look(run))
        return data["status"], data["statusDesc"]

    def search(self, **change: object) -> Reply:
        """List manual instances of any time; `change` replaces fields of the body."""
        body = {
            "type": 0,
            "expression": "",
            "owner": "",
            "fromTriggerTime": 0,
            "toTriggerTime": NOW_MS * 2,
            "status": "",
            "pagination": {"pageNo": 0, "pageSize": 100},
        }
        return self.post(INSTANCES, "search", {**body, **change})

    def found(self, **change: object) -> list[str]:
        """The ids of a list."""
        return [row["instanceId"] for row in self.data(self.search(**change))["flowInsts"]]

    def cancel(self, run: str) -> Reply:
        """Cancel an instance."""
        return self.post(INSTANCES, "cancel", {"flowInstId": run})

    def data(self, reply: Reply) -> Any:
        """What a successful answer carries."""
        assert (reply.status, reply.json["status"]) == (200, 0), reply.body
        return reply.json["data"]


def code(reply: Reply) -> int:
    """The number of an error in a 200 answer."""
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json["status"] != 0
    assert reply.json["msg"]
    return int(reply.json["status"])
