"""The kinds as the tests know them: a file each, and a line here."""

from __future__ import annotations

from cloud_runs import accounts
from tests.kits.enos_flow import FLOW
from tests.kits.huawei_dwr import HUAWEI_DWR
from tests.kits.huawei_workflow import HUAWEI
from tests.kits.kit import Kit
from tests.kits.tencent_inventory import INVENTORY
from tests.kits.tencent_workflow import WORKFLOW

KITS: dict[str, Kit] = {
    kit.name: kit
    for kit in (
        WORKFLOW,
        INVENTORY,
        HUAWEI,
        HUAWEI_DWR,
        FLOW,
    )
}
"""By the names of the kinds, which come in the same order."""
FANS: dict[str, Kit] = {name: kit for name, kit in KITS.items() if kit.fan_out}
"""Those that can be fanned out."""
RESUMING: dict[str, Kit] = {name: kit for name, kit in KITS.items() if kit.resume}
"""Those whose runs can go on after they have failed."""
IMPORT = f"from cloud_runs import Completion, Provider, {', '.join(sorted({kit.room for kit in KITS.values()}))}\n"
"""For programs."""
PREFIXES = tuple(sorted({setting.environ.partition("_")[0] + "_" for setting in accounts.settings()}))
"""Of the environment's variables that the package reads."""


def settings(url: str) -> dict[str, str]:
    """The configuration of a stack whose services are all at one URL."""
    return {key: value for kit in KITS.values() for key, value in kit.settings(url).items()}
