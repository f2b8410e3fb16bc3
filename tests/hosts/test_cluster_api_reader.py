"""What we render, read by Cluster API's own code: types, selector parser, payload parser, sorter, webhook, controller.

`capi_reader/` is a small Go program around those packages. It also runs the real ClusterResourceSet controller against
API servers in memory, so that these tests see what would stand on each workload cluster.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krm_fn.yaml.write import dump
from tests.hosts import programs
from tests.hosts.fleet import PARENT, SERVED, TOKEN, cluster, render
from tests.support import lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[..., dict[str, Any]]

EXAMPLES = programs.REPOSITORY / "examples"
SOURCE = programs.REPOSITORY / "tests/hosts/capi_reader"
LATER_TOKEN = "0o1234.685e230000000000"
RELEASES = ("v0.12.0", "v0.13.0", "v0.14.0", "v0.15.0", "v0.15.2", "v0.16.0", "v0.17.1", "v0.18.1")
SOURCES = ("value", "secretRef", "env", "file", "existingSecret", "externalSecret")
MODES = ("Shared", "PerCluster")
STRATEGIES = ("Reconcile", "ApplyOnce")
API_VERSIONS = ("auto", "v1beta1", "v1beta2")
ELEVEN = [
    "ClusterRole clusternet:agent:admin",
    "ClusterRoleBinding clusternet:agent:admin",
    "ClusterRoleBinding clusternet:app:deployer",
    "Deployment clusternet-system/clusternet-agent",
    "Namespace clusternet-system",
    "Role clusternet-system/clusternet:agent:admin",
    "RoleBinding clusternet-system/clusternet:agent:admin",
    "Secret clusternet-system/clusternet-agent-cluster-registration",
    "Secret clusternet-system/clusternet-app-deployer",
    "ServiceAccount clusternet-system/clusternet-agent",
    "ServiceAccount clusternet-system/clusternet-app-deployer",
]
OWN_ROLE = "ClusterRole clusternet:app:deployer"


# --- the program -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built from the pinned modules."""
    go = shutil.which("go")
    if not go:
        pytest.skip("no Go here; it builds tests/hosts/capi_reader")
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    fetched = subprocess.run([go, "mod", "download"], cwd=SOURCE, env=env, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"the Go modules of tests/hosts/capi_reader can't be had: {fetched.stderr.strip()[-300:]}")
    target = tmp_path_factory.mktemp("capi_reader") / "capi_reader"
    built = subprocess.run(
        [go, "build", "-o", target, "."], cwd=SOURCE, env=env, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-3000:]
    return target


