"""`files.originals`: the lines of a user's own file, where a host's stream has others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from krm_fn.files import originals
from krm_fn.files.originals import original
from krm_fn.krm import resource_list
from tests.support.lists import Run

if TYPE_CHECKING:
    from pathlib import Path

FLEET = """\
# who registers

apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet

spec:
  parentURL: https://parent.example.com:6443
  registrationToken: {existingSecret: {name: registration}}

  clusterSelectors: {matchLabels: {env: prod}}
"""
CLUSTERS = """\
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: web, namespace: %s}

---

apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata:
  name: api
  namespace: team-a

  labels: {env: on}
"""
CONFIG = """\
  apiVersion: fn.clusternet.io/v1alpha1
  kind: ClusternetCAPIConfig
  metadata:
    name: fleet
%s  spec:
    %s: {matchLabels: {env: prod}}
    parentURL: https://parent.example.com:6443
    registrationToken: {existingSecret: {name: registration}}
"""
HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"


def annotations(**values: str) -> str:
    keys = {"path": "path", "index": "index", "package": "package-path"}
    lines = [f"      internal.config.kubernetes.io/{keys[key]}: '{value}'\n" for key, value in values.items()]
    return "    annotations:\n" + "".join(lines) if values else ""


def items(index: str, **more: str) -> str:
    return (
        "items:\n- apiVersion: cluster.x-k8s.io/v1beta2\n  kind: Cluster\n  metadata:\n"
        f"    name: api\n    namespace: team-a\n    labels: {{env: on}}\n{annotations(**more, index=index)}"
    )


def run(text: str) -> str:
    made = Run((HEAD + text).encode(), original=original)
    assert made.code == 1
    return made.stderr.partition("\n")[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fleet.yaml").write_text(FLEET, encoding="utf-8")
    (tmp_path / "clusters.yaml").write_text(CLUSTERS % "team-a", encoding="utf-8")
    (tmp_path / "Kptfile").touch()
    monkeypatch.chdir(tmp_path)
    originals.objects.cache_clear()
    return tmp_path


def test_kpt_names_the_file_and_its_line_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    where = annotations(path="fleet.yaml", index="0", package=str(folder))
    assert run("items: []\nfunctionConfig:\n" + CONFIG % (where, "clusterSelectors")).startswith(
        "fleet.yaml:12:3: error: "
    )


def test_a_folder_that_is_no_package_is_not_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An annotation may name any folder of the machine."""
    monkeypatch.chdir("/")
    (folder / "Kptfile").unlink()
    where = annotations(path="fleet.yaml", index="0", package=str(folder))
    assert run("items: []\nfunctionConfig:\n" + CONFIG % (where, "clusterSelectors")).startswith(
        "fleet.yaml:6:3: error: "
    )


def test_the_second_object_of_a_file_has_its_line_there(folder: Path) -> None:
    text = (
        items("1", path="clusters.yaml", package=str(folder)) + "functionConfig:\n" + CONFIG % ("", "clusterSelector")
    )
    assert run(text).startswith("clusters.yaml:13:17: error: Cluster api: metadata.labels 'env' is a boolean")


def test_kustomize_names_no_file_and_the_one_beside_the_kustomization_is_found(folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("transformers: [fleet.yaml]\n", encoding="utf-8")
    assert run("items: []\nfunctionConfig:\n" + CONFIG % ("", "clusterSelectors")).startswith(
        "fleet.yaml:12:3: error: spec."
    )


def test_without_a_kustomization_nothing_is_looked_for(folder: Path) -> None:
    assert (folder / "fleet.yaml").exists()
    assert run("items: []\nfunctionConfig:\n" + CONFIG % ("", "clusterSelectors")).startswith("stdin:10:5: error: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("fleet.yaml", FLEET.replace("prod", "test"), id="it has changed since"),
        pytest.param("copy.yaml", FLEET, id="two files hold it"),
        pytest.param("fleet.yaml", "a: [", id="it can't be read"),
        pytest.param("fleet.yaml", FLEET.replace("name: fleet", "name: other"), id="it has another name"),
        pytest.param("fleet.yaml", FLEET.replace("spec:", "spec: &a\n  x: *b"), id="its values can't be read"),
    ],
)
def test_a_file_that_is_not_certain_is_not_named(name: str, text: str, folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("transformers: [fleet.yaml]\n", encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    assert run("items: []\nfunctionConfig:\n" + CONFIG % ("", "clusterSelectors")).startswith("stdin:")


def test_of_two_objects_of_one_name_that_of_the_same_namespace_is_it(folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("resources: [clusters.yaml, other.yaml]\n", encoding="utf-8")
    (folder / "other.yaml").write_text(
        (CLUSTERS % "team-b").replace("namespace: team-a", "namespace: team-b"), encoding="utf-8"
    )
    found = resource_list.read((HEAD + items("0")).encode()).items[0]
    named = original(found)
    assert named is not None
    assert named.file_path == "clusters.yaml"


def test_no_file_outside_of_the_package_is_opened(folder: Path) -> None:
    inner = folder / "package"
    inner.mkdir()
    (inner / "Kptfile").touch()
    where = annotations(path="../fleet.yaml", index="0", package=str(inner))
    assert run("items: []\nfunctionConfig:\n" + CONFIG % (where, "clusterSelectors")).startswith(
        "../fleet.yaml:6:3: error: "
    )


KPTFILE = """\
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: fleet

pipeline:
  validators: [{image: checks}]
  mutators:
    - image: other
      configMap: {a: b}
    - exec: clusternet-capi-fn
      configMap:
        # the parent cluster

        parentURL: http://parent.example.com:6443
        agent.replicaz: "2"
"""
OF_STEP = """\
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  metadata: {name: function-input}
  data: {agent.replicaz: "2", parentURL: 'http://parent.example.com:6443'}
"""


@pytest.mark.parametrize(("readable", "lines"), [(True, [15, 16]), (False, [13, 14])])
def test_what_the_kptfile_configures_has_its_line_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, readable: bool, lines: list[int]
) -> None:
    """Where the file can't be read, as in a container, lines are those of what kpt sent, without empty lines."""
    monkeypatch.chdir("/")
    if readable:
        (folder / "Kptfile").write_text(KPTFILE, encoding="utf-8")
    sent = KPTFILE.replace("\n\n", "\n").replace(
        "  name: fleet\n", "  name: fleet\n" + annotations(path="Kptfile", index="0", package=str(folder))[2:], 1
    )
    item = "- " + sent.replace("\n", "\n  ").rstrip() + "\n"
    made = Run((HEAD + "items:\n" + item + OF_STEP).encode(), original=original)
    errors = [line for line in made.stderr.splitlines() if "parentURL must" in line or "replicaz" in line]
    assert [one.partition(": error: ")[0].split(":")[:2] for one in sorted(errors)] == [
        ["Kptfile", str(line)] for line in lines
    ]


def test_a_kptfile_that_cant_be_read_hides_no_error() -> None:
    item = "- apiVersion: kpt.dev/v1\n  kind: Kptfile\n  metadata: {name: fleet}\n  pipeline: 1\n  pipeline: 2\n"
    made = Run((HEAD + "items:\n" + item + OF_STEP).encode(), original=original)
    assert made.code == 1
    assert "data.parentURL must begin with https://" in made.stderr
