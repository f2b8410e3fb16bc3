"""The two packages of examples/hub-discovery: each renders to its `.expected/output.yaml`, and is done after one run.

UPDATE_EXPECTED=1 writes the expected files anew, as for the other examples.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.__main__ import main
from tests.support.examples import plain_files

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/hub-discovery"
PACKAGES = {"management": "fleet.yaml", "parent": "hub.yaml"}
TOKEN = "7fq2kd.m4v9x0c8b1n6z3pw"

# what clusternet's discovery asks of the management cluster: group, resource, verb, and the names it is limited to
NEEDED = {
    ("", "secrets", "get", ("clusternet-cluster-api",)),
    ("cluster.x-k8s.io", "clusters", "list", ()),
    ("cluster.x-k8s.io", "clusters", "watch", ()),
    ("", "configmaps", "create", ()),
    ("", "configmaps", "get", ("clusternet-agent-deploy", "clusternet-agent-rbac")),
    ("", "configmaps", "update", ("clusternet-agent-deploy", "clusternet-agent-rbac")),
    ("addons.cluster.x-k8s.io", "clusterresourcesets", "create", ()),
}


@pytest.fixture(autouse=True)
def _same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")


def render(capfdbinary: pytest.CaptureFixture[bytes], *paths: Path) -> str:
    code = main(["render", *(one for path in paths for one in plain_files(path))])
    done = capfdbinary.readouterr()
    assert code == 0, done.err.decode()
    assert TOKEN.encode() not in done.err
    return done.out.decode()


def objects(text: str) -> list[Any]:
    found = [value for value in yaml.load_all(text, Loader=yaml.CSafeLoader) if value]
    return sorted(found, key=lambda one: (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]))


def one(text: str, kind: str, name: str) -> Any:
    return next(value for value in objects(text) if (value["kind"], value["metadata"]["name"]) == (kind, name))


def container(deployment: Any) -> Any:
    return deployment["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_renders_to_its_expected_output(package: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = render(capfdbinary, EXAMPLE / package)
    kept = EXAMPLE / package / ".expected/output.yaml"
    if os.environ.get("UPDATE_EXPECTED") == "1":
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(out, encoding="utf-8")
    assert out == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_rendered_on_top_of_its_output_stays_as_it_is(
    package: str, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    once = render(capfdbinary, EXAMPLE / package)
    (tmp_path / "output.yaml").write_text(once, encoding="utf-8")
    inputs = [tmp_path / "output.yaml"]
    inputs += [
        path
        for path in (EXAMPLE / package / PACKAGES[package], EXAMPLE / package / "registration-token.yaml")
        if path.exists() and path.name not in once
    ]
    assert objects(render(capfdbinary, *inputs)) == objects(once)


def test_the_gate_goes_from_a_manager_that_no_longer_knows_it(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = render(capfdbinary, EXAMPLE / "management")
    args = container(one(text, "Deployment", "capi-controller-manager"))["args"]
    assert args == ["--leader-elect", "--feature-gates=MachinePool=true", "--v=2"]
    assert "# see the guide" in text


def test_the_hub_gets_its_secret_and_its_kubeconfig(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = one(render(capfdbinary, EXAMPLE / "management"), "Secret", "clusternet-cluster-api")
    assert sorted(found["data"]) == ["image", "parentURL", "regToken"]
    hub = container(one(render(capfdbinary, EXAMPLE / "parent"), "Deployment", "clusternet-controller-manager"))
    assert hub["args"][-1] == "--cluster-api-kubeconfig=/etc/cluster-api-kubeconfig/kubeconfig"


def test_the_hubs_account_has_the_rights_that_discovery_uses_and_no_others() -> None:
    values = objects((EXAMPLE / "management/hub-rbac.yaml").read_text(encoding="utf-8"))
    granted = {
        (group, resource, verb, tuple(rule.get("resourceNames", ())))
        for value in values
        for rule in value.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == NEEDED
