"""Writes docs/resources/: one page a resource, from docstrings, signatures and the examples in docs/examples/.

`python -m tools.docs` writes the pages, `python -m tools.docs --check` fails if one of them is not what it would write.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import itertools
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cloud_runs import Completion, Provider, enos, huawei, tencent
from cloud_runs.lifecycle import durations, fan_out, run

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "resources"
EXAMPLES = ROOT / "docs" / "examples"
RESOURCES: dict[str, type[Any]] = {
    "tencent.WorkflowRun": tencent.WorkflowRun,
    "tencent.InventoryJob": tencent.InventoryJob,
    "tencent.WorkflowFanOut": tencent.WorkflowFanOut,
    "huawei.WorkflowRun": huawei.WorkflowRun,
    "huawei.WorkflowFanOut": huawei.WorkflowFanOut,
    "huawei.dwr.WorkflowRun": huawei.dwr.WorkflowRun,
    "huawei.dwr.WorkflowFanOut": huawei.dwr.WorkflowFanOut,
    "enos.FlowRun": enos.FlowRun,
    "Completion": Completion,
    "Provider": Provider,
}
FAMILY = (run.Run, fan_out.FanOut)
MORE = {"huawei": "[The product's status, and what else is special about Huawei](../huawei.md).",
        "enos": "[One run of a flow a minute, and what else is special about EnOS](../enos.md)."}  # fmt: skip
NESTED = {"InventoryInputArgs": tencent.InventoryInputArgs, "TimeIntervalArgs": tencent.TimeIntervalArgs}
MADE = "<!-- Made by tools/docs.py from the package's docstrings. Change those, then `make docs`. -->\n"


class Described(NamedTuple):
    """Names that share a text. The text of what nobody described is empty."""

    names: tuple[str, ...]
    text: str


# -- reading


def tree(thing: Any) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]


def documentation(cls: type[Any]) -> tuple[str, list[str]]:
    """What the class says of itself, and the points under `Never:`."""
    said, _, never = (inspect.getdoc(cls) or "").partition("\n\nNever:\n")
    points = re.split(r"^- ", textwrap.dedent(never), flags=re.MULTILINE)
    return said, [" ".join(point.split()) for point in points if point.strip()]


def parameters(cls: type[Any]) -> tuple[list[Described], str]:
    """Of the constructor, in the order of its signature; one without text belongs to the one before it."""
    text = inspect.getdoc(cls.__init__) or ""
    parts = re.split(r"^:param (\w+): ", text, flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    last, _, rest = told[parts[-2]].partition("\n:raises ")
    last, _, rest = (last, "", f"Raises {rest}") if rest else last.partition("\n\n")
    told[parts[-2]] = last
    groups: list[Described] = []
    names = [name for name in inspect.signature(cls.__init__).parameters if name != "self"]
    for name in names:
        if name in told:
            groups.append(Described((name,), " ".join(told.pop(name).split())))
        else:
            groups[-1] = groups[-1]._replace(names=(*groups[-1].names, name))
    assert not told, f"{cls.__name__}: no such argument: {', '.join(told)}"
    return groups, re.sub(r"^Raises (\w+): ", r"Raises `\1`: ", " ".join(rest.split()))


def attributes(cls: type[Any], arguments: set[str]) -> Iterator[Described]:
    """Outputs that a class itself declares. Names that follow each other share the text after the last of them."""
    names: tuple[str, ...] = ()
    for node in tree(cls).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Subscript()) if not name.startswith("_"):
                if ast.unparse(node.annotation).startswith("pulumi.Output"):
                    names = (*(other for other in names if other not in arguments), name)
            case ast.Expr(value=ast.Constant(value=str(text))) if names:
                yield Described(names, " ".join(text.split()))
                names = ()
            case ast.FunctionDef(name=name, decorator_list=[ast.Name(id="property")]):
                yield Described((name,), " ".join((ast.get_docstring(node) or "").split()))
    left = [name for name in names if name not in arguments]
    assert not left, f"{cls.__name__}: nothing is said of {', '.join(left)}"


# -- types


def spelled(annotation: str) -> str:
    """A type as a user thinks of it: without `pulumi.Input`, and without None, which only says "need not be given"."""
    return ast.unparse(Plain().visit(ast.parse(annotation, mode="eval"))).replace("'", '"')


class Plain(ast.NodeTransformer):
    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        if ast.unparse(node.value) in ("pulumi.Input", "pulumi.Output"):
            return node.slice
        if ast.unparse(node.value) == "Literal":
            choices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return ast.parse(" | ".join(map(ast.unparse, choices)), mode="eval").body
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        return node.left if ast.unparse(node.right) == "None" else node

    def visit_Name(self, node: ast.Name) -> Any:
        found = names().get(node.id)
        return self.visit(copy.deepcopy(found)) if found else node


@functools.cache
def names() -> dict[str, ast.expr]:
    """What the modules whose names stand for types assign to them; of two with one name, the first."""
    lines = [line for module in (run, durations) for line in ast.parse(inspect.getsource(module)).body]
    return {ast.unparse(line.targets[0]): line.value for line in reversed(lines) if isinstance(line, ast.Assign)}


# -- writing


def page(name: str, cls: type[Any]) -> str:
    said, never = documentation(cls)
    family = next((base for base in FAMILY if issubclass(cls, base)), None)
    if family:
        never += documentation(family)[1]
    room = name.partition(".")[0]
    parts = [f"{MADE}\n# {name}", said, *([MORE[room]] if room in MORE else []), "## Example", example(name)]
    parts += ["## What it sends", (EXAMPLES / f"{name}.sends.md").read_text().strip()]
    groups, raises = parameters(cls)
    parts += ["## Arguments", "\n".join(argument(cls, group) for group in groups), *([raises] if raises else [])]
    parts += outputs(cls, family, {name for group in groups for name in group.names})
    if never:
        parts += ["## What it never does", bullets(never)]
    if family is run.Run:
        get = inspect.signature(cls.get)
        taken = ", ".join(f"`{parameter}`" for parameter in get.parameters)
        parts += ["## `get`", wrapped(f"{inspect.getdoc(cls.get)} Takes {taken}.")]
    return "\n\n".join(parts) + "\n"


def example(name: str) -> str:
    return f"```python\n{(EXAMPLES / f'{name}.py').read_text().strip()}\n```"


def argument(cls: type[Any], group: Described) -> str:
    signature = inspect.signature(cls.__init__).parameters
    described = []
    for name in group.names:
        given = signature[name]
        kind = spelled(str(given.annotation))
        required = given.default is inspect.Parameter.empty
        default = "required" if required else f"default `{given.default!r}`" if given.default is not None else ""
        described.append(f"`{name}` ({', '.join(filter(None, (f'`{kind}`', default.replace(chr(39), chr(34)))))})")
    lines = [wrapped(f"{', '.join(described)}: {group.text}", "- ")]
    kind = spelled(str(signature[group.names[0]].annotation))
    if kind in NESTED:
        members = attributes_of_dict(NESTED[kind])
        lines += [wrapped(f"`{member}`: {text}", "  - ") for member, text in members]
    return "\n".join(lines)


def attributes_of_dict(cls: type[Any]) -> Iterator[tuple[str, str]]:
    body = tree(cls).body
    for node, after in itertools.pairwise(body):
        if isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), after.value.value


def outputs(cls: type[Any], family: type[Any] | None, arguments: set[str]) -> list[str]:
    """The section, if there are any."""
    own = [*attributes(cls, arguments), *(attributes(family, set()) if family else ())]
    if not own:
        return []
    texts = [f"{', '.join(f'`{name}`' for name in group.names)}: {group.text}" for group in own]
    lines = bullets(["`id`: The id that the system gave to the run.", *texts] if family is run.Run else texts)
    given = [ast.unparse(node.target) for node in tree(cls).body if isinstance(node, ast.AnnAssign)]
    given = [name for name in given if name in arguments and not any(name in group.names for group in own)]
    as_given = [wrapped(f"Also, as they were given: {', '.join(f'`{name}`' for name in given)}.")] if given else []
    return ["## Outputs", lines, *as_given]


def bullets(texts: list[str]) -> str:
    return "\n".join(wrapped(text, "- ") for text in texts)


def wrapped(text: str, mark: str = "") -> str:
    indent = " " * len(mark)
    return textwrap.fill(
        " ".join(text.split()),
        120,
        initial_indent=mark,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def index() -> str:
    rows = []
    for name, cls in RESOURCES.items():
        first = " ".join(documentation(cls)[0].split("\n\n")[0].split()).split("; ")[0].rstrip(".")
        rows.append(f"| [{name}]({name}.md) | {first.replace('|', '/')} |")
    table = "\n".join(["| resource | what it is |", "|---|---|", *rows])
    return f"{MADE}\n# Resources\n\n{table}\n"


def pages() -> dict[Path, str]:
    return {FOLDER / "README.md": index()} | {FOLDER / f"{name}.md": page(name, cls) for name, cls in RESOURCES.items()}


def main(arguments: list[str]) -> int:
    """The exit status."""
    made = pages()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    stale += [path for path in FOLDER.glob("*.md") if path not in made]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what its docstrings say: make docs", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path in stale:
        if path in made:
            path.write_text(made[path])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
