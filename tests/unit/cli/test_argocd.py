"""The parameters of an Argo CD plugin, as an Application sets them and as the plugin announces them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from krm_fn.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: dict[str, Any] = {
    "apiVersion": "fn.clusternet.io/v1alpha1",
    "kind": "ClusternetCAPIConfig",
    "metadata": {"name": "fleet"},
    "spec": {
        "parentURL": "https://parent.example.com:6443",
        "registrationToken": {"existingSecret": {"name": "registration"}},
        "clusterSelector": {"matchLabels": {"register": "true"}},
    },
}
CLUSTER = {
    "apiVersion": "cluster.x-k8s.io/v1beta2",
    "kind": "Cluster",
    "metadata": {"name": "a", "namespace": "team", "labels": {"register": "true"}},
    "spec": {},
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two configs beside the Clusters, which is the working folder."""
    folder = tmp_path / "checkout"
    (folder / "clusters").mkdir(parents=True)
    (folder / "clusters/a.yaml").write_text(yaml.safe_dump(CLUSTER))
    (tmp_path / "outside.yaml").write_text(yaml.safe_dump(CONFIG))
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**CONFIG, "metadata": {"name": name}}))
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("ARGOCD_APP_PARAMETERS", raising=False)
    monkeypatch.setenv("ARGOCD_APP_NAME", "two")
    return folder


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("parameters", "more", "owner"),
    [
        pytest.param([{"name": "config", "string": "one.yaml"}], [], "one", id="a file"),
        pytest.param([{"name": "config", "string": "$ARGOCD_APP_NAME.yaml"}], [], "two", id="a file by the name"),
        pytest.param([], ["-c", "${ARGOCD_APP_NAME}.yaml"], "two", id="a file by the name, set by the operator"),
        pytest.param(None, ["-c", "one.yaml"], "one", id="nothing set"),
        pytest.param([{"name": "config", "string": ""}], ["-c", "one.yaml"], "one", id="emptied"),
    ],
)
def test_an_application_chooses_the_config(
    parameters: object, more: list[str], owner: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if parameters is not None:
        monkeypatch.setenv("ARGOCD_APP_PARAMETERS", json.dumps(parameters))
    assert main(["render", "clusters", "--argocd", "parameters", *more]) == 0
    made = [one for one in yaml.safe_load_all(capsys.readouterr().out) if one["kind"] == "ClusterResourceSet"]
    assert {one["metadata"]["annotations"]["fn.clusternet.io/owner"] for one in made} == {owner}


def test_an_application_chooses_the_baseline(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "clusters", "-c", "one.yaml", "-o", "before"]) == 0
    (checkout / "guarded.yaml").write_text(
        yaml.safe_dump(
            {
                **CONFIG,
                "metadata": {"name": "one"},
                "spec": {**CONFIG["spec"], "guard": {"maxRemovedClusters": 0, "allowNoClusters": True}},
            }
        )
    )
    (checkout / "clusters/a.yaml").write_text(yaml.safe_dump({**CLUSTER, "kind": "Machine"}))
    monkeypatch.setenv(
        "ARGOCD_APP_PARAMETERS",
        json.dumps([{"name": "config", "string": "guarded.yaml"}, {"name": "baseline", "string": "before"}]),
    )
    capsys.readouterr()
    assert main(["render", "clusters", "--argocd", "parameters"]) == 1
    assert "maxRemovedClusters" in capsys.readouterr().err


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    ("parameters", "more", "said"),
    [
        pytest.param('[{"name": "config", "string": "../outside.yaml"}]', [], "below the Application's path", id="out"),
        pytest.param(
            '[{"name": "config", "string": "link.yaml"}]', [], "below the Application's path", id="a link out"
        ),
        pytest.param(
            '[{"name": "config", "string": "/etc/passwd"}]', [], "below the Application's path", id="absolute"
        ),
        pytest.param('[{"name": "baseline", "string": "/"}]', [], "below the Application's path", id="a folder out"),
        pytest.param('[{"name": "output", "string": "x"}]', [], "'output' is unknown", id="unknown"),
        pytest.param('[{"name": "config", "array": ["x"]}]', [], "must be a string", id="a list"),
        pytest.param(
            '[{"name": "config", "string": "$ARGOCD_APP_X"}]', [], "names ARGOCD_APP_X", id="no such variable"
        ),
        pytest.param('[{"name": "config", "string": "one.yaml"}]', ["-c", "two.yaml"], "is fixed", id="fixed"),
        pytest.param("{", [], "is not a list of parameters", id="no JSON"),
        pytest.param('["config"]', [], "is not a list of parameters", id="no parameter"),
    ],
)
def test_what_an_application_may_not_set_is_refused(
    parameters: str, more: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARGOCD_APP_PARAMETERS", parameters)
    assert main(["render", "clusters", "--argocd", "parameters", *more]) == 1
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out


@pytest.mark.usefixtures("checkout")
def test_the_parameters_are_announced_with_the_config_that_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", ".", "--argocd", "announce"]) == 0
    announced = {one["name"]: one["string"] for one in json.loads(capsys.readouterr().out)}
    assert announced == {"config": "one.yaml"}
