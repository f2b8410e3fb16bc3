"""What VERSIONING.md promises, line by line: whatever fails here is an incompatible change."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from krm_fn import __version__
from krm_fn.__main__ import main
from krm_fn.cli import COMMANDS, group
from krm_fn.config import decode, export, reference, tree
from krm_fn.config.fields import walk
from krm_fn.krm import runner
from krm_fn.krm.items import Item
from tests.support.lists import Run, cluster, config, document, named, run

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
N = "clusternet-cluster-api"
PATH = "internal.config.kubernetes.io/path"
INDEX = "internal.config.kubernetes.io/index"


def lines_of_versioning() -> list[tuple[str, str]]:
    """Each line of the table: what it is about, and what holds it."""
    text = (ROOT / "VERSIONING.md").read_text()
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [(row[0], row[-1]) for row in rows if row[0] not in {"surface", "---"}]


@pytest.mark.parametrize(("surface", "holder"), lines_of_versioning(), ids=lambda value: value[:40])
def test_each_line_of_versioning_is_held_by_something_that_exists(surface: str, holder: str) -> None:
    (path, _, name) = re.findall(r"`([^`]+)`", holder)[0].partition("::")
    assert (ROOT / path).exists(), surface
    if name:
        assert callable(getattr(sys.modules[__name__], name))
        assert path == "tests/unit/test_public_surface.py"


def test_the_table_is_whole() -> None:
    assert [surface for surface, _ in lines_of_versioning()][:3] == ["API", "flat keys", "object names"]
    assert len(lines_of_versioning()) >= 13


# --- configuration ---------------------------------------------------------------------------------------------------

FIELDS = """
apiVersion kind metadata metadata.name metadata.namespace spec
spec.parentURL spec.registrationToken spec.registrationToken.value spec.registrationToken.secretRef
spec.registrationToken.secretRef.name spec.registrationToken.secretRef.namespace spec.registrationToken.secretRef.key
spec.registrationToken.env spec.registrationToken.file spec.registrationToken.existingSecret
spec.registrationToken.existingSecret.name spec.registrationToken.externalSecret
spec.registrationToken.externalSecret.secretStoreRef spec.registrationToken.externalSecret.secretStoreRef.name
spec.registrationToken.externalSecret.secretStoreRef.kind spec.registrationToken.externalSecret.remoteRef
spec.registrationToken.externalSecret.remoteRef.key spec.registrationToken.externalSecret.remoteRef.property
spec.registrationToken.externalSecret.remoteRef.version
spec.registrationToken.externalSecret.remoteRef.conversionStrategy
spec.registrationToken.externalSecret.remoteRef.decodingStrategy
spec.registrationToken.externalSecret.remoteRef.metadataPolicy
spec.registrationToken.externalSecret.refreshInterval spec.registrationToken.onExpired
spec.clusterSelector spec.clusterSelector.matchLabels spec.clusterSelector.matchExpressions
spec.namespaceSelector spec.namespaceSelector.matchLabels spec.namespaceSelector.matchExpressions spec.namespaces
spec.serveEmptyNamespaces
spec.agent spec.agent.image spec.agent.version spec.agent.namespace spec.agent.replicas spec.agent.imagePullPolicy
spec.agent.imagePullSecrets spec.agent.resources spec.agent.resources.requests spec.agent.resources.limits
spec.agent.nodeSelector spec.agent.tolerations spec.agent.affinity spec.agent.priorityClassName spec.agent.podLabels
spec.agent.podAnnotations spec.agent.env spec.agent.syncMode spec.agent.clusterType spec.agent.featureGates
spec.agent.extraArgs spec.agent.patches
spec.identity spec.identity.mode spec.identity.namePrefix spec.identity.nameTemplate spec.identity.labels
spec.identity.labelKeys
spec.clusterResourceSet spec.clusterResourceSet.name spec.clusterResourceSet.strategy spec.clusterResourceSet.apiVersion
spec.clusterResourceSet.labels spec.clusterResourceSet.annotations spec.clusterResourceSet.extraResources
spec.managementCluster spec.managementCluster.featureGate
spec.hub spec.hub.discoverySecret spec.hub.kubeconfigSecretRef spec.hub.kubeconfigSecretRef.name
spec.hub.kubeconfigSecretRef.key
spec.gitops spec.gitops.argocd spec.gitops.flux
spec.guard spec.guard.allowNoClusters spec.guard.minClusters spec.guard.maxRemovedClusters spec.guard.onInvalidCluster
spec.mode
""".split()  # noqa: SIM905 - seventy names read better so
DEFAULTS = {
    "spec.registrationToken.secretRef.key": "regToken",
    "spec.agent.image": "ghcr.io/clusternet/clusternet-agent:v0.18.1",
    "spec.agent.namespace": "clusternet-system",
    "spec.agent.replicas": 3,
    "spec.agent.syncMode": "Dual",
    "spec.agent.clusterType": "StandardCluster",
    "spec.identity.mode": "Shared",
    "spec.clusterResourceSet.name": N,
    "spec.clusterResourceSet.strategy": "Reconcile",
    "spec.clusterResourceSet.apiVersion": "auto",
    "spec.managementCluster.featureGate": "Check",
    "spec.gitops.argocd": False,
    "spec.gitops.flux": False,
    "spec.guard.allowNoClusters": False,
    "spec.guard.onInvalidCluster": "Fail",
    "spec.mode": "Render",
}
# of Kubernetes' own types the parts are Kubernetes' to name
KUBERNETES = "spec.agent.affinity."


def test_the_fields_of_the_configuration_are_the_documented_ones() -> None:
    found = dict(walk(tree.CONFIG))
    assert [path for path in found if not path.startswith(KUBERNETES)] == FIELDS
    assert {path: found[path].default for path in DEFAULTS} == DEFAULTS
    assert (ROOT / "docs/reference/configuration.md").read_text() == reference.markdown_reference()
    assert json.loads((ROOT / "schema/clusternetcapiconfig.schema.json").read_text()) == export.json_schema()


def test_flat_keys_are_the_paths_of_the_fields() -> None:
    data = {
        "name": "fleet",
        "parentURL": "https://parent.example.com:6443",
        "registrationToken.existingSecret.name": "reg",
        "clusterSelector": "env=prod",
        "agent.replicas": "2",
        "clusterResourceSet.name": "mine",
        "guard.maxRemovedClusters": "10%",
        "mode": "Check",
    }
    found = decode(Item.from_value(named("ConfigMap", "function-input", "", data=data), 0))
    assert (found.owner, found.agent["replicas"], found.resource_set.name, found.mode) == ("fleet", 2, "mine", "Check")


# --- what is generated -----------------------------------------------------------------------------------------------


@pytest.fixture
def shared() -> Run:
    return run([cluster("a")])


@pytest.fixture
def per_cluster() -> Run:
    return run([cluster("a")], config(identity={"mode": "PerCluster"}))


def generated(made: Run) -> set[tuple[str, str]]:
    return {(kind, name) for kind, _, name in made.names() if kind != "Cluster"}


def test_names_of_generated_objects() -> None:
    fixed = {("ConfigMap", f"{N}-identity"), ("ClusterResourceSet", f"{N}-identity")}
    assert generated(run([cluster("a")])) == {
        *fixed,
        ("Secret", f"{N}-registration"),
        ("ConfigMap", f"{N}-agent"),
        ("ClusterResourceSet", N),
    }
    assert generated(run([cluster("a")], config(identity={"mode": "PerCluster"}))) == {
        *fixed,
        ("Secret", f"{N}.registration"),
        ("ConfigMap", f"{N}-agent.a"),
        ("ClusterResourceSet", f"{N}.a"),
    }
    renamed = generated(run([cluster("a")], config(clusterResourceSet={"name": "mine"})))
    assert {name.removeprefix("mine") for _, name in renamed} == {"-identity", "-registration", "-agent", ""}
    hub = run([cluster("a")], config(hub={"discoverySecret": True}))
    assert ("Secret", "capi-system", "clusternet-cluster-api") in hub.names()


def test_keys_of_payloads(shared: Run, per_cluster: Run) -> None:
    for made, registration, agent in (
        (shared, f"{N}-registration", f"{N}-agent"),
        (per_cluster, f"{N}.registration", f"{N}-agent.a"),
    ):
        assert list(made.item("Secret", registration)["data"]) == ["20-registration.yaml"]
        assert list(made.item("ConfigMap", f"{N}-identity")["data"]) == [
            "00-identity.yaml",
            "10-app-deployer-token.yaml",
        ]
        assert list(made.item("ConfigMap", agent)["data"]) == ["30-rbac.yaml", "40-deployment.yaml"]


def test_marks_on_generated_objects(shared: Run, per_cluster: Run) -> None:
    for made in (shared, per_cluster):
        for one in made.items:
            if one["kind"] != "Cluster":
                assert one["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "clusternet-capi-fn"
                assert one["metadata"]["labels"]["fn.clusternet.io/generated"] == "true"
                assert one["metadata"]["annotations"]["fn.clusternet.io/owner"] == "fleet"
    identity = shared.item("ConfigMap", f"{N}-identity")["metadata"]["annotations"]
    assert identity["fn.clusternet.io/agent-namespace"] == "clusternet-system"
    for kind, name in (("ConfigMap", f"{N}-agent.a"), ("ClusterResourceSet", f"{N}.a")):
        assert per_cluster.item(kind, name)["metadata"]["annotations"]["fn.clusternet.io/registration-name"] == "a"
    deployment = yaml.safe_load(shared.item("ConfigMap", f"{N}-agent")["data"]["40-deployment.yaml"])
    assert "fn.clusternet.io/registration-checksum" in deployment["spec"]["template"]["metadata"]["annotations"]
    registration = shared.item("Secret", f"{N}-registration")
    assert registration["type"] == "addons.cluster.x-k8s.io/resource-set"
    assert base64.b64decode(registration["data"]["20-registration.yaml"])


def test_paths_of_new_items() -> None:
    where = config(annotations={PATH: "deep/er/fn.yaml"})
    made = run([cluster("a", annotations={PATH: "clusters/a.yaml"})], where)
    found = {
        one["metadata"]["annotations"][PATH]: one["metadata"]["annotations"][INDEX]
        for one in made.items
        if one["kind"] != "Cluster"
    }
    assert found == {
        f"deep/er/team-a/configmap_{N}-identity.yaml": "0",
        f"deep/er/team-a/secret_{N}-registration.yaml": "0",
        f"deep/er/team-a/configmap_{N}-agent.yaml": "0",
        f"deep/er/team-a/clusterresourceset_{N}-identity.yaml": "0",
        f"deep/er/team-a/clusterresourceset_{N}.yaml": "0",
    }


# --- the program -----------------------------------------------------------------------------------------------------


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _break(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("arguments", "broken", "code"),
    [
        pytest.param(["version"], None, 0, id="success"),
        pytest.param(["render", "/nowhere"], None, 1, id="bad input"),
        pytest.param(["status", "tests/fixtures/live/fleet/management.yaml"], None, 1, id="findings"),
        pytest.param(["rendr"], None, 2, id="a wrong command"),
        pytest.param(["render"], None, 2, id="a missing argument"),
        pytest.param(["version"], _break, 3, id="an internal error"),
        pytest.param(["version"], _interrupt, 130, id="interrupted"),
    ],
)
def test_exit_codes(
    arguments: list[str], broken: Callable[..., None] | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    if broken is not None:
        monkeypatch.setattr("krm_fn.cli._run", broken)
    assert main(arguments) == code
    assert (runner.OK, runner.FAILED, runner.USAGE, runner.INTERNAL) == (0, 1, 2, 3)


def test_results_have_the_shape_of_the_specification() -> None:
    bad = cluster("a", annotations={PATH: "clusters/a.yaml", INDEX: "2"}, labels={"env": True})
    (error,) = [one for one in run([bad]).data["results"] if one["severity"] == "error"]
    assert error == {
        "message": error["message"],
        "severity": "error",
        "resourceRef": {
            "apiVersion": "cluster.x-k8s.io/v1beta2",
            "kind": "Cluster",
            "name": "a",
            "namespace": "team-a",
        },
        "field": {"path": "metadata.labels.env", "currentValue": True, "proposedValue": "true"},
        "file": {"path": "clusters/a.yaml", "index": 2},
        "tags": {"rule": "cluster"},
    }
    tagged = run([cluster("a"), cluster("a")]).data["results"]
    assert ("duplicate-cluster", "error") in [(one.get("tags", {}).get("rule"), one["severity"]) for one in tagged]
    assert {one["severity"] for one in run([cluster("a")]).data["results"]} <= {"error", "warning", "info"}


OPTIONS = {
    "fn": ["--baseline", "--now", "--verbose", "--debug", "--error-format"],
    "render": [
        *(
            "PATHS",
            "-c",
            "--config",
            "--exclude",
            "--enable-exec",
            "-o",
            "--output",
            "--only",
            "--baseline",
            "--against",
            "--argocd",
            "--redact",
            "--now",
            "--verbose",
            "--debug",
            "--error-format",
        )
    ],
    "plan": [
        *("PATHS", "-c", "--config", "--exclude", "--enable-exec", "-o", "--output", "--baseline", "--against"),
        *("--exit-code", "-n", "--namespace"),
        *("-l", "--selector", "--cluster", "--only-changed", "--now", "--error-format"),
    ],
    "manifests": ["PATHS", "-c", "--config", "--exclude", "--enable-exec", "--only", "--cluster", "--error-format"],
    "status": [
        *("ARGUMENTS", "-f", "--file", "--context", "--parent-context", "-o", "--output", "--failing"),
        *("--ignore-unselected", "--strict", "--parent", "--dead-after", "--now", "--debug", "--error-format"),
    ],
    "migrate": ["FILES", "-o", "--output", "--name", "--resource-set", "--debug", "--error-format"],
    "explain": ["FIELD"],
    "schema": ["--format"],
    "init": ["FOLDER", "--for"],
    "completion": ["SHELL"],
    "version": [],
}


@pytest.mark.parametrize("command", OPTIONS)
def test_commands_and_their_options(command: str) -> None:
    assert list(COMMANDS) == list(OPTIONS)
    found = group.get_command(click.Context(group), command)
    assert found is not None
    names = [
        name for one in found.params for name in (one.opts if one.param_type_name == "option" else [one.name.upper()])
    ]
    assert names == OPTIONS[command]


def keys(value: Any) -> Any:
    """The keys of data, of the first entry where there is a list."""
    if isinstance(value, dict):
        return {key: keys(one) for key, one in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    main(arguments)
    text = capsys.readouterr().out
    return yaml.safe_load(text) if "yaml" in arguments else json.loads(text)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_keys_of_the_plan_document(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "all.yaml").write_text("---\n".join(json.dumps(one) + "\n" for one in (cluster("a"), config())))
    earlier = run([cluster("a")], config(agent={"replicas": 1}))
    (tmp_path / "earlier").mkdir()
    (tmp_path / "earlier" / "x.yaml").write_text("---\n".join(json.dumps(one) + "\n" for one in earlier.items))
    found = printed(capsys, "plan", str(tmp_path / "all.yaml"), "-o", form, "--baseline", str(tmp_path / "earlier"))
    key = dict.fromkeys(("group", "kind", "namespace", "name"))
    assert keys(found) == {
        "apiVersion": None,
        "kind": None,
        "summary": dict.fromkeys(("clusters", "registering", "hidden", "objects", "errors", "warnings")),
        "configs": [dict.fromkeys(("name", "parentURL", "agentImage", "agentVersion", "identityMode", "tokenSource"))],
        "clusters": [
            {
                **dict.fromkeys(("namespace", "name", "config", "registers", "code", "rule", "clusterResourceSet")),
                "registrationName": None,
                "registrationLabels": {"fn.clusternet.io/namespace": None},
                "effects": None,
                "file": None,
            }
        ],
        "objects": [{**key, "config": None}],
        "results": keys(found)["results"],
        "comparison": {
            "changed": [key],
            **dict.fromkeys(("added", "removed", "unchanged", "knowsClusters")),
            "effects": [
                dict.fromkeys(("code", "message", "cost", "field", "before", "after", "objects", "clusters")),
            ],
            "diffs": [{"objects": [key], "diff": None}],
        },
    }
    assert (found["apiVersion"], found["kind"]) == ("fn.clusternet.io/v1alpha1", "Plan")


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_keys_of_the_status_document(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    files = sorted(str(path) for path in Path("tests/fixtures/live/fleet").glob("*.yaml"))
    found = printed(capsys, "status", "-o", form, *files)
    assert list(found) == ["apiVersion", "kind", "summary", "clusters", "sharedNames", "leftOver", "notes"]
    assert list(found["summary"]) == ["clusters", "ok", "failing", "missing", "parentSeen"]
    plain = ("namespace", "name", "apiVersion", "phase", "deleting", "ok", "lacking", "selectedBy", "delivered")
    registration = ("registered", "evidence", "registrationName", "lastSeen")
    reason = ["code", "severity", "message", "remedy"]
    for one in found["clusters"]:
        assert list(one) == [*plain, *registration, "resources", "reasons"]
        assert all(list(why) == reason for why in one["reasons"])
        assert all(
            list(entry) == ["clusterResourceSet", "kind", "name", "state", "lastApplied", "hash"]
            for entry in one["resources"]
        )
    assert (found["apiVersion"], found["kind"]) == ("fn.clusternet.io/v1alpha1", "ClusternetStatus")


def test_the_version_can_be_imported() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_both_versions_of_the_resource_list_stay() -> None:
    assert Run(document([cluster("a")], config(), "config.kubernetes.io/v1beta1")).code == 0
