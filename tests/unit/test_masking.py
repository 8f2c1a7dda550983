"""Secrets in told texts; tests/contract/test_every_client.py has the places, and the forms they are written in."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from cloud_runs.enos.codes import Context as EnosContext
from cloud_runs.huawei.codes import Context as HuaweiContext
from cloud_runs.huawei.dwr.codes import Context as DwrContext
from cloud_runs.tencent.codes import Context as TencentContext
from cloud_runs.wire.masking import Masker
from cloud_runs.wire.settings import Credentials

SECRET = "kF3/x9+QmZ=7pLw2Rt"
KEYS = Credentials("AKIDabcdef123456", SECRET, "tok3n/Value+1234567890")


def masker() -> Masker:
    return Masker(KEYS, re.compile("q-signature=[0-9a-f]+"))


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("", ""),
        ("nothing to hide: 100% of it & more \\n", "nothing to hide: 100% of it & more \\n"),
        (SECRET, "***"),
        (f"a{SECRET}b", "a***b"),
        (f"{SECRET} and {KEYS.id}", "*** and ***"),
        (f"{SECRET}{KEYS.id}", "***"),
        (f"x={quote(SECRET, safe='')};y", "x=***;y"),
        ("kF3%2fx9%2BQmZ", "***"),
        (f"cut {SECRET[:8]}", "cut ***"),
        (f"cut {SECRET[:7]}", f"cut {SECRET[:7]}"),
        (f"cut {SECRET[4:13]}!", "cut ***!"),
        ("q-signature%3D0123abcd&amp;x", "***&amp;x"),
        ("q-signature=0123abcd&x", "***&x"),
    ],
)
def test_what_is_told_and_what_is_shown(told: str, shown: str) -> None:
    one = masker()
    assert one.text(told) == shown
    assert one.text(told) == shown, "also what is known to be fine"


def test_an_access_token_that_comes_later() -> None:
    one = masker()
    assert one.text("see APIMTOKENEXAMPLE") == "see APIMTOKENEXAMPLE"
    one.learn("APIMTOKENEXAMPLE")
    one.learn("")
    assert one.text("see APIMTOKENEXAMPLE") == "see ***"
    assert "EXAMPLE" not in repr(one) + repr(vars(one))


def test_short_secrets_are_masked_whole() -> None:
    assert Masker(Credentials("id1", "s3c"), re.compile("$^")).text("id1 and s3c, not s3") == "*** and ***, not s3"


def test_a_row_of_zeros_is_no_secret() -> None:
    one = Masker(Credentials("AKID00000000000000001", "x1-----------------"), re.compile("$^"))
    assert one.text("request 000000000000 ----------") == "request 000000000000 ----------"


SIGNATURES = {
    "tencent": (TencentContext(KEYS, "b-1", "r"), "q-sign-algorithm=sha1&q-ak=A&q-signature=0123abcd"),
    "huawei": (HuaweiContext(KEYS, "g", "r"), "OBS AK1:c2lnbmF0dXJlc2lnbmF0dXI="),
    "huawei.dwr": (
        DwrContext(KEYS, "g", "r"),
        "SDK-HMAC-SHA256 Access=AK1, SignedHeaders=host;x-sdk-date, Signature=0123abcd4567",
    ),
    "enos": (EnosContext(KEYS, "https://gw.example"), "a1" * 32),
}


@pytest.mark.parametrize("system", SIGNATURES)
def test_signatures_are_not_told(system: str) -> None:
    context, signature = SIGNATURES[system]
    for told in (signature, quote(signature, safe=""), signature.replace("&", "&amp;")):
        shown = context.mask.text(f"got {told} there")
        assert "***" in shown
        assert not re.search("0123abcd|c2lnbmF0|a1a1", shown), shown


def test_a_long_text_is_looked_at_as_far_as_it_is_shown() -> None:
    shown = masker().text("x" * 20_000 + SECRET)
    assert SECRET[:8] not in shown
    assert len(shown) < 20_000
