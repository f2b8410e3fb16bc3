"""`kubectl kustomize`, which runs functions in containers only, in every version that this machine has."""

from __future__ import annotations

import pytest

from tests.hosts.manifests import dangling, generated, index, read, shared
from tests.hosts.programs import REPOSITORY, environment, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALPHA = "--enable-alpha-plugins"
STAND_IN = REPOSITORY / "tests/hosts/stand-in"
SERVED = shared("payments") | shared("retail") | shared("edge")


@pytest.mark.usefixtures("image")
def test_kubectl_builds_the_main_example_in_a_container(
    kubectl: Path, example: Callable[..., Path], engine: tuple[str, ...]
) -> None:
    folder = example("kustomization", container=True)
    built = read(run(*engine, kubectl, "kustomize", ALPHA, ".", cwd=folder).out)
    assert generated(built) == SERVED
    assert dangling(built) == set()
    assert ("Secret", "", "clusternet-registration") not in index(built)


def test_kubectl_builds_it_through_a_stand_in_for_docker(kubectl: Path, example: Callable[..., Path]) -> None:
    path = {"PATH": f"{STAND_IN}:{environment()['PATH']}"}
    done = run(kubectl, "kustomize", ALPHA, ".", cwd=example("kustomization", container=True), env=path)
    assert generated(read(done.out)) == SERVED


def test_kubectl_shows_the_cause_of_an_error_first(kubectl: Path, example: Callable[..., Path]) -> None:
    folder = example("kustomization", container=True)
    fleet = folder / "fleet.yaml"
    fleet.write_text(fleet.read_text(encoding="utf-8").replace("parentURL: https:", "parentURL: http:"))
    path = {"PATH": f"{STAND_IN}:{environment()['PATH']}"}
    done = run(kubectl, "kustomize", ALPHA, ".", cwd=folder, env=path, code=None)
    assert "spec.parentURL" in done.err.splitlines()[0]
    assert done.out == ""
