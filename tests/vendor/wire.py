"""A recorded request as fields, and in which of them two requests differ. Nothing is left out but what is said here.

The order of headers and the case of their names are not compared: HTTP gives them no meaning. A version number in
User-Agent is not either.
"""

from __future__ import annotations

import json
import re

from tests.vendor.recorder import Recorded

NOT_SENT = "not sent"
ESCAPED, MACHINE = "ASCII alone", "the machine alone"
_DECLARATION = re.compile(r"(<\?xml[^>]*\?>)\n?")
_GATEWAY = re.compile(r"SDK-HMAC-SHA256 Access=(.*), SignedHeaders=(.*), Signature=(.*)")
SIGNATURE, LONG_SIGNATURE = "40 hex digits", "64 hex digits"
_SIGNATURES = {
    "Authorization q-signature": ("[0-9a-f]{40}", SIGNATURE),
    "Authorization Signature": ("[0-9a-f]{64}", LONG_SIGNATURE),
}


def differing(ours: Recorded, theirs: Recorded) -> dict[str, tuple[str, str]]:
    """Each field that is not the same, with its text on both sides."""
    a, b = fields(ours), fields(theirs)
    found = {
        name: (a.get(name, NOT_SENT), b.get(name, NOT_SENT)) for name in sorted({*a, *b}) if a.get(name) != b.get(name)
    }
    for what, names in (("query", query), ("body", _keys)):
        first, second = names(ours), names(theirs)
        both = set(first) & set(second)
        orders = tuple(", ".join(name for name in side if name in both) for side in (first, second))
        if orders[0] != orders[1]:
            found[f"order of {what}"] = orders
    for name in ("Authorization q-sign-time", "Authorization q-key-time"):
        if name in found:
            found[name] = (lasting(a[name]), lasting(b[name]))
    for signature, (digits, shown) in _SIGNATURES.items():
        if signature in found and all(re.fullmatch(digits, value) for value in found[signature]):
            found[signature] = (shown, shown)  # the digits change from second to second
    return found


def lasting(times: str) -> str:
    """How long a signature of CI is good; when it begins is the same on both sides."""
    start, end = map(int, times.split(";"))
    return f"{end - start} s"


def fields(request: Recorded) -> dict[str, str]:
    """Texts as on the wire, nothing decoded."""
    names = [name.lower() for name, _ in request.headers]
    assert len(set(names)) == len(names), f"a header is sent twice: {names}"
    found = {"version": request.version, "method": request.method, "path": request.target.partition("?")[0]}
    found |= {f"query {name}": value for name, value in query(request).items()}
    for name, value in request.headers:
        key = name.title()
        if key == "Authorization" and value.startswith("q-sign-algorithm="):
            found |= {f"Authorization {part}": text for part, _, text in (p.partition("=") for p in value.split("&"))}
        elif gateway := _GATEWAY.fullmatch(value):
            found |= dict(zip(("Authorization Access", "Authorization SignedHeaders"), gateway.groups(), strict=False))
            found["Authorization Signature"] = gateway[3]
        elif key == "User-Agent":
            named = re.sub(r"(; )?\bos/.*", "", value)  # what machine it is
            found[key] = re.sub(r"\d+(\.\d+)+", "<version>", named) or MACHINE
        else:
            found[key] = value
    return found | _body(request.body.decode())


def query(request: Recorded) -> dict[str, str]:
    """Names and values in their order; a value has its `=`, so that a bare name and an empty value are not the same."""
    pairs = [part.partition("=") for part in request.target.partition("?")[2].split("&") if part]
    assert len({name for name, _, _ in pairs}) == len(pairs), f"a name is there twice: {pairs}"
    return {name: equals + value for name, equals, value in pairs}


def _body(text: str) -> dict[str, str]:
    """XML: the declaration and the rest as it is. JSON: each key, and the whole if it is not in json.dumps's form."""
    if text.startswith("<"):
        declared = _DECLARATION.match(text)
        found = {"body declaration": declared[1]} if declared else {}
        return {**found, "body": text[declared.end() if declared else 0 :]}
    if text.startswith("{"):
        content = json.loads(text)
        found = {f"body {name}": json.dumps(value, ensure_ascii=False) for name, value in content.items()}
        if text == json.dumps(content, ensure_ascii=False):
            return found
        return {**found, "body form": ESCAPED if text == json.dumps(content) else text}
    return {"body": text}


def _keys(request: Recorded) -> list[str]:
    text = request.body.decode()
    return list(json.loads(text)) if text.startswith("{") else []
