"""Both packages of examples/hub-discovery, built by kustomize: edits of the user's own Deployments pass through it."""

from __future__ import annotations

import pytest

from tests.hosts.manifests import index, read
from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("package", ["management", "parent"])
def test_a_package_builds_to_its_expected_output(package: str, kustomize: Path, example: Callable[..., Path]) -> None:
    folder = example("hub-discovery") / package
    done = run(kustomize, "build", "--enable-alpha-plugins", "--enable-exec", folder, cwd=folder, code=0)
    expected = (REPOSITORY / "examples/hub-discovery" / package / ".expected/output.yaml").read_text(encoding="utf-8")
    assert index(read(done.out)) == index(read(expected))
