"""The same calls for each system, for tests of faults that all systems have."""

from __future__ import annotations

from typing import Any

import dwr_bench
from dwr_bench import DwrBench
from emulator_bench import ORDER, WORKFLOW, Bench, Reply
from enos_bench import INSTANCES, WHO, EnosBench
from huawei_bench import BODY, EXECUTIONS, GRAPH, HuaweiBench

Page = tuple[list[str], str]


class Cloud:
    """One system of a fresh emulator. Each start asks for a run of its own, with another id."""

    system: str
    bench: Bench
    invalid: str
    """The vendor's code for a request that is wrong."""

    def __init__(self) -> None:
        self.starts = 0

    def fault(self, action: str, operation: str = "start", **more: object) -> None:
        """Order a fault for this system."""
        self.bench.fault(action, operation, self.system, **more)

    def runs(self) -> list[dict[str, Any]]:
        """What the emulator has of this system, without the executions of inventory jobs."""
        return [row for row in self.bench.admin("runs").json if row["system"] == self.system]

    def ids(self) -> list[str]:
        """The ids of these, oldest first."""
        return [row["id"] for row in self.runs()]

    def count(self, operation: str) -> int:
        """How many requests were counted."""
        return int(self.bench.admin("requests").json[self.system][operation])

    def start(self) -> Reply:
        """Start a run."""
        raise NotImplementedError

    def id_in(self, reply: Reply) -> str:
        """The id in the answer to a start."""
        raise NotImplementedError

    def look(self, run_id: str) -> Reply:
        """Look at a run."""
        raise NotImplementedError

    def knows(self, run_id: str) -> bool:
        """Whether a look tells of the run, under its id."""
        raise NotImplementedError

    def find(self, marker: str = "") -> Reply:
        """One page of the list, of up to 2 rows; without a marker the first one."""
        raise NotImplementedError

    def page(self, reply: Reply) -> Page:
        """The ids on a page, and the marker of the next one, empty for none."""
        raise NotImplementedError

    def error(self, reply: Reply) -> tuple[str, str]:
        """Code and message of an error in a 200 answer."""
        raise NotImplementedError


class TencentWorkflow(Cloud):
    system = "tencent.workflow"
    invalid = "InvalidArgument"

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()

    def start(self) -> Reply:
        self.starts += 1
        return self.bench.call("POST", "/triggerworkflow", {"workflowId": WORKFLOW, "object": f"{self.starts}.mp4"})

    def id_in(self, reply: Reply) -> str:
        return reply.text("InstanceId") or ""

    def look(self, run_id: str) -> Reply:
        return self.bench.call("GET", f"/workflowexecution/{run_id}")

    def knows(self, run_id: str) -> bool:
        return self.look(run_id).text("WorkflowExecution/RunId") == run_id

    def find(self, marker: str = "") -> Reply:
        query = {"workflowId": WORKFLOW, "size": "2", "nextToken": marker}
        return self.bench.call("GET", "/workflowexecution", query)

    def page(self, reply: Reply) -> Page:
        return reply.texts("WorkflowExecutionList/RunId"), reply.text("NextToken") or ""

    def error(self, reply: Reply) -> tuple[str, str]:
        assert reply.xml.tag == "Response"
        assert [child.tag for child in reply.xml] == ["Code", "Message"]
        return reply.text("Code") or "", reply.text("Message") or ""


class TencentInventory(TencentWorkflow):
    system = "tencent.inventory"

    def start(self) -> Reply:
        return self.bench.call("POST", "/inventorytriggerjob", body=ORDER)

    def id_in(self, reply: Reply) -> str:
        return reply.text("JobsDetail/JobId") or ""

    def look(self, run_id: str) -> Reply:
        return self.bench.call("GET", f"/inventorytriggerjob/{run_id}")

    def knows(self, run_id: str) -> bool:
        return self.look(run_id).text("JobsDetail/JobId") == run_id

    def find(self, marker: str = "") -> Reply:
        return self.bench.call("GET", "/inventorytriggerjob", {"size": "2", "nextToken": marker})

    def page(self, reply: Reply) -> Page:
        return reply.texts("JobsDetail/JobId"), reply.text("NextToken") or ""


