"""What a test runs, read from its source: for tests that hold a page to what other tests run."""

from __future__ import annotations

import ast
import functools
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.stack import ROOT

LEFT_OUT = ("pytest.mark.skip", "pytest.mark.xfail", "pytest.skip")


class Definition(NamedTuple):
    file: Path
    node: ast.stmt


def collected(file: str) -> list[str]:
    """`file::name` of each test that pytest runs. One that is left out where a tool is missing is such a test."""
    body = _tree(ROOT / file).body
    if any("pytestmark" in _names(node) and _says(node, LEFT_OUT) for node in body):
        return []
    tests = [node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [f"{file}::{test.name}" for test in tests if not _says(test, LEFT_OUT)]


def runs(test: str, command: str) -> bool:
    """Whether the words of the command follow each other in the code of the test, or of what it uses: in one text, or
    as texts beside each other, as in a list of arguments. Comments and docstrings do not count."""
    return any(
        said[at : at + len(words)] == words
        for words in (command.split(), shlex.split(command))
        for said in _words(test)
        for at in range(len(said) - len(words) + 1)
    )


@functools.cache
def _words(test: str) -> list[list[str]]:
    """Of each text, and of each row of texts, in the test and in what it uses of its own file and of other tests'."""
    file, _, name = test.partition("::")
    found, seen, waiting = [], set(), _definitions(ROOT / file).get(name, [])
    while waiting:
        one, *waiting = waiting
        if one in seen:
            continue
        seen.add(one)
        for node in _code(one.node):
            row = getattr(node, "args" if isinstance(node, ast.Call) else "elts", [])
            found += [[_text(part) for part in row], _text(node).split()]
            used = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else ""
            waiting = [*waiting, *_definitions(one.file).get(used or "", [])]  # an argument may be a fixture
    return found


@functools.cache
def _definitions(file: Path) -> dict[str, list[Definition]]:
    """By name: what the file defines, and what it imports from the tests."""
    found: dict[str, list[Definition]] = {}
    for node in _tree(file).body:
        for name in _names(node):
            found.setdefault(name, []).append(Definition(file, node))
        if isinstance(node, ast.ImportFrom):
            there = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            for alias in node.names if there.exists() else ():
                found[alias.asname or alias.name] = _definitions(there).get(alias.name, [])
    return found


def _names(node: ast.stmt) -> list[str]:
    """What a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """All but docstrings."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.Expr) and _text(child.value)):
            yield from _code(child)


def _says(node: ast.AST, names: tuple[str, ...]) -> bool:
    return any(ast.unparse(part) in names for part in ast.walk(node) if isinstance(part, ast.Attribute))


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))