@pytest.fixture(scope="session")
def read(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Give a render to the program and return its report; later renders are applied on top of the first."""

    def call(text: str, *later: str, arguments: tuple[str, ...] = (), code: int = 0) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("renders")
        paths = [folder / f"{index}.yaml" for index in range(len(later))]
        for path, more in zip(paths, later, strict=True):
            path.write_text(more, encoding="utf-8")
        done = programs.run(program, *arguments, *paths, cwd=folder, stdin=text, code=code)
        report: dict[str, Any] = json.loads(done.out)
        return report

    return call


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def delivered(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["cluster"]: one for one in report["delivered"] if one["objects"]}


class Case(NamedTuple):
    """One combination of what matters to Cluster API."""

    release: str
    mode: str
    strategy: str = "Reconcile"
    version: str = "auto"
    source: str = "value"


# Every release in both modes, and every source with every strategy and API version, spread over releases and modes.
CASES = [Case(release, mode) for release, mode in itertools.product(RELEASES, MODES)] + [
    Case(RELEASES[index % len(RELEASES)], MODES[index % 2], strategy, version, source)
    for index, (source, strategy, version) in enumerate(itertools.product(SOURCES, STRATEGIES, API_VERSIONS))
]


# --- what Cluster API makes of it ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_cluster_api_delivers_every_object_to_every_matching_cluster(case: Case, read: Reader, tmp_path: Path) -> None:
    resource_set = {"strategy": case.strategy, "apiVersion": case.version}
    text = render(tmp_path, source=case.source, release=case.release, mode=case.mode, clusterResourceSet=resource_set)

    report = read(text, arguments=("-apply",))
    found = delivered(report)

    wanted = ELEVEN if case.release >= "v0.15.2" else sorted([*ELEVEN, OWN_ROLE])
    assert report["violations"] == []
    assert sorted(found) == SERVED
    assert {tuple(one["objects"]) for one in found.values()} == {tuple(wanted)}
    assert not [one["pending"] for one in found.values() if one["pending"]]
    assert {one["image"] for one in found.values()} == {f"ghcr.io/clusternet/clusternet-agent:{case.release}"}
    assert {one["parentURL"] for one in found.values()} == {PARENT}
    assert {one["token"] for one in found.values()} == {digest(TOKEN)}
    names = {name: f"--cluster-reg-name={name.replace('/', '-')}" in one["arguments"] for name, one in found.items()}
    assert set(names.values()) == {case.mode == "PerCluster"}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("auto", {"old": "v1beta1", "new": "v1beta2", "mixed": "v1beta2"}),
        ("v1beta1", {"old": "v1beta1", "new": "v1beta1", "mixed": "v1beta1"}),
        ("v1beta2", {"old": "v1beta2", "new": "v1beta2", "mixed": "v1beta2"}),
    ],
)
def test_sets_are_of_the_version_that_serves_their_clusters(
    version: str, expected: dict[str, str], read: Reader, tmp_path: Path
) -> None:
    report = read(render(tmp_path, clusterResourceSet={"apiVersion": version}))

    found = {(one["namespace"], one["apiVersion"]) for one in report["clusterResourceSets"]}
    assert found == {(namespace, f"addons.cluster.x-k8s.io/{one}") for namespace, one in expected.items()}


def test_the_selector_means_to_cluster_api_what_it_means_to_us(read: Reader, tmp_path: Path) -> None:
    expressions = [
        {"key": "env", "operator": "NotIn", "values": ["prod", "1e3"]},
        {"key": "cluster.x-k8s.io/cluster-name", "operator": "Exists"},
        {"key": "clusternet.io/register", "operator": "In", "values": ["true", "false"]},
        {"key": "paused", "operator": "DoesNotExist"},
    ]

    report = read(render(tmp_path, clusterSelector={"matchExpressions": expressions}), arguments=("-apply",))

    assert sorted(delivered(report)) == ["new/class", "old/class"]


@pytest.mark.parametrize("mode", MODES)
def test_a_changed_render_reaches_the_agent_and_leaves_what_the_cluster_wrote(
    mode: str, read: Reader, tmp_path: Path
) -> None:
    first = render(tmp_path, release="v0.17.1", mode=mode)
    second = render(tmp_path, release="v0.18.1", mode=mode, token=LATER_TOKEN)

    before, after = delivered(read(first, arguments=("-apply",))), delivered(read(first, second, arguments=("-apply",)))

    assert {one["image"].rpartition(":")[2] for one in after.values()} == {"v0.18.1"}
    assert {one["token"] for one in after.values()} == {digest(LATER_TOKEN)}
    assert {one["checksum"] for one in after.values()}.isdisjoint({one["checksum"] for one in before.values()})
    assert not [one for one in after.values() if one["pending"]]
    assert {all(one["tokens"].values()) and len(one["tokens"]) == 1 for one in after.values()} == {True}
    assert {one["labels"]["pod-security.kubernetes.io/enforce"] for one in after.values()} == {"baseline"}


def test_with_apply_once_a_changed_render_changes_nothing(read: Reader, tmp_path: Path) -> None:
    once = {"strategy": "ApplyOnce"}
    first = render(tmp_path, release="v0.17.1", clusterResourceSet=once)
    second = render(tmp_path, release="v0.18.1", token=LATER_TOKEN, clusterResourceSet=once)

    assert delivered(read(first, second, arguments=("-apply",))) == delivered(read(first, arguments=("-apply",)))


def test_an_upgrade_over_v0_15_2_meets_the_binding_that_no_server_changes(read: Reader, tmp_path: Path) -> None:
    # Upstream binds the app deployer to another ClusterRole from v0.15.2 on; a roleRef is immutable.
    first, second = (render(tmp_path, release=release) for release in ("v0.15.1", "v0.18.1"))

    report = read(first, second, arguments=("-apply",), code=1)

    assert {one["image"].rpartition(":")[2] for one in delivered(report).values()} == {"v0.18.1"}
    assert {"roleRef" in one["message"] for one in report["violations"]} == {True}


EVERY_OPTION = {
    "namespace": "edge",
    "replicas": 1,
    "imagePullPolicy": "Always",
    "imagePullSecrets": ["pull"],
    "resources": {"requests": {"cpu": "100m", "memory": 1000}},
    "nodeSelector": {"on": "1e3", "0o17": "y"},
    "priorityClassName": "system-cluster-critical",
    "podLabels": {"team": "no"},
    "podAnnotations": {"note": 'two\nlines: # "quoted" ${more} {{ more }} \u2028'},
    "env": [{"name": "CLUSTER_CIDR", "value": "10.0.0.0/8"}, {"name": "N", "value": "1_000"}],
    "syncMode": "Pull",
    "clusterType": "EdgeCluster",
    "featureGates": {"MultiClusterService": True, "AppPusher": False},
    "extraArgs": ["--v=4", "--predictor-port=9090"],
    "patches": [
        {
            "target": {"kind": "Deployment", "name": "clusternet-agent"},
            "patch": {"spec": {"revisionHistoryLimit": 2, "template": {"spec": {"hostNetwork": True}}}},
        }
    ],
}


@pytest.mark.parametrize("source", ["value", "externalSecret"])
@pytest.mark.parametrize("mode", MODES)
def test_every_option_of_the_agent_arrives_as_meant(mode: str, source: str, read: Reader, tmp_path: Path) -> None:
    identity = {"mode": mode, "labels": {"tier": "1e3"}, **({"labelKeys": ["env"]} if mode == "PerCluster" else {})}
    text = render(
        tmp_path,
        source=source,
        agent=EVERY_OPTION,
        identity=identity,
        gitops={"argocd": True, "flux": True},
        clusters=[cluster("new", "classic", "v1beta2", env="1e3")],
    )

    report = read(text, arguments=("-apply",))

    (found,) = delivered(report).values()
    labels = "env=1e3,tier=1e3" if mode == "PerCluster" else "fn.clusternet.io/namespace=new,tier=1e3"
    assert report["violations"] == []
    assert f"--cluster-labels={labels}" in found["arguments"]
    assert found["objects"] == [one.replace("clusternet-system", "edge") for one in ELEVEN]
    assert found["token"] == digest(TOKEN)


# What YAML readers take for something else, and what writers forget to escape. A server takes any text but NUL and halves
# of surrogate pairs; C0 controls are left to the property tests, since PyYAML can't carry them into the input.
TRICKY = st.sampled_from(
    ["", "1e3", "0o17", "0x1F", "y", "no", "~", "null", "1_000", "12:30", "2001-01-01", "<<", "- a", "{{ .x }}", "${X}"]
) | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
TOKENS = st.from_regex(r"[0-9e]{6}\.[0-9e]{16}", fullmatch=True)
LABEL_VALUES = st.sampled_from(["", "1e3", "0x1F", "y", "null", "1_000", "685e230", "0"])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    token=TOKENS,
    mode=st.sampled_from(MODES),
    notes=st.dictionaries(st.sampled_from(["note", "on", "1e3"]), TRICKY),
    variables=st.dictionaries(st.sampled_from(["N", "CLUSTER_CIDR", "y"]), TRICKY),
    labels=st.dictionaries(st.sampled_from(["tier", "1e3", "example.com/n"]), LABEL_VALUES),
)
def test_every_string_arrives_as_it_was_given(  # noqa: PLR0913 - what hypothesis varies
    *, token: str, mode: str, notes: dict[str, str], variables: dict[str, str], labels: dict[str, str], read: Reader
) -> None:
    made = lists.run(
        [lists.cluster("a")],
        lists.config(
            registrationToken={"value": token},
            identity={"mode": mode, "labels": labels},
            agent={
                "podAnnotations": notes,
                "env": [{"name": name, "value": value} for name, value in variables.items()],
            },
        ),
    )
    assert made.code == 0, made.stderr

    (found,) = delivered(read(made.stdout.decode(), arguments=("-apply",))).values()

    assert (found["token"], found["notes"], found["variables"]) == (digest(token), notes, variables)
    counted = {"fn.clusternet.io/namespace": "team-a"} if mode == "Shared" else {}
    expected = [f"{key}={value}" for key, value in sorted({**labels, **counted}.items())]
    flags = [one for one in found["arguments"] if one.startswith("--cluster-labels=")]
    assert flags == (["--cluster-labels=" + ",".join(expected)] if expected else [])


def files(folder: Path) -> list[Path]:
    """The manifests of a folder as a person wrote them: what hosts rendered is under `.expected`."""
    return [path for path in sorted(folder.rglob("*.yaml")) if "/." not in str(path.relative_to(EXAMPLES.parent))]


def examples() -> list[Path]:
    """Every folder of an example that holds both a configuration and Clusters."""
    folders: dict[str, set[Path]] = {
        kind: {path.parent for path in files(EXAMPLES) if f"\nkind: {kind}\n" in path.read_text(encoding="utf-8")}
        for kind in ("ClusternetCAPIConfig", "Cluster")
    }
    return sorted(
        one for one in folders["ClusternetCAPIConfig"] if any(path.is_relative_to(one) for path in folders["Cluster"])
    )


def decrypted(value: dict[str, Any]) -> dict[str, Any]:
    """Do what ksops would do to an encrypted Secret."""
    if "sops" not in value:
        return value
    value = {key: part for key, part in value.items() if key != "sops"}
    return {**value, "stringData": dict.fromkeys(value["stringData"], TOKEN)}


@pytest.mark.parametrize("folder", examples(), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_an_example_decodes_strictly_and_cluster_api_delivers_what_it_promises(
    folder: Path, read: Reader, tmp_path: Path
) -> None:
    objects = [
        decrypted(value)
        for path in files(folder)
        for value in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if isinstance(value, dict) and "name" in value.get("metadata", {})
    ]
    sources = [one["spec"]["registrationToken"] for one in objects if one["kind"] == "ClusternetCAPIConfig"]
    offered = {
        "CLUSTERNET_PARENT_URLS": "*",
        "CLUSTERNET_TOKEN_DIR": str(tmp_path),
        **{one["env"]: TOKEN for one in sources if "env" in one},
    }
    for name in (one["file"] for one in sources if "file" in one):
        (tmp_path / Path(name).name).write_text(TOKEN, encoding="utf-8")
    resources = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": objects}

    done = programs.run(sys.executable, "-m", "krm_fn", cwd=folder, stdin=dump(resources), env=offered)
    report = read(done.out, arguments=("-missing-ok", "-apply"))

    assert report["violations"] == []
    assert report["clusterResourceSets"]
    assert delivered(report)


# --- the command line, held to the same ------------------------------------------------------------------------------


def command(*arguments: str | Path) -> str:
    return programs.run(sys.executable, "-m", "krm_fn", *arguments, cwd=programs.REPOSITORY).out


def test_a_rendered_stream_is_delivered(read: Reader) -> None:
    report = read(command("render", EXAMPLES / "kustomization"), arguments=("-apply",))

    assert report["violations"] == []
    assert sorted(delivered(report)) == ["edge/depot-01", "edge/depot-02", "payments/payments-prod", "retail/shop"]


def test_the_manifests_that_are_printed_are_those_that_arrive(read: Reader) -> None:
    folder = EXAMPLES / "kustomization"
    report = read(command("render", folder), arguments=("-apply",))

    printed = list(yaml.safe_load_all(command("manifests", folder, "--cluster", "edge/depot-01")))

    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in printed]
    titles = sorted(f"{kind} {f'{namespace}/' if namespace else ''}{name}" for kind, namespace, name in names)
    assert titles == delivered(report)["edge/depot-01"]["objects"]


def test_the_registration_manifest_that_is_printed_serves_as_an_existing_secret(read: Reader) -> None:
    source = {"existingSecret": {"name": "kept"}}
    items = [lists.cluster("a")]
    bare = lists.run(items, lists.config(registrationToken=source)).stdout.decode()
    missing = read(bare, code=1)["violations"]
    with_placeholder = command("manifests", EXAMPLES / "per-cluster", "--only", "registration")

    text = with_placeholder.replace("<base64 of the registration token>", base64.b64encode(TOKEN.encode()).decode())
    kept = lists.named(
        "Secret",
        "kept",
        type="addons.cluster.x-k8s.io/resource-set",
        data={"registration.yaml": base64.b64encode(text.encode()).decode()},
    )
    full = lists.run([*items, kept], lists.config(registrationToken=source)).stdout.decode()
    (found,) = delivered(read(full, arguments=("-apply",))).values()

    assert [one["message"] for one in missing] == ["refers to what is not there: Secret team-a/kept"]
    assert (found["parentURL"], found["token"]) == (PARENT, digest(TOKEN))


# --- that the reader would notice ------------------------------------------------------------------------------------


GOOD = """---
"apiVersion": "v1"
"kind": "Namespace"
"metadata":
  "name": "here"
---
"apiVersion": "v1"
"kind": "ConfigMap"
"metadata":
  "name": "one"
  "namespace": "here"
"data":
  "key": "1e3"
"""


def stream(payload: str, *, kind: str = "ConfigMap", secret_type: str = "", resource_set: str = "") -> str:
    carrier: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": "carrier",
            "namespace": "a",
            "annotations": {"fn.clusternet.io/owner": "fleet"},
        },
        "data": {"00.yaml": payload if kind == "ConfigMap" else base64.b64encode(payload.encode()).decode()},
    }
    if secret_type:
        carrier["type"] = secret_type
    reference = f"""---
apiVersion: addons.cluster.x-k8s.io/v1beta2
kind: ClusterResourceSet
metadata: {{name: carrier, namespace: a}}
spec:
  clusterSelector: {{matchLabels: {{a: b}}}}
  strategy: Reconcile
  resources: [{{kind: {kind}, name: carrier}}]
"""
    return dump(carrier) + (resource_set or reference)


def edited(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_sound_stream_has_no_violation(read: Reader) -> None:
    report = read(stream(GOOD))

    assert report["violations"] == []
    assert report["clusterResourceSets"][0]["creates"] == ["Namespace here", "ConfigMap here/one"]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ('---\n"kind": "Namespace"\n', "under 32 the controller fails the whole resource"),
        (edited('"here"\n---\n', '"here"\n'), "not strict YAML (two objects without a separator?)"),
        (GOOD.removeprefix("---\n"), "does not begin with a document separator"),
        (edited('"1e3"', "1e3"), "a scalar that is not in double quotes"),
        (edited('"1e3"', "y"), "a scalar that is not in double quotes"),
        (edited('"1e3"', "0o17"), "a scalar that is not in double quotes"),
        (edited('"1e3"', "'text'"), "a scalar that is not in double quotes"),
        (edited('"key"', "key"), "a scalar that is not in double quotes"),
        (edited('"1e3"', "123"), "does not decode strictly into its Kubernetes type"),
        (edited('"data"', '"date"'), "does not decode strictly into its Kubernetes type"),
        (edited('  "namespace": "here"\n', ""), "nothing defaults it"),
        (edited('  "name": "one"\n', '  "generateName": "one-"\n'), "has generateName"),
        (edited('"kind": "ConfigMap"', '"type": "ConfigMap"'), "lacks apiVersion, kind or name"),
        (
            '---\n"apiVersion": "v1"\n"kind": "List"\n"metadata":\n  "name": "x"\n"items": []\n',
            "is a List, which the controller does not expand",
        ),
        ('[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "here"}}]', "is a list"),
        ("# nothing but a comment, though it is long enough\n", "holds no object to the controller"),
        ("---\n" + GOOD.partition("---\n")[2].replace("\n", "\n\t"), "can't be parsed by the controller"),
        (edited('"name": "here"', '"name": "there"'), "needs Namespace here, which nothing creates"),
        (GOOD + GOOD, "is created twice"),
    ],
    ids=lambda value: re.sub(r"\W+", " ", value[-30:]) if "\n" in value else None,
)
def test_a_broken_payload_is_noticed(payload: str, message: str, read: Reader) -> None:
    report = read(stream(payload), code=1)

    assert message in " | ".join(one["message"] for one in report["violations"])


TOKEN_BEFORE_ACCOUNT = """---
"apiVersion": "v1"
"kind": "Namespace"
"metadata":
  "name": "here"
---
"apiVersion": "v1"
"kind": "ServiceAccount"
"metadata":
  "name": "one"
  "namespace": "here"
---
"apiVersion": "v1"
"kind": "Secret"
"metadata":
  "name": "one"
  "namespace": "here"
  "annotations":
    "kubernetes.io/service-account.name": "one"
"type": "kubernetes.io/service-account-token"
"""


def test_a_token_secret_beside_its_account_is_noticed_for_the_controller_sorts_it_first(read: Reader) -> None:
    report = read(stream(TOKEN_BEFORE_ACCOUNT), code=1)

    assert [one["message"] for one in report["violations"]] == [
        "is created before ServiceAccount here/one, which it needs"
    ]


SET = """---
apiVersion: addons.cluster.x-k8s.io/VERSION
kind: ClusterResourceSet
metadata: {name: carrier, namespace: a}
spec:
  clusterSelector: {matchLabels: {a: b}}
  strategy: Reconcile
  resources: [{kind: ConfigMap, name: carrier}]
"""


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("strategy:", "strategie:", 'unknown field "spec.strategie"'),
        ("strategy: Reconcile", "strategy: reconcile", 'is "reconcile"'),
        ("{matchLabels: {a: b}}", "{}", "is refused by the webhook"),
        ("{a: b}", "{a: 1e3}", "does not decode strictly"),
        ("{matchLabels: {a: b}}", "{matchExpressions: [{key: a, operator: In}]}", "is refused by the webhook"),
        (
            "{matchLabels: {a: b}}",
            "{matchExpressions: [{key: b, operator: Exists}, {key: a, operator: Exists}]}",
            "is not in canonical order",
        ),
        ("{matchLabels: {a: b}}", "{matchExpressions: [{key: b, operator: In, values: [z, a]}]}", "canonical order"),
        ("[{kind: ConfigMap, name: carrier}]", "[]", "has 0 entries"),
        (
            "{kind: ConfigMap, name: carrier}",
            "{kind: ConfigMap, name: carrier}, {kind: ConfigMap, name: carrier}",
            "twice",
        ),
        ("name: carrier}]", "name: other}]", "refers to what is not there"),
        ("kind: ConfigMap", "kind: Deployment", "only Secrets and ConfigMaps are read"),
        ("strategy: Reconcile", "strategy: Reconcile\n  strategy: Reconcile", "is not strict YAML"),
    ],
)
def test_a_broken_resource_set_is_noticed(old: str, new: str, message: str, version: str, read: Reader) -> None:
    assert old in SET

    report = read(stream(GOOD, resource_set=SET.replace("VERSION", version).replace(old, new)), code=1)

    assert message in " | ".join(one["message"] for one in report["violations"])


def test_a_version_that_cluster_api_no_longer_serves_is_noticed(read: Reader) -> None:
    report = read(stream(GOOD, resource_set=SET.replace("VERSION", "v1alpha4")), code=1)

    assert "is of no version that Cluster API serves" in report["violations"][0]["message"]


def test_a_secret_of_the_wrong_type_is_noticed_and_its_value_is_not_shown(read: Reader) -> None:
    report = read(stream(GOOD, kind="Secret", secret_type="Opaque"), code=1)

    assert "the controller refuses it" in report["violations"][0]["message"]
    assert base64.b64encode(GOOD.encode()).decode()[:20] not in json.dumps(report)
