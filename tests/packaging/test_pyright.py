"""The type checker of editors finds what is misspelt in a program, and its language server shows what a class does.

`make pyright` installs it into `.venv/pyright`; without that this is skipped.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.test_packaging import LOOKING, PROGRAM
from tests.support.stack import ROOT
from tools.docs import RESOURCES

CHECKER = ROOT / ".venv" / "pyright"
MISTAKES = {'"failed"': '"faild"', '"why"': '"whi"', '"duration"': '"durration"', "bucket=": "buckett="}
STRICT = {
    "typeCheckingMode": "standard",
    "reportUnnecessaryComparison": "error",
    "reportTypedDictNotRequiredAccess": "none",
    "extraPaths": [str(ROOT / "provider")],
}

pytestmark = pytest.mark.skipif(not CHECKER.exists(), reason="make pyright installs it")


def errors(folder: Path, source: str) -> list[str]:
    """What is said of a program, with its line."""
    (folder / "pyrightconfig.json").write_text(json.dumps(STRICT))
    file = folder / "program.py"
    file.write_text(source)
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(CHECKER)}, capture_output=True, text=True, check=False
    )
    told: dict[str, Any] = json.loads(done.stdout)
    lines = source.splitlines()
    return [
        f"{one['message']} | {lines[one['range']['start']['line']]}"
        for one in told["generalDiagnostics"]
        if one["severity"] == "error"
    ]


class Server:
    """The language server, as an editor talks to it. https://microsoft.github.io/language-server-protocol/"""

    def __init__(self, folder: Path) -> None:
        start = "import sys; sys.argv[1:] = ['--stdio']; from basedpyright.langserver import main; main()"
        env = os.environ | {"PYTHONPATH": str(CHECKER)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", start], cwd=folder, env=env, stdin=pipe, stdout=pipe)
        self.folder, self._id = folder.as_uri(), 0

    def send(self, **message: Any) -> None:
        assert self.process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def told(self) -> dict[str, Any]:
        assert self.process.stdout
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "it has ended"
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def ask(self, method: str, **params: Any) -> Any:
        self._id += 1
        self.send(id=self._id, method=method, params=params)
        while True:
            message = self.told()
            if message.get("id") == self._id and "method" not in message:
                return message.get("result")
            if "id" in message and "method" in message:  # it asks for settings
                self.send(id=message["id"], result=[{}] if message["method"] == "workspace/configuration" else None)


def hovers(folder: Path, source: str, words: Iterable[str]) -> list[str]:
    """What an editor shows of each word."""
    (folder / "pyrightconfig.json").write_text(json.dumps(STRICT))
    server = Server(folder)
    with server.process:
        server.ask("initialize", processId=None, rootUri=server.folder, capabilities={},
                   workspaceFolders=[{"uri": server.folder, "name": "program"}])  # fmt: skip
        server.send(method="initialized", params={})
        document = {"uri": f"{server.folder}/program.py"}
        opened = {**document, "languageId": "python", "version": 1, "text": source}
        server.send(method="textDocument/didOpen", params={"textDocument": opened})
        lines = source.splitlines()
        found = []
        for word in words:
            (line,) = [number for number, text in enumerate(lines) if word in text]
            position = {"line": line, "character": lines[line].index(word) + len(word) - 1}
            found.append(server.ask("textDocument/hover", textDocument=document, position=position))
        server.process.kill()
    return [one["contents"]["value"] if one else "" for one in found]


def test_an_editor_shows_what_a_class_does(tmp_path: Path) -> None:
    """Where it is named, and where it is called, which shows the text of its constructor."""
    source = "\n".join(f"called_{number} = {name}()\nnamed_{number} = {name}" for number, name in enumerate(RESOURCES))
    source = f"from cloud_runs import Completion, Provider, enos, huawei, tencent\n{source}\n"
    words = [f"{kind}_{number} = {name}" for number, name in enumerate(RESOURCES) for kind in ("called", "named")]
    called_and_named = hovers(tmp_path, source, words)
    for (name, cls), called, named in zip(
        RESOURCES.items(), called_and_named[::2], called_and_named[1::2], strict=True
    ):
        own = inspect.getdoc(cls) or ""
        first = (inspect.getdoc(cls.__init__) or "").splitlines()[0]
        assert re.match(r"(Fires|Starts|Runs|Holds|Credentials)\b", first), name
        assert first in called, name
        assert own.splitlines()[0] in named, name


def test_a_right_program_has_no_error(tmp_path: Path) -> None:
    assert errors(tmp_path, PROGRAM.read_text() + LOOKING) == []


@pytest.mark.parametrize("right", MISTAKES)
def test_what_is_misspelt_is_found(tmp_path: Path, right: str) -> None:
    source = PROGRAM.read_text() + LOOKING
    assert right in source
    found = errors(tmp_path, source.replace(right, MISTAKES[right]))
    assert any(MISTAKES[right].strip('"=') in one for one in found), found
