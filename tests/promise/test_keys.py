"""The state's keys are written in one file: a key as text in another could go its own way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import cloud_runs
from cloud_runs.promise import ledger

ROOT = Path(cloud_runs.__file__).parent
KEYS = {value for name, value in vars(ledger).items() if name.isupper() and isinstance(value, str)}

OTHER_FORMATS = {
    "promise/ledger.py": "the one file",
    "promise/ledger_0_1.py": "the bags of 0.1",
    "status/histories.py": "the JSON of `cloud-runs history`, and the backend's",
    "status/report.py": "the JSON of `cloud-runs status`",
    "status/prometheus.py": "labels of metrics",
    "status/page.py": "classes of HTML",
    "lifecycle/outputs.py": "types for checkers, whose words are spelled out",
    "status/options.py": "options of the command line",
}
OTHER_WORDS = {
    ("promise/outcomes.py", "failed"),  # a service's word for a task
    ("promise/outcomes.py", "timeout"),
    ("promise/fanning.py", "refused"),  # of what is shown
    ("status/planned.py", "message"),  # of the engine's events
}


def used(tree: ast.AST) -> Iterator[ast.expr | None]:
    """The expressions that may be keys of a mapping."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            yield node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from node.args[:1] if node.func.attr in ("get", "pop", "setdefault") else ()
        elif isinstance(node, ast.Dict):
            yield from node.keys
        elif isinstance(node, ast.Compare):
            yield from (node.left, *node.comparators)
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            yield from node.elts


def found(file: Path, source: str) -> list[str]:
    name = file.relative_to(ROOT).as_posix()
    constants = [node for node in used(ast.parse(source)) if isinstance(node, ast.Constant)]
    return [
        f"{name}:{node.lineno} {node.value!r}"
        for node in constants
        if node.value in KEYS and (name, node.value) not in OTHER_WORDS
    ]


def test_no_other_file_has_a_key_as_text() -> None:
    files = [
        ROOT / "kinds.py",
        *(file for room in ("promise", "lifecycle", "status") for file in (ROOT / room).glob("*.py")),
    ]
    here = [file for file in files if file.relative_to(ROOT).as_posix() not in OTHER_FORMATS]
    assert [one for file in here for one in found(file, file.read_text())] == []


def test_a_key_as_text_is_seen() -> None:
    file = ROOT / "lifecycle/run.py"
    for source in ('x["phase"]', 'x.get("adopt_id")', '{"fired": 1}', '"instance_ids" in x', '("history",)'):
        assert found(file, source), source
    assert not found(file, 'say("phase")')