class HuaweiWorkflow(Cloud):
    system = "huawei.workflow"
    invalid = "SYS.0010"

    def __init__(self) -> None:
        super().__init__()
        self.bench = HuaweiBench()

    def start(self) -> Reply:
        return self.bench.call("POST", f"/v2/workflows/{GRAPH}", body=BODY)

    def id_in(self, reply: Reply) -> str:
        return str(reply.json["execution_name"])

    def look(self, run_id: str) -> Reply:
        return self.bench.call("GET", f"{EXECUTIONS}/{run_id}", {"x-workflow-graph-name": GRAPH})

    def knows(self, run_id: str) -> bool:
        info = self.look(run_id).json["execution_info"]
        return bool(info["execution_name"] == run_id and f":{run_id}:" in info["execution_urn"])

    def find(self, marker: str = "") -> Reply:
        query = {"x-workflow-graph-name": GRAPH, "x-workflow-limit": "2", "x-workflow-next-marker": marker}
        return self.bench.call("GET", EXECUTIONS, query)

    def page(self, reply: Reply) -> Page:
        page = reply.json
        assert page["is_truncated"] == ("next_marker" in page)
        return [row["execution_name"] for row in page["executions"]], page.get("next_marker", "")

    def error(self, reply: Reply) -> tuple[str, str]:
        assert set(reply.json) == {"code", "message", "request_id"}
        assert reply.headers["content-type"] == "application/json"
        return reply.json["code"], reply.json["message"]


class HuaweiDwr(Cloud):
    system = "huawei.dwr"
    invalid = "SYS.0010"

    def __init__(self) -> None:
        super().__init__()
        self.bench = self.dwr = DwrBench()

    def start(self) -> Reply:
        return self.bench.call(*dwr_bench.START_CALL)

    def id_in(self, reply: Reply) -> str:
        return str(reply.json["execution_name"])

    def look(self, run_id: str) -> Reply:
        return self.dwr.look(run_id)

    def knows(self, run_id: str) -> bool:
        return bool(self.look(run_id).json["execution_id"] == run_id)

    def find(self, marker: str = "") -> Reply:
        query = {"graph_name": dwr_bench.GRAPH, "limit": "2", "offset": marker}
        return self.bench.call("GET", dwr_bench.LIST, query)

    def page(self, reply: Reply) -> Page:
        page = reply.json
        assert page["is_truncated"] == ("next_offset" in page)
        offset = page.get("next_offset")
        return [row["execution_name"] for row in page["executions"]], f"{offset:04}" if offset else ""

    def error(self, reply: Reply) -> tuple[str, str]:
        assert set(reply.json) == {"error_code", "error_msg", "request_id"}
        return reply.json["error_code"], reply.json["error_msg"]


class EnosFlow(Cloud):
    """Each start is of another flow, as an instance's id is flow and minute. A marker is the number of a page."""

    system = "enos.flow"
    invalid = "62102"

    def __init__(self) -> None:
        super().__init__()
        self.bench = self.enos = EnosBench()
        self.enos.access_token = self.enos.token()

    def start(self) -> Reply:
        self.starts += 1
        return self.enos.trigger(flow=self.starts)

    def id_in(self, reply: Reply) -> str:
        return str(self.enos.data(reply)["flowInstanceId"])

    def look(self, run_id: str) -> Reply:
        return self.bench.call("GET", INSTANCES, {"action": "get", "flowInstId": run_id, **WHO})

    def knows(self, run_id: str) -> bool:
        return bool(self.enos.data(self.look(run_id))["instanceId"] == run_id)

    def find(self, marker: str = "") -> Reply:
        self.number = int(marker or 0)
        return self.enos.search(pagination={"pageNo": self.number, "pageSize": 2})

    def page(self, reply: Reply) -> Page:
        data = self.enos.data(reply)
        more = data["count"] > (self.number + 1) * 2
        return [row["instanceId"] for row in data["flowInsts"]], str(self.number + 1) if more else ""

    def error(self, reply: Reply) -> tuple[str, str]:
        return str(reply.json["status"]), reply.json["msg"]


CLOUDS = (TencentWorkflow, TencentInventory, HuaweiWorkflow, HuaweiDwr, EnosFlow)
