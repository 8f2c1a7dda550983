"""The code fits in the head: ruff counts branches (pyproject.toml), this counts lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "provider").rglob("*.py"))
LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 40
"""Without its docstring, and without its parameters: a constructor's are its public arguments, a line each."""


def functions(file: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield node


def length(function: ast.FunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_files_and_functions_are_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    long = {function.name: length(function) for function in functions(file) if length(function) > LINES_OF_A_FUNCTION}
    assert (lines <= LINES_OF_A_FILE, long) == (True, {}), lines


def test_lengths_are_counted() -> None:
    assert FILES
    source = 'def f(a):\n    """Says."""\n    b = a\n    return (\n        b\n    )\n'
    (function,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    assert length(function) == 4
