"""`cloud_runs.Provider`, in the program."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from cloud_runs import Provider
from cloud_runs.accounts import _options


@pytest.mark.parametrize("option", [{"delete_before_replace": True}, {"replace_with": []}])
def test_options_with_which_pulumi_would_fire_all_runs_again_are_refused(option: dict[str, Any]) -> None:
    if "replace_with" in option:
        option = {"replace_with": [pulumi.ComponentResource.__new__(pulumi.ComponentResource)]}
    try:
        opts = pulumi.ResourceOptions(**option)
    except TypeError:
        pytest.skip("this SDK has no such option")
    with pytest.raises(ValueError, match=rf"Provider 'eu': the option {next(iter(option))} is refused: .* fire them"):
        Provider("eu", opts=opts)


def test_the_new_provider_comes_first() -> None:
    """So that the engine asks for a diff of each run, and replaces none."""
    assert _options("eu", None).delete_before_replace is False
    assert _options("eu", pulumi.ResourceOptions(protect=True)).protect is True
