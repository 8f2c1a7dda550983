"""What CONTRIBUTING.md says that a kind needs: a kit, and its name in the files that people read."""

from __future__ import annotations

import pytest

from cloud_runs import KINDS
from cloud_runs.kinds import Kind
from tests.kits import KITS
from tests.kits.kit import Kit
from tests.support.stack import ROOT
from tools import docs

each_kit = pytest.mark.parametrize("kit", KITS.values(), ids=KITS)


def test_each_kind_has_a_kit() -> None:
    assert list(KITS) == list(KINDS)


@each_kit
def test_a_kit_tells_of_its_kind(kit: Kit) -> None:
    assert kit.type()._run_provider.kind is kit.kind
    assert bool(kit.fan_out) == bool(kit.kind.fans_out)
    assert bool(kit.resume) == bool(kit.resume_path) == kit.kind.resumes
    assert {*kit.arguments, *kit.more, *kit.another} <= {*kit.kind.names}
    assert all(kit.begun(f"{start}?x=y") for start in kit.starts)
    assert {word.upper() for word in (kit.success, kit.failure, kit.cancelled)} <= {word.upper() for word in kit.words}


@each_kit
def test_the_runs_of_a_fan_out_are_told_by_their_work_alone(kit: Kit) -> None:
    assert not kit.fan_out or type(kit.kind).marked is Kind.marked


@each_kit
def test_its_resources_are_documented(kit: Kit) -> None:
    for name in filter(None, (kit.resource, kit.fan_out)):
        assert docs.RESOURCES[name] is kit.type(name == kit.fan_out)
        assert (docs.ROOT / "docs" / "examples" / f"{name}.py").exists()


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
@each_kit
def test_the_readme_names_it(kit: Kit, page: str) -> None:
    assert f"`{kit.resource}`" in (ROOT / page).read_text()


@pytest.mark.parametrize("page", ["Pulumi.yaml", "__main__.py", "docs/emulator.md", "docs/status.md"])
@each_kit
def test_the_program_and_the_pages_with_all_kinds_name_it(kit: Kit, page: str) -> None:
    assert kit.name in (ROOT / page).read_text()
