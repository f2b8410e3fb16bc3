"""Folders with a kustomization, as `render` and `plan` read them: built by the real program, and nothing else is run.

Each attack puts a program where a repository can name one. It leaves a file behind if it is ever run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.files import kustomize
from krm_fn.krm.results import Errors
from tests.hosts import programs

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
PARENT = "https://parent.example.com"
NOTHING_SET = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
OTHER = {"apiVersion": "example.com/v1", "kind": "Other", "metadata": {"name": "other"}}


def config(name: str = "fleet", function: str = "exec: {path: clusternet-capi-fn}", **spec: Any) -> str:
    annotations = {"config.kubernetes.io/function": function} if function else {}
    return json.dumps(
        {
            "apiVersion": "fn.clusternet.io/v1alpha1",
            "kind": "ClusternetCAPIConfig",
            "metadata": {"name": name, "annotations": annotations},
            "spec": {
                "parentURL": PARENT,
                "registrationToken": {"secretRef": {"name": "reg"}},
                "clusterSelector": {"matchLabels": {"env": "prod"}},
                **spec,
            },
        },
        indent=1,
    )


def cluster(name: str, namespace: str = "team-a", env: str = "prod") -> str:
    return (
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\n"
        f"metadata: {{name: {name}, namespace: {namespace}, labels: {{env: {env}}}}}\n---\n"
    )


SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: reg, annotations: {config.kubernetes.io/local-config: 'true'}}\n"
    f"stringData: {{regToken: {TOKEN}}}\n"
)
ROOT = {
    "kustomization.yaml": "resources: [clusters.yaml, secret.yaml]\ntransformers: [fleet.yaml]\n",
    "clusters.yaml": cluster("one") + cluster("two", env="dev"),
    "secret.yaml": SECRET,
    "fleet.yaml": config(),
}


def available() -> dict[str, Path]:
    """The programs that can build, by the name that they are found by; of kubectls, which differ in kustomize alone, one."""
    found = {f"kustomize {age}": programs.kustomize(age) for age in ("newest", "oldest")}
    found |= dict([(f"kubectl {name}", path) for name, path in programs.kubectls().items()][-1:])
    return {name: path for name, path in found.items() if path is not None}


class Host:
    """A machine with one program that builds, and a repository."""

    def __init__(self, folder: Path, name: str, program: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.bin = folder / "bin"
        self.kind = name.split(maxsplit=1)[0]
        self.program = program
        self.ran = folder / "ran"
        (self.repository / ".git").mkdir(parents=True)
        self.bin.mkdir()
        (self.bin / self.kind).write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        (self.bin / self.kind).chmod(0o755)

    def write(self, files: dict[str, str], below: str = ".") -> Path:
        for name, text in files.items():
            path = self.repository / below / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self.repository / below

    def evil(self, path: str) -> Path:
        """Put a program into the repository that says so when it is run."""
        place = self.repository / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\necho {path} >> {self.ran}\ncat\n")
        place.chmod(0o755)
        return place

    def call(self, *arguments: str | Path, **environment: str) -> programs.Done:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("CLUSTERNET_", "PYTEST_", "COV"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "krm_fn", *map(str, arguments)],
            cwd=self.repository,
            env={**kept, "PATH": f"{self.bin}:/usr/bin:/bin" if self.kind == "any" else str(self.bin), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return programs.Done(done.returncode, done.stdout, done.stderr)

    def build(self, folder: Path) -> str:
        """What kustomize itself prints, with this very function on its PATH."""
        extra = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return programs.run(
            self.program, "build", "--enable-alpha-plugins", "--enable-exec", folder, cwd=self.folder, env=extra
        ).out

    def nothing_ran(self) -> bool:
        return not self.ran.exists()


@pytest.fixture(params=list(available()) or ["none"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    if request.param == "none":
        return pytest.skip("no kustomize and no kubectl here; `make tools` installs them")
    return Host(tmp_path, request.param, available()[request.param])


def objects(text: str) -> set[tuple[str, str, str]]:
    return {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
        for one in yaml.safe_load_all(text)
        if one
    }


GENERATED = {
    ("Secret", "team-a", "clusternet-cluster-api-registration"),
    ("ConfigMap", "team-a", "clusternet-cluster-api-agent"),
    ("ConfigMap", "team-a", "clusternet-cluster-api-identity"),
    ("ClusterResourceSet", "team-a", "clusternet-cluster-api"),
    ("ClusterResourceSet", "team-a", "clusternet-cluster-api-identity"),
}
CLUSTERS = {("Cluster", "team-a", "one"), ("Cluster", "team-a", "two")}


# --- what is built ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kustomization", "waves", "per-cluster", "hub-discovery/management"])
def test_render_prints_what_kustomize_builds_byte_for_byte(host: Host, name: str) -> None:
    folder = programs.REPOSITORY / "examples" / name
    rendered = host.call("render", folder)
    assert rendered.code == 0, rendered.err
    if host.kind == "kustomize":
        assert rendered.out == host.build(folder)
    else:
        newest = programs.kustomize("newest")
        if newest is not None:
            assert objects(rendered.out) == objects(Host(host.folder / "other", "kustomize", newest).build(folder))


@pytest.mark.parametrize(
    "function",
    [
        "exec: {path: clusternet-capi-fn}",
        "exec:\n  path: /usr/local/bin/clusternet-capi-fn\n",
        "exec: {path: ./bin/clusternet-capi-fn}",
        "container: {image: 'clusternet-capi-fn:v0.1.0'}",
        "container: {image: 'registry.example.com:5000/a/clusternet-capi-fn@sha256:0123'}",
        '{"exec": {"path": "clusternet-capi-fn", "args": ["--verbose"]}}',
    ],
)
@pytest.mark.parametrize("field", ["transformers", "generators"])
def test_our_function_is_done_by_this_program_however_it_is_named(host: Host, function: str, field: str) -> None:
    host.evil("bin/clusternet-capi-fn")
    host.evil("clusternet-capi-fn")
    spec: dict[str, Any] = {}
    if field == "generators":
        spec = {"namespaces": ["team-a"], "registrationToken": {"existingSecret": {"name": "reg"}}}
    folder = host.write(
        {**ROOT, "kustomization.yaml": f"resources: [clusters.yaml, secret.yaml]\n{field}: [fleet.yaml]\n"}
    )
    host.write({"fleet.yaml": config(function=function, **spec)})
    done = host.call("render", folder)
    assert done.code == 0, done.err
    expected = GENERATED if field == "transformers" else {one for one in GENERATED if one[0] != "Secret"}
    assert objects(done.out) == CLUSTERS | expected
    assert "fn.clusternet.io/made" not in done.out
    only = host.call("render", folder, "--only", "generated")
    assert objects(only.out) == expected
    plan = json.loads(host.call("plan", folder, "-o", "json").out)
    assert [(one["name"], one["registers"]) for one in plan["clusters"]] == [("one", True), ("two", False)]
    assert host.nothing_ran()


def test_what_a_kustomization_does_not_list_is_not_read_and_what_it_changes_is_changed(host: Host) -> None:
    folder = host.write({**ROOT, "retired.yaml": cluster("retired")})
    host.write(
        {
            "kustomization.yaml": ROOT["kustomization.yaml"]
            + "commonLabels: {team: x}\nimages: [{name: clusters.yaml}]\n"
        }
    )
    done = host.call("render", folder)
    assert objects(done.out) == CLUSTERS | GENERATED
    assert done.out.count("team: x") == 2


def test_a_folder_of_files_is_written_with_the_secret_for_the_owner_alone(host: Host) -> None:
    folder = host.write(ROOT)
    done = host.call("render", folder, "-o", host.folder / "out")
    assert done.code == 0, done.err
    written = {str(path.relative_to(host.folder / "out")): path for path in (host.folder / "out").rglob("*.yaml")}
    assert sorted(written) == sorted(f"team-a/{kind.lower()}_{name}.yaml" for kind, _, name in CLUSTERS | GENERATED)
    secret = written["team-a/secret_clusternet-cluster-api-registration.yaml"]
    assert secret.stat().st_mode & 0o777 == 0o600
    assert "nothing changed" in host.call("render", folder, "-o", host.folder / "out").err


def test_bases_components_and_overlays_of_the_repository_are_reached(host: Host) -> None:
    host.write(ROOT, "base")
    host.write(
        {
            "kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {c: d}}]\n"
        },
        "parts/my part",
    )
    folder = host.write(
        {"kustomization.yaml": "resources:\n- ../../base\ncomponents:\n- ../../parts/my part\n"}, "overlays/prod"
    )
    done = host.call("render", folder)
    assert done.code == 0, done.err
    assert objects(done.out) == CLUSTERS | GENERATED
    assert "c: d" in done.out
    here = host.call("render", "overlays/prod/")
    assert here.out == done.out


def test_names_are_those_that_are_built_in_the_end(host: Host) -> None:
    host.write(ROOT, "base")
    references = (programs.REPOSITORY / "examples/kustomization/name-references.yaml").read_text()
    folder = host.write(
        {
            "kustomization.yaml": "resources: [../base]\nnamePrefix: x-\nnamespace: moved\nconfigurations: [refs.yaml]\n"
            'patches: [{target: {kind: ConfigMap, name: clusternet-cluster-api-agent}, patch: \'[{"op": "add", "path": "/metadata/labels/patched", "value": "yes-it-is"}]\'}]\n',
            "refs.yaml": references,
        },
        "overlay",
    )
    done = host.call("render", folder)
    assert ("ClusterResourceSet", "moved", "x-clusternet-cluster-api") in objects(done.out)
    assert "patched: yes-it-is" in done.out
    planned = host.call("plan", folder, "-o", "json")
    (one, _) = json.loads(planned.out)["clusters"]
    assert one["clusterResourceSet"] == "x-clusternet-cluster-api"
    assert "after this function has run, the build renames, moves or removes team-a/one" in planned.err
    only = host.call("render", folder, "--only", "generated")
    assert {name for _, _, name in objects(only.out)} == {f"x-{name}" for _, _, name in GENERATED}


def test_a_later_patch_that_deletes_what_is_generated_is_warned_about(host: Host) -> None:
    host.write(ROOT, "base")
    delete = "apiVersion: v1\nkind: Secret\nmetadata: {name: clusternet-cluster-api-registration, namespace: team-a}\n$patch: delete\n"
    folder = host.write(
        {"kustomization.yaml": "resources: [../base]\npatches: [{path: delete.yaml}]\n", "delete.yaml": delete},
        "overlay",
    )
    done = host.call("render", folder)
    assert done.code == 0
    assert (
        "Secret team-a/clusternet-cluster-api-registration is generated, but a later part of the build removes it"
        in done.err
    )


def test_several_calls_in_one_build_are_one_plan(host: Host) -> None:
    folder = host.write(ROOT)
    second = config("second", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "second"})
    host.write(
        {
            "second.yaml": second,
            "kustomization.yaml": ROOT["kustomization.yaml"].replace("fleet.yaml", "fleet.yaml, second.yaml"),
        }
    )
    plan = json.loads(host.call("plan", folder, "-o", "json").out)
    assert [(one["name"], one["config"], one.get("clusterResourceSet")) for one in plan["clusters"]] == [
        ("one", "fleet", "clusternet-cluster-api"),
        ("two", "second", "second"),
    ]
    assert plan["summary"]["objects"] == 10
    assert len(objects(host.call("render", folder, "--only", "generated").out)) == 10
    manifests = host.call("manifests", folder, "--only", "agent")
    assert manifests.code == 0, manifests.err


def test_one_config_that_is_called_in_two_layers_counts_once(host: Host) -> None:
    host.write(ROOT, "base")
    folder = host.write(
        {
            "kustomization.yaml": "resources: [../base, secret.yaml]\ntransformers: [fleet.yaml]\n",
            "fleet.yaml": ROOT["fleet.yaml"],
            "secret.yaml": SECRET.replace("name: reg", "name: reg2"),
        },
        "overlay",
    )
    done = host.call("render", folder, "--only", "generated")
    assert objects(done.out) == GENERATED, done.err
    plan = json.loads(host.call("plan", folder, "-o", "json").out)
    assert plan["summary"]["objects"] == 5


# --- layers ----------------------------------------------------------------------------------------------------------


def regions(host: Host, *, own: bool, **spec: Any) -> Path:
    """Two layers that call the function, each over its own Clusters, and one that joins them.

    Each with a config of its `own`, or both through one component, which runs before they set the namespace.
    """
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ntransformers: [fleet.yaml]\n"
    apart = {"registrationToken": {"existingSecret": {"name": "reg"}}, **spec}
    host.write({"kustomization.yaml": component, "fleet.yaml": config(**apart)}, "component")
    for region in ("eu", "us"):
        calls = "transformers: [fleet.yaml]" if own else "components: [../component]"
        host.write(
            {
                "kustomization.yaml": f"resources: [clusters.yaml]\nnamespace: {region}\n{calls}\n",
                "clusters.yaml": (cluster("one") + cluster("two")).replace(", namespace: team-a", ""),
                "fleet.yaml": config(f"fleet-{region}", **apart),
            },
            region,
        )
    return host.write({"kustomization.yaml": "resources: [../eu, ../us]\n"}, "all")


@pytest.mark.parametrize("own", [True, False], ids=["a config each", "one component"])
def test_layers_beside_one_another_are_one_plan_of_what_each_saw(host: Host, *, own: bool) -> None:
    folder = regions(host, own=own)
    everything = host.call("render", folder)
    assert everything.code == 0, everything.err
    made = {one for one in objects(everything.out) if one[0] != "Cluster"}
    assert len(made) == 2 * 4
    only = host.call("render", folder, "--only", "generated")
    assert objects(only.out) == made
    assert "renames, moves or removes" not in only.err
    plan = json.loads(host.call("plan", folder, "-o", "json").out)
    titles = [f"{one['namespace']}/{one['name']}" for one in plan["clusters"] if one["registers"]]
    assert titles == ["eu/one", "eu/two", "us/one", "us/two"]
    assert plan["summary"]["objects"] == 2 * 4
    manifests = host.call("manifests", folder, "--only", "agent")
    assert manifests.code == 0, manifests.err
    assert all(title in manifests.out for title in titles)


@pytest.mark.parametrize("own", [True, False], ids=["a config each", "one component"])
def test_layers_are_compared_with_what_was_built_in_the_end(host: Host, *, own: bool) -> None:
    folder = regions(host, own=own, guard={"maxRemovedClusters": 0})
    output = host.folder / "out"
    assert host.call("render", folder, "-o", output).code == 0
    again = host.call("render", folder, "-o", output)
    assert "nothing changed" in again.err
    assert "not evaluated" not in again.err
    same = host.call("plan", folder, "--baseline", output, "--exit-code", "-o", "json")
    assert same.code == 0, same.err
    host.write({"clusters.yaml": cluster("one").replace(", namespace: team-a", "")}, "us")
    fewer = host.call("render", folder, "-o", output)
    assert fewer.code == 1
    assert "1 of 2 Clusters would no longer be served" in fewer.err or "1 of 4 Clusters" in fewer.err
    assert "us/two" in fewer.err
    assert "fleet.yaml:" in fewer.err.partition("error")[0]
    host.write({"kustomization.yaml": "resources: [../eu]\n"}, "all")
    assert "2 of 4 Clusters would no longer be served" in host.call("plan", folder, "--baseline", output).err


@pytest.mark.parametrize(
    "later",
    [
        "buildMetadata: [managedByLabel, originAnnotations]\n",
        "commonAnnotations: {team: one}\nlabels: [{pairs: {app: x}}]\n",
        "namePrefix: x-\nnamespace: moved\nconfigurations: [refs.yaml]\n",
        'patches: [{target: {kind: ConfigMap}, patch: \'[{"op": "add", "path": "/metadata/labels/app", "value": "x"}]\'}]\n',
    ],
    ids=["build metadata", "labels", "prefix and namespace", "patch"],
)
def test_what_a_later_layer_changes_is_no_change_against_the_same_build(host: Host, later: str) -> None:
    host.write(ROOT, "base")
    references = (programs.REPOSITORY / "examples/kustomization/name-references.yaml").read_text()
    folder = host.write({"kustomization.yaml": f"resources: [../base]\n{later}", "refs.yaml": references}, "overlay")
    output = host.folder / "out"
    assert host.call("render", folder, "-o", output).code == 0
    plan = host.call("plan", folder, "--baseline", output, "--exit-code", "-o", "json")
    assert plan.code == 0, plan.out
    assert host.call("manifests", folder).out.startswith("# for ")


def test_clusters_that_no_call_saw_are_counted_as_the_sets_reach_them(host: Host) -> None:
    """A layer around the one with the function adds Clusters, or renames one that no call registers."""
    kept = {"registrationToken": {"existingSecret": {"name": "reg"}}, "guard": {"maxRemovedClusters": 0}}
    host.write({**ROOT, "fleet.yaml": config(**kept)}, "base")
    more = cluster("reached") + cluster("apart", "team-b") + cluster("off", env="dev")
    folder = host.write({"kustomization.yaml": "resources: [../base, more.yaml]\n", "more.yaml": more}, "overlay")
    output = host.folder / "out"
    assert host.call("render", folder, "-o", output).code == 0
    same = host.call("plan", folder, "--baseline", output, "--exit-code", "-o", "json")
    assert same.code == 0, same.err
    clusters = json.loads(same.out)["clusters"]
    assert [(one["name"], one["registers"], one["clusterResourceSet"]) for one in clusters] == [
        ("off", False, ""),
        ("one", True, "clusternet-cluster-api"),
        ("reached", True, "clusternet-cluster-api"),
        ("two", False, ""),
        ("apart", False, ""),
    ]
    assert (
        clusters[-1]["rule"] == "a later part of the build adds or changes it: run this function in the outermost layer"
    )
    host.write({"more.yaml": cluster("reached", env="dev")}, "overlay")
    assert "1 of 2 Clusters would no longer be served" in host.call("plan", folder, "--baseline", output).err


def test_a_cluster_that_a_later_layer_renames_or_relabels_is_there_once(host: Host) -> None:
    kept = {"registrationToken": {"existingSecret": {"name": "reg"}}}
    nothing = config(**kept, guard={"allowNoClusters": True}, clusterSelector={"matchLabels": {"env": "none"}})
    host.write({**ROOT, "fleet.yaml": nothing}, "base")
    text = "resources: [../base]\nnamePrefix: x-\ntransformers: [fleet.yaml]\n"
    folder = host.write({"kustomization.yaml": text, "fleet.yaml": config("outer", **kept)}, "overlay")
    output = host.folder / "out"
    assert host.call("render", folder, "-o", output).code == 0
    same = host.call("plan", folder, "--baseline", output, "--exit-code", "-o", "json")
    assert same.code == 0, same.err
    clusters = json.loads(same.out)["clusters"]
    assert [(one["name"], one["registers"]) for one in clusters] == [("x-one", True), ("x-two", False)]
    for name, value, found in (("two", "prod", [True, True]), ("one", "dev", [False, False])):
        patch = json.dumps([{"op": "replace", "path": "/metadata/labels/env", "value": value}])
        text = f"resources: [../overlay]\npatches: [{{target: {{kind: Cluster, name: x-{name}}}, patch: '{patch}'}}]\n"
        host.write({"kustomization.yaml": text}, "around")
        plan = json.loads(host.call("plan", host.repository / "around", "-o", "json").out)
        assert [one["registers"] for one in plan["clusters"]] == found


def test_a_renamed_cluster_that_its_own_set_selects_by_the_label_still_registers(host: Host) -> None:
    apart = {"registrationToken": {"existingSecret": {"name": "reg"}}, "identity": {"mode": "PerCluster"}}
    host.write({**ROOT, "fleet.yaml": config(**apart)}, "base")
    folder = host.write({"kustomization.yaml": "resources: [../base]\nnameSuffix: -s\n"}, "overlay")
    plan = json.loads(host.call("plan", folder, "-o", "json").out)
    assert [(one["name"], one["registers"]) for one in plan["clusters"]] == [("one-s", True), ("two-s", False)]


def test_a_check_around_layers_judges_what_they_made_and_shows_it(host: Host) -> None:
    folder = regions(host, own=True)
    check = config("check", mode="Check", registrationToken={"existingSecret": {"name": "reg"}})
    host.write(
        {"kustomization.yaml": "resources: [../eu, ../us]\ntransformers: [check.yaml]\n", "check.yaml": check}, "all"
    )
    done = host.call("render", folder, "--only", "generated")
    assert done.code == 0, done.err
    assert len(objects(done.out)) == 2 * 4


def test_a_build_without_the_function_takes_a_config_from_elsewhere(host: Host) -> None:
    folder = host.write({**ROOT, "kustomization.yaml": "resources: [clusters.yaml, secret.yaml]\nnamespace: team-a\n"})
    without = host.call("plan", folder)
    assert "the kustomization does not list" in without.err
    assert "fleet.yaml, so this config is applied to what kustomize built" in without.err
    host.write({"second.yaml": config("second")})
    without = host.call("render", folder)
    assert without.code == 1
    assert "fleet.yaml holds a ClusternetCAPIConfig that the build does not use" in without.err
    host.write({"apart.yaml": config(function="", registrationToken={"existingSecret": {"name": "reg"}})}, "apart")
    done = host.call("render", folder, "-c", host.repository / "apart/apart.yaml")
    assert done.code == 0, done.err
    assert objects(done.out) == CLUSTERS | {one for one in GENERATED if one[0] != "Secret"}
    assert host.call("render", folder, "-c", host.repository / "apart/apart.yaml", "-o", host.folder / "out").code == 0
    assert (host.folder / "out/team-a/cluster_one.yaml").exists()


def test_an_error_of_the_function_is_reported_once_with_its_place(host: Host) -> None:
    folder = host.write({**ROOT, "fleet.yaml": config().replace("clusterSelector", "clusterSelectors")})
    for command in (["render"], ["plan", "-o", "json"], ["manifests"]):
        done = host.call(*command, folder)
        assert done.code == 1
        assert done.err.count("clusterSelectors") == 1
        assert "fleet.yaml" in done.err
        assert "exit status" not in done.err


def test_an_error_of_the_kustomization_is_reported_with_the_users_paths(host: Host) -> None:
    folder = host.write({"kustomization.yaml": "resources: [missing.yaml]\n"})
    done = host.call("render", folder)
    assert done.code == 1
    assert f"kustomize can't build {folder}: the build failed: " in done.err
    assert "missing.yaml" in done.err
    assert "clusternet-" not in done.err.replace(str(folder), "")


def test_nothing_is_left_behind(host: Host) -> None:
    folder = host.write(ROOT)
    (host.folder / "tmp").mkdir()
    for arguments in (["render", folder], ["render", folder.parent / "missing"], ["plan", folder]):
        host.call(*arguments, TMPDIR=str(host.folder / "tmp"))
    assert list((host.folder / "tmp").iterdir()) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted([".git", *ROOT])


# --- what must not run -----------------------------------------------------------------------------------------------

FUNCTION = "config.kubernetes.io/function"


def other(function: str, key: str = FUNCTION) -> str:
    return json.dumps({**OTHER, "metadata": {"name": "other", "annotations": {key: function}}})


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def attacks() -> dict[str, dict[str, str]]:
    """Kustomizations by what they try; EVIL is the program."""
    run = "exec: {path: EVIL}"
    plain = yaml.safe_dump({**OTHER, "metadata": {"name": "other", "annotations": {FUNCTION: "exec:\n  path: EVIL\n"}}})
    bare = json.dumps(OTHER)
    anchored = f"x: &f 'exec: {{path: EVIL}}'\napiVersion: example.com/v1\nkind: Other\nmetadata: {{name: other, annotations: {{{FUNCTION}: *f}}}}\n"
    escaped = f'apiVersion: example.com/v1\nkind: Other\nmetadata: {{name: other, annotations: {{{FUNCTION}: "\\x65xec: {{path: EVIL}}"}}}}\n'
    merged = f"base: &b {{{FUNCTION}: 'exec: {{path: EVIL}}'}}\napiVersion: example.com/v1\nkind: Other\nmetadata: {{name: other, annotations: {{<<: *b}}}}\n"
    found: dict[str, dict[str, str]] = {}
    for field in ("transformers", "generators", "validators"):
        found[field] = {"kustomization.yaml": f"resources: [c.yaml]\n{field}: [f.yaml]\n", "f.yaml": other(run)}
    found["inline, as a block"] = {"kustomization.yaml": "resources: [c.yaml]\ntransformers:\n- |-\n" + indented(plain)}
    found["inline, in quotes"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: " + json.dumps([other(run)]) + "\n"
    }
    found["inline, escaped"] = {
        "kustomization.yaml": 'resources: [c.yaml]\ntransformers: ["'
        + json.dumps(other(run))[1:-1].replace("exec", "\\u0065xec")
        + '"]\n'
    }
    found["a JSON kustomization"] = {
        "kustomization.yaml": json.dumps({"resources": ["c.yaml"], "transformers": [other(run)]})
    }
    for name, text in (("anchored", anchored), ("escaped", escaped), ("merged", merged)):
        found[name] = {"kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n", "f.yaml": text}
    found["the old annotation"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        "f.yaml": other(run, "config.k8s.io/function"),
    }
    found["the field before it"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        "f.yaml": json.dumps({**OTHER, "metadata": {"name": "other", "configFn": {"exec": {"path": "EVIL"}}}}),
    }
    found["our config with another program"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        "f.yaml": config(function=run),
    }
    found["a base"] = {
        "kustomization.yaml": "resources: [base]\n",
        "base/kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.txt]\n",
        "base/f.txt": other(run),
        "base/c.yaml": cluster("one"),
    }
    found["a component"] = {
        "kustomization.yaml": "resources: [c.yaml]\ncomponents: [part]\n",
        "part/Kustomization": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ntransformers: [f.yaml]\n",
        "part/f.yaml": other(run),
    }
    found["a patched config"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [made]\n",
        "made/kustomization.yaml": "resources: [f.yaml]\npatches: [{path: p.yaml}]\n",
        "made/f.yaml": bare,
        "made/p.yaml": other(run),
    }
    found["a config patched inline"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [made]\n",
        "made/kustomization.yaml": "resources: [f.yaml]\npatches:\n- patch: |-\n" + indented(indented(plain)),
        "made/f.yaml": bare,
    }
    operation = [{"op": "add", "path": "/metadata/annotations", "value": {FUNCTION: run}}]
    deep = [{"op": "add", "path": "/metadata/annotations/config.kubernetes.io~1function", "value": run}]
    annotated = json.dumps({**OTHER, "metadata": {"name": "other", "annotations": {"a": "b"}}})
    for name, patch in (("a JSON patch", operation), ("a JSON patch of the key", deep)):
        found[name] = {
            "kustomization.yaml": "resources: [c.yaml]\ntransformers: [made]\n",
            "made/kustomization.yaml": f"resources: [f.yaml]\npatches: [{{target: {{kind: Other}}, patch: {json.dumps(json.dumps(patch))}}}]\n",
            "made/f.yaml": annotated,
        }
    found["common annotations"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [made]\n",
        "made/kustomization.yaml": f"resources: [f.yaml]\ncommonAnnotations: {{{FUNCTION}: 'exec: {{path: EVIL}}'}}\n",
        "made/f.yaml": bare,
    }
    found["a CRLF file"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        "f.yaml": plain.replace("\n", "\r\n"),
    }
    found["behind another document"] = {
        "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        "f.yaml": f"# c\n---\n{plain}---\n",
    }
    return found


@pytest.mark.parametrize("attack", list(enumerate(attacks().values())), ids=list(attacks()))
def test_a_program_that_a_repository_names_is_refused_by_name_and_not_run(
    host: Host, attack: tuple[int, dict[str, str]]
) -> None:
    number, files = attack
    path = str(host.evil("evil.sh")) if number % 2 else "./evil.sh"
    folder = host.write(
        {"c.yaml": cluster("one"), **{name: text.replace("EVIL", path) for name, text in files.items()}}
    )
    for name in ("base", "part", "made"):
        if (folder / name).is_dir():
            host.evil(f"{name}/evil.sh")
    apart = config(function="", registrationToken={"existingSecret": {"name": "r"}})
    done = host.call("render", folder, "-c", host.write({"fleet.yaml": apart}, "apart") / "fleet.yaml")
    assert host.nothing_ran()
    assert done.code == 1, done.out
    assert f"asks for the program {path}, which is not run unless you pass --enable-exec" in done.err


@pytest.mark.parametrize("field", ["transformers", "generators", "validators"])
def test_a_function_that_kustomize_would_fetch_is_refused_by_its_url(host: Host, field: str) -> None:
    """Kustomize would skip it silently if it is a program."""
    url = "https://functions.invalid/f.yaml"
    folder = host.write(
        {
            "c.yaml": cluster("one"),
            "kustomization.yaml": f"resources: [c.yaml]\n{field}: [{url}]\n",
            "other/kustomization.yaml": f"{field}: [{url}]\n",  # no part of the build
        }
    )
    done = host.call("render", folder)
    assert done.code == 1
    assert done.err.count(f"asks for the program {url}, which is not run unless you pass --enable-exec") == 1
    (folder / "kustomization.yaml").write_text("resources: [c.yaml]\n")
    assert "asks for" not in host.call("render", folder).err


def test_an_annotation_that_is_put_together_by_kustomize_is_not_run_either(host: Host) -> None:
    """Nothing in the files shows it, so it can't be refused; kustomize itself has no leave to run programs."""
    evil = host.evil("evil.sh")
    replace = [
        {
            "source": {"kind": "ConfigMap", "name": "s", "fieldPath": "data.a"},
            "targets": [
                {
                    "select": {"kind": "Other"},
                    "fieldPaths": [f"metadata.annotations.[{FUNCTION}]"],
                    "options": {"create": True},
                }
            ],
        }
    ]
    folder = host.write(
        {
            "c.yaml": cluster("one"),
            "kustomization.yaml": "resources: [c.yaml]\ntransformers: [made]\n",
            "made/kustomization.yaml": f"resources: [f.yaml]\ntransformers: [drop.yaml]\nconfigMapGenerator: [{{name: s, literals: ['a=exec: {{path: {evil}}}'], options: {{disableNameSuffixHash: true}}}}]\nreplacements: {json.dumps(replace)}\n",
            "made/f.yaml": json.dumps(OTHER),
            "made/drop.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: drop}\ntarget: {kind: ConfigMap}\npatch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: s}, $patch: delete}'\n",
        }
    )
    host.call("render", folder)
    assert host.nothing_ran()


@pytest.mark.parametrize(
    "image",
    [
        "example.com/evil:v1",
        "clusternet-capi-fn-evil",
        "clusternet-capi-fn/evil",
        "evil@sha256:clusternet-capi-fn",
        "--privileged",
    ],
)
def test_an_image_that_a_repository_names_is_refused_by_name_and_not_run(host: Host, image: str) -> None:
    host.evil("../bin/docker")
    folder = host.write(
        {
            "c.yaml": cluster("one"),
            "f.yaml": other(f"container: {{image: '{image}'}}"),
            "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        }
    )
    done = host.call("render", folder)
    assert done.code == 1
    assert f"asks for the image {image}, which is not run unless you pass --enable-exec" in done.err
    assert host.nothing_ran()


@pytest.mark.parametrize(
    "text",
    [
        "helmCharts: [{name: x, repo: https://charts.example.com}]\n",
        "generators: [h.yaml]\n",
    ],
)
def test_helm_is_refused(host: Host, text: str) -> None:
    host.evil("../bin/helm")
    folder = host.write(
        {
            "kustomization.yaml": text,
            "h.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: x\n",
        }
    )
    done = host.call("render", folder)
    assert done.code == 1
    assert "--enable-exec" in done.err
    assert host.nothing_ran()


def test_plugin_folders_are_not_looked_at(host: Host) -> None:
    for home in ("plugin", ".config/kustomize/plugin", "kustomize/plugin"):
        host.evil(f"{home}/example.com/v1/other/Other")
    folder = host.write(
        {
            "c.yaml": cluster("one"),
            "f.yaml": json.dumps(OTHER),
            "kustomization.yaml": "resources: [c.yaml]\ntransformers: [f.yaml]\n",
        }
    )
    done = host.call(
        "render", folder, KUSTOMIZE_PLUGIN_HOME=str(folder / "plugin"), XDG_CONFIG_HOME=str(folder), HOME=str(folder)
    )
    assert done.code == 1
    assert host.nothing_ran()


@pytest.mark.parametrize("entry", ["", ".", "bin"])
def test_a_program_of_the_repository_is_not_found_by_a_relative_path(host: Host, entry: str) -> None:
    for name in ("kustomize", "kubectl", "docker", "git", "clusternet-capi-fn"):
        host.evil(name)
        host.evil(f"bin/{name}")
    folder = host.write(ROOT)
    done = host.call("render", folder, PATH=f"{entry}:{host.bin}")
    assert done.code == 0, done.err
    assert host.nothing_ran()


def test_arguments_of_our_function_are_refused_not_ignored(host: Host) -> None:
    folder = host.write(
        {**ROOT, "fleet.yaml": config(function="exec: {path: clusternet-capi-fn, args: [fn, --baseline, /etc]}")}
    )
    done = host.call("render", folder)
    assert done.code == 1
    assert "gives arguments to clusternet-capi-fn: give them to this command instead" in done.err


@pytest.mark.parametrize("link", ["kustomization.yaml", "clusters.yaml", "base"])
def test_a_link_that_leads_out_of_the_repository_is_not_followed(host: Host, link: str) -> None:
    folder = host.write({**ROOT, "kustomization.yaml": ROOT["kustomization.yaml"].replace("[c", "[base, c")})
    outside = host.folder / "outside"
    (outside / "base").mkdir(parents=True)
    (outside / "kustomization.yaml").write_text("resources: []\nhunter2: hunter2\n")
    (outside / "clusters.yaml").write_text(cluster("hunter2"))
    (outside / "base/kustomization.yaml").write_text("resources: [c.yaml]\n")
    (outside / "base/c.yaml").write_text(cluster("hunter2"))
    (folder / link).unlink(missing_ok=True)
    (folder / link).symlink_to(outside / link)
    if link != "base":
        host.write({"kustomization.yaml": "resources: []\n"}, "base")
    done = host.call("render", folder)
    assert done.code == 1
    assert f"{link} " in done.err
    assert "leads out of" in done.err
    assert "hunter2" not in done.err + done.out


def test_a_base_outside_the_repository_is_not_reached(host: Host) -> None:
    outside = host.folder / "outside"
    outside.mkdir()
    (outside / "kustomization.yaml").write_text("resources: [c.yaml]\n")
    (outside / "c.yaml").write_text(cluster("hunter2"))
    folder = host.write({"kustomization.yaml": "resources: [../../outside]\n"}, "overlay")
    host.write({"kustomization.yaml": ""}, ".")
    done = host.call("render", folder)
    assert done.code == 1
    assert "../../outside leads out of" in done.err
    assert "hunter2" not in done.out


@pytest.mark.parametrize("field", ["resources", "Components", "bases"])
def test_nor_one_that_the_copy_would_lead_to(host: Host, field: str) -> None:
    outside = host.folder / "outside"
    outside.mkdir()
    kind = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n" if field == "Components" else ""
    (outside / "kustomization.yaml").write_text(f"{kind}resources: [c.yaml]\n")
    (outside / "c.yaml").write_text(cluster("hunter2"))
    path = f"{'../' * 40}{str(outside).lstrip('/')}"
    folder = host.write({**ROOT, "kustomization.yaml": f"{ROOT['kustomization.yaml']}{field}: [{path}]\n"})
    if field == "resources":
        entry = ROOT["kustomization.yaml"].replace("[c", f"[{path}, c", 1)
        host.write({"kustomization.yaml": entry})
    done = host.call("render", folder)
    assert done.code == 1
    assert "leads out of" in done.err
    assert "hunter2" not in done.err + done.out


def test_a_token_of_the_operator_reaches_the_output_and_not_kustomize(host: Host) -> None:
    real = (host.bin / host.kind).read_text()
    (host.bin / host.kind).write_text(real.replace("exec", f"/usr/bin/env > {host.folder}/env\nexec", 1))
    folder = host.write({**ROOT, "fleet.yaml": config(registrationToken={"env": "CLUSTERNET_T"})})
    done = host.call(
        "render",
        folder,
        CLUSTERNET_T=TOKEN,
        CLUSTERNET_PARENT_URLS=PARENT,
        KUSTOMIZE_PLUGIN_HOME="/x",
        SOME_SECRET="hunter2",
    )
    assert done.code == 0, done.err
    assert objects(done.out) == CLUSTERS | GENERATED
    seen = (host.folder / "env").read_text()
    assert not re.search("CLUSTERNET|KUSTOMIZE|hunter2|" + TOKEN, seen)
    assert set(re.findall(r"(?m)^(\w+)=", seen)) <= {
        "PATH",
        "HOME",
        "TMPDIR",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_SSL_CAINFO",
        "GIT_TERMINAL_PROMPT",
        "GIT_ALLOW_PROTOCOL",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    }


@pytest.mark.parametrize("path", ["./evil.sh", "clusternet-capi-fn"])
def test_a_program_that_a_remote_base_names_is_refused_by_name_and_ours_is_done(
    host: Host, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a local protocol, since tests reach no other machine; kustomize alone skips such a program without a word."""
    remote = host.folder / "remote"
    git = shutil.which("git") or "git"
    host.write({**ROOT, "fleet.yaml": config(function=f"exec: {{path: {path}}}")}, "../remote/base")
    host.evil("../remote/base/evil.sh")
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run([git, *words], cwd=remote, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(host.folder)})
    folder = host.write({"kustomization.yaml": f"resources: ['file://{remote}//base?ref=main']\n"})
    monkeypatch.setattr(kustomize, "_PROTOCOLS", "https:file")
    monkeypatch.setenv("PATH", f"{host.bin}:/usr/bin:/bin")
    asked: list[bytes] = []

    def answer(data: bytes, files: object) -> tuple[int, bytes, str]:
        del files
        asked.append(data)
        return 0, data, ""

    if path == "clusternet-capi-fn":
        assert b"name: one" in kustomize.build(str(folder), answer).output
        assert len(asked) == 1
    else:
        with pytest.raises(
            Errors, match=r"fleet.yaml asks for the program ./evil.sh, which is not run unless you pass"
        ):
            kustomize.build(str(folder), answer)
    assert host.nothing_ran()


# --- with leave ------------------------------------------------------------------------------------------------------


def test_with_leave_other_programs_run_and_ours_is_still_seen(host: Host) -> None:
    host.evil("label.sh")
    folder = host.write(
        {
            **ROOT,
            "f.yaml": other("exec: {path: ./label.sh}"),
            "kustomization.yaml": ROOT["kustomization.yaml"].replace("[fleet", "[f.yaml, fleet"),
        }
    )
    done = host.call("render", folder, "--enable-exec", PATH=f"{host.bin}:/usr/bin:/bin", CLUSTERNET_T="x")
    if host.kind == "kubectl":
        assert done.code == 1
        assert "asks for the program ./label.sh, which can't be run here: install kustomize" in done.err
        return
    assert done.code == 0, done.err
    assert objects(done.out) == CLUSTERS | GENERATED
    assert host.ran.read_text() == "label.sh\n"
    plan = host.call("plan", folder, "--enable-exec", "-o", "json", PATH=f"{host.bin}:/usr/bin:/bin")
    assert [one["registers"] for one in json.loads(plan.out)["clusters"]] == [True, False]


def test_with_leave_other_images_go_to_docker(host: Host) -> None:
    host.evil("../bin/docker")
    folder = host.write(
        {
            **ROOT,
            "f.yaml": other("container: {image: example.com/cat}"),
            "kustomization.yaml": ROOT["kustomization.yaml"].replace("[fleet", "[f.yaml, fleet"),
        }
    )
    done = host.call("render", folder, "--enable-exec", PATH=f"{host.bin}:/usr/bin:/bin")
    assert done.code == 0, done.err
    assert objects(done.out) == CLUSTERS | GENERATED
    assert not host.nothing_ran()
