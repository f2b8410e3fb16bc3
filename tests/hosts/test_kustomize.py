"""Standalone kustomize, newest and oldest: generator, transformer, validator; renames; layers; several configs."""

from __future__ import annotations

import base64
import re

import pytest

from tests.hosts.manifests import TOKEN, dangling, generated, index, read, shared
from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hosts.programs import Done

ALPHA = "--enable-alpha-plugins"
NAME_REFERENCES = (REPOSITORY / "examples/kustomization/name-references.yaml").read_text(encoding="utf-8")
CLUSTERS = """\
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: one, namespace: prod, labels: {env: prod, register: "true"}}
spec: {topology: {classRef: {name: standard}, version: v1.34.2}}
---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: two, namespace: prod, labels: {env: dev, register: "true"}}
spec: {topology: {classRef: {name: standard}, version: v1.34.2}}
"""
EXISTING = "existingSecret: {name: registration}"
REGISTRATION = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: clusternet-agent-cluster-registration, namespace: clusternet-system}}
stringData: {{parentURL: "https://parent.example.com:6443", regToken: "{TOKEN}"}}
"""
EXISTING_SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: registration, namespace: prod}}
type: addons.cluster.x-k8s.io/resource-set
data: {{registration.yaml: {base64.b64encode(REGISTRATION.encode()).decode()}}}
"""


def kustomization(**fields: list[str]) -> str:
    """A kustomization.yaml of lists."""
    return "".join(f"{field}: [{', '.join(values)}]\n" for field, values in fields.items())


def config(
    name: str = "fleet", *, token: str = f"value: {TOKEN}", selector: str = '{register: "true"}', more: str = ""
) -> str:
    """A config that kustomize runs by exec; `more` are further lines of its spec."""
    return (
        f"apiVersion: fn.clusternet.io/v1alpha1\nkind: ClusternetCAPIConfig\nmetadata:\n  name: {name}\n"
        "  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: clusternet-capi-fn\n"
        f"spec:\n  parentURL: https://parent.example.com:6443\n  registrationToken: {{{token}}}\n"
        f"  clusterSelector: {{matchLabels: {selector}}}\n" + "".join(f"  {line}\n" for line in more.splitlines())
    )


def build(kustomize: Path, folder: Path, *, code: int | None = 0, env: dict[str, str] | None = None) -> Done:
    """`kustomize build` as a user of exec functions calls it."""
    return run(kustomize, "build", ALPHA, "--enable-exec", folder, cwd=folder, code=code, env=env)


# --- transformer -----------------------------------------------------------------------------------------------------


def test_the_main_example_builds_what_its_expected_output_says(kustomize: Path, example: Callable[..., Path]) -> None:
    done = build(kustomize, example("kustomization"))
    expected = (REPOSITORY / "examples/kustomization/.expected/output.yaml").read_text(encoding="utf-8")
    built = index(read(done.out))
    assert built == {
        key: value
        for key, value in index(read(expected)).items()
        if value["metadata"].get("annotations", {}).get("config.kubernetes.io/local-config") != "true"
    }


def test_the_main_example_serves_three_namespaces_and_leaves_the_token_source_out(
    kustomize: Path, example: Callable[..., Path]
) -> None:
    built = read(build(kustomize, example("kustomization")).out)
    assert generated(built) == shared("payments") | shared("retail") | shared("edge")
    assert dangling(built) == set()
    assert ("Secret", "", "clusternet-registration") not in index(built)


def test_a_second_build_gives_the_same_bytes(kustomize: Path, example: Callable[..., Path]) -> None:
    folder = example("kustomization")
    assert build(kustomize, folder).out == build(kustomize, folder).out


def test_a_build_on_top_of_a_built_tree_changes_nothing(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        first={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(),
        }
    )
    once = build(kustomize, root / "first").out
    files(
        second={
            "kustomization.yaml": kustomization(resources=["built.yaml"], transformers=["fleet.yaml"]),
            "built.yaml": once,
            "fleet.yaml": config(),
        }
    )
    assert build(kustomize, root / "second").out == once


def test_the_clusters_come_out_as_they_went_in(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(),
        }
    )
    built = index(read(build(kustomize, root / "it").out))
    assert [built[("Cluster", "prod", name)] for name in ("one", "two")] == read(CLUSTERS)


def test_without_enable_exec_kustomize_skips_an_exec_function_and_says_nothing(
    kustomize: Path, example: Callable[..., Path]
) -> None:
    """kustomize's own trap: the pages warn of it, and this holds the warning true."""
    folder = example("kustomization")
    done = run(kustomize, "build", ALPHA, folder, cwd=folder)
    assert generated(read(done.out)) == set()


def test_an_error_fails_the_build_with_the_cause_in_the_first_line(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(selector='{register: "nowhere"}'),
        }
    )
    done = build(kustomize, root / "it", code=None)
    assert re.match(r"fleet\.yaml:[0-9]+:[0-9]+: error: none of the 2 Clusters", done.err)
    assert done.out == ""


# --- token sources that kustomize makes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        pytest.param("", True, id="with a hash"),
        pytest.param("disableNameSuffixHash: true", True, id="without a hash"),
        pytest.param('annotations: {config.kubernetes.io/local-config: "true"}', False, id="dropped once it was read"),
    ],
)
def test_a_secret_of_secret_generator_is_a_token_source(
    kustomize: Path, files: Callable[..., Path], options: str, *, kept: bool
) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"])
            + f"secretGenerator:\n- name: parent-token\n  files: [regToken=token.txt]\n  options: {{{options}}}\n",
            "token.txt": TOKEN + "\n",
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(token="secretRef: {name: parent-token}"),
        }
    )
    built = read(build(kustomize, root / "it").out)
    assert generated(built) == shared("prod")
    assert any(value["metadata"]["name"].startswith("parent-token") for value in built) is kept


def test_the_environment_of_the_build_is_a_token_source(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(token="env: CLUSTERNET_REG_TOKEN"),
        }
    )
    done = build(kustomize, root / "it", env={"CLUSTERNET_REG_TOKEN": TOKEN, "CLUSTERNET_PARENT_URLS": "*"})
    assert generated(read(done.out)) == shared("prod")
    assert TOKEN not in done.out + done.err


# --- generator -------------------------------------------------------------------------------------------------------


def test_as_a_generator_it_serves_the_namespaces_that_the_config_names(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(generators=["fleet.yaml"]),
            "fleet.yaml": config(more="namespaces: [prod, edge]"),
        }
    )
    built = read(build(kustomize, root / "it").out)
    assert generated(built) == shared("prod") | shared("edge")
    assert {value["kind"] for value in built} == {"ConfigMap", "Secret", "ClusterResourceSet"}
    assert dangling(built) == set()


def test_a_generator_sees_no_secret_and_says_so(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(generators=["fleet.yaml"], resources=["token.yaml"]),
            "token.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: parent-token}\n"
            f"stringData: {{regToken: {TOKEN}}}\n",
            "fleet.yaml": config(token="secretRef: {name: parent-token}", more="namespaces: [prod]"),
        }
    )
    done = build(kustomize, root / "it", code=None)
    assert "parent-token" in done.err.splitlines()[0]
    assert "generator" in done.err


@pytest.mark.parametrize("references", [True, False], ids=["with name references", "without"])
def test_a_prefix_and_a_suffix_reach_the_references_only_with_our_name_references(
    kustomize: Path, files: Callable[..., Path], *, references: bool
) -> None:
    fields = {"configurations": ["name-references.yaml"]} if references else {}
    root = files(
        it={
            "kustomization.yaml": kustomization(generators=["fleet.yaml"], **fields)
            + "namePrefix: eu-\nnameSuffix: -v1\nnamespace: central\n",
            "name-references.yaml": NAME_REFERENCES,
            "fleet.yaml": config(more="namespaces: [prod]"),
        }
    )
    built = read(build(kustomize, root / "it").out)
    assert generated(built) == shared("central", prefix="eu-", suffix="-v1")
    assert (dangling(built) == set()) is references


# --- hashes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("references", [True, False], ids=["with name references", "without"])
def test_a_hashed_extra_resource_is_found_only_with_our_name_references(
    kustomize: Path, files: Callable[..., Path], *, references: bool
) -> None:
    fields = {"configurations": ["name-references.yaml"]} if references else {}
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"], **fields)
            + "configMapGenerator:\n- name: pull-secrets\n  namespace: prod\n  literals: [a=b]\n",
            "name-references.yaml": NAME_REFERENCES,
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(more="clusterResourceSet: {extraResources: [{kind: ConfigMap, name: pull-secrets}]}"),
        }
    )
    built = read(build(kustomize, root / "it").out)
    assert any(value["metadata"]["name"].startswith("pull-secrets-") for value in built)
    assert (dangling(built) == set()) is references


# --- validator -------------------------------------------------------------------------------------------------------

CAT = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: nothing
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: /bin/cat
"""


def test_as_a_validator_it_lets_a_good_fleet_pass_and_modifies_nothing(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    """The check is listed under transformers too, because of the bug in kustomize that the last test here shows."""
    root = files(
        it={
            "kustomization.yaml": kustomization(
                resources=["clusters.yaml"], transformers=["check.yaml"], validators=["check.yaml"]
            ),
            "clusters.yaml": CLUSTERS,
            "check.yaml": config(more="mode: Check\nguard: {minClusters: 2}"),
        }
    )
    assert read(build(kustomize, root / "it").out) == read(CLUSTERS)


def test_as_a_validator_it_stops_a_build_whose_fleet_has_an_error(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], validators=["check.yaml"]),
            "clusters.yaml": CLUSTERS,
            "check.yaml": config(more="mode: Check\nguard: {minClusters: 3}"),
        }
    )
    done = build(kustomize, root / "it", code=None)
    assert "minClusters" in done.err.splitlines()[0]
    assert done.out == ""


def test_as_the_last_transformer_in_check_mode_it_stops_a_build_after_the_render(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml", "check.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(),
            "check.yaml": config("check", more="mode: Check\nguard: {minClusters: 3}"),
        }
    )
    done = build(kustomize, root / "it", code=None)
    assert "minClusters" in done.err
    assert done.out == ""


def test_as_the_last_transformer_in_check_mode_it_lets_a_good_render_pass(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml", "check.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(),
            "check.yaml": config("check", more="mode: Check"),
        }
    )
    assert generated(read(build(kustomize, root / "it").out)) == shared("prod")


def test_as_a_transformer_in_check_mode_it_changes_nothing(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(more="mode: Check"),
        }
    )
    assert read(build(kustomize, root / "it").out) == read(CLUSTERS)


def test_kustomize_takes_no_function_for_a_validator_before_another_function_ran(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    """A bug in kustomize: it adds path annotations to what a function prints, and calls that a modification.

    Even `cat` fails. The pages therefore put `mode: Check` last under `transformers`.
    """
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], validators=["cat.yaml"]),
            "clusters.yaml": CLUSTERS,
            "cat.yaml": CAT,
        }
    )
    assert "validator shouldn't modify" in build(kustomize, root / "it", code=None).err


# --- layers ----------------------------------------------------------------------------------------------------------


COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def test_in_the_outermost_layer_it_sees_what_bases_and_components_give_under_its_final_name(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    root = files(
        base={"kustomization.yaml": kustomization(resources=["clusters.yaml"]), "clusters.yaml": CLUSTERS},
        opted={
            "kustomization.yaml": COMPONENT + 'labels:\n- pairs: {opted: "in"}\n',
        },
        prod={
            "kustomization.yaml": kustomization(
                resources=["../base"], components=["../opted"], transformers=["fleet.yaml"]
            )
            + "namespace: prod-eu\nnamePrefix: eu-\n",
            "fleet.yaml": config(selector='{opted: "in"}'),
        },
    )
    built = read(build(kustomize, root / "prod").out)
    assert ("Cluster", "prod-eu", "eu-one") in index(built)
    assert generated(built) == shared("prod-eu")
    assert dangling(built) == set()


@pytest.mark.parametrize("references", [True, False], ids=["with name references", "without"])
def test_in_a_component_it_is_in_an_inner_layer_and_a_prefix_needs_our_name_references(
    kustomize: Path, files: Callable[..., Path], *, references: bool
) -> None:
    fields = {"configurations": ["name-references.yaml"]} if references else {}
    root = files(
        base={"kustomization.yaml": kustomization(resources=["clusters.yaml"]), "clusters.yaml": CLUSTERS},
        registration={
            "kustomization.yaml": COMPONENT + kustomization(transformers=["fleet.yaml"]),
            "fleet.yaml": config(),
        },
        prod={
            "kustomization.yaml": kustomization(resources=["../base"], components=["../registration"], **fields)
            + "namePrefix: eu-\n",
            "name-references.yaml": NAME_REFERENCES,
        },
    )
    built = read(build(kustomize, root / "prod").out)
    assert generated(built) == shared("prod", prefix="eu-")
    assert (dangling(built) == set()) is references


def test_in_an_inner_layer_a_later_prefix_renames_clusters_that_are_still_selected_by_label(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    root = files(
        inner={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": CLUSTERS,
            "fleet.yaml": config(),
        },
        outer={
            "kustomization.yaml": kustomization(resources=["../inner"], configurations=["name-references.yaml"])
            + "namePrefix: eu-\n",
            "name-references.yaml": NAME_REFERENCES,
        },
    )
    built = read(build(kustomize, root / "outer").out)
    assert ("Cluster", "prod", "eu-one") in index(built)
    assert generated(built) == shared("prod", prefix="eu-")
    assert dangling(built) == set()


def test_in_an_inner_layer_with_names_per_cluster_a_later_prefix_is_caught_by_a_check(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    """The registration names, and the labels that a ClusterResourceSet selects by, keep the inner name."""
    classic = CLUSTERS.replace("topology: {classRef: {name: standard}, version: v1.34.2}", "paused: false")
    per_cluster = "identity: {mode: PerCluster}"
    root = files(
        inner={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["fleet.yaml"]),
            "clusters.yaml": classic,
            "fleet.yaml": config(more=per_cluster),
        },
        outer={
            "kustomization.yaml": kustomization(resources=["../inner"], transformers=["fleet.yaml"])
            + "namePrefix: eu-\n",
            "fleet.yaml": config(more=f"{per_cluster}\nmode: Check"),
        },
    )
    done = build(kustomize, root / "outer", code=None)
    assert "cluster.x-k8s.io/cluster-name" in done.err


# --- several configs -------------------------------------------------------------------------------------------------


def test_configs_with_disjoint_selectors_run_one_after_the_other(kustomize: Path, files: Callable[..., Path]) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["prod.yaml", "dev.yaml"]),
            "clusters.yaml": CLUSTERS,
            "prod.yaml": config("prod", selector="{env: prod}", more="clusterResourceSet: {name: wave-prod}"),
            "dev.yaml": config("dev", selector="{env: dev}", more="clusterResourceSet: {name: wave-dev}"),
        }
    )
    built = read(build(kustomize, root / "it").out)
    assert generated(built) == shared("prod", "wave-prod") | shared("prod", "wave-dev")
    assert dangling(built) == set()


def test_a_second_function_is_not_told_that_kustomize_writes_files(kustomize: Path, files: Callable[..., Path]) -> None:
    """kustomize's library puts path annotations onto what the first function printed."""
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["prod.yaml", "dev.yaml"]),
            "clusters.yaml": CLUSTERS,
            "prod.yaml": config("prod", selector="{env: prod}", more="clusterResourceSet: {name: wave-prod}"),
            "dev.yaml": config("dev", selector="{env: dev}", more="clusterResourceSet: {name: wave-dev}"),
        }
    )
    assert "written to files" not in build(kustomize, root / "it").err


def test_configs_that_reach_the_same_cluster_fail_the_build_and_are_both_named(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    root = files(
        it={
            "kustomization.yaml": kustomization(resources=["clusters.yaml"], transformers=["all.yaml", "dev.yaml"]),
            "clusters.yaml": CLUSTERS,
            "all.yaml": config("all-of-them"),
            "dev.yaml": config("dev-only", selector="{env: dev}", more="clusterResourceSet: {name: wave-dev}"),
        }
    )
    done = build(kustomize, root / "it", code=None)
    assert "all-of-them" in done.err
    assert "dev-only" in done.err


# --- Clusters of another application ---------------------------------------------------------------------------------


def test_local_config_clusters_are_matched_and_then_dropped_by_kustomize(
    kustomize: Path, files: Callable[..., Path]
) -> None:
    local = CLUSTERS.replace("metadata: {", 'metadata: {annotations: {config.kubernetes.io/local-config: "true"}, ')
    root = files(
        it={
            "kustomization.yaml": kustomization(
                resources=["clusters.yaml", "registration.yaml"], transformers=["fleet.yaml"]
            ),
            "clusters.yaml": local,
            "registration.yaml": EXISTING_SECRET,
            "fleet.yaml": config(token=EXISTING),
        }
    )
    built = read(build(kustomize, root / "it").out)
    assert generated(built) == shared("prod") - {("Secret", "prod", "clusternet-cluster-api-registration")}
    assert not any(value["kind"] == "Cluster" for value in built)
    assert dangling(built) == set()


# --- container -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("image")
def test_in_a_container_the_main_example_builds_the_same(
    kustomize: Path, example: Callable[..., Path], engine: tuple[str, ...]
) -> None:
    in_container = run(*engine, kustomize, "build", ALPHA, ".", cwd=example("kustomization", container=True)).out
    expected = (REPOSITORY / "examples/kustomization/.expected/output.yaml").read_text(encoding="utf-8")
    assert generated(read(in_container)) == generated(read(expected))
    assert dangling(read(in_container)) == set()


@pytest.mark.usefixtures("image")
def test_in_a_container_it_is_a_generator_and_a_check_too(
    kustomize: Path, files: Callable[..., Path], engine: tuple[str, ...]
) -> None:
    container = "container:\n        image: clusternet-capi-fn:v0.1.0"
    generator = config(more="namespaces: [prod]").replace("exec:\n        path: clusternet-capi-fn", container)
    root = files(
        it={
            "kustomization.yaml": kustomization(generators=["fleet.yaml"], transformers=["check.yaml"]),
            "fleet.yaml": generator,
            "check.yaml": generator.replace("name: fleet", "name: check").replace(
                "namespaces: [prod]", "namespaces: [prod]\n  mode: Check"
            ),
        }
    )
    done = run(*engine, kustomize, "build", ALPHA, ".", cwd=root / "it")
    assert generated(read(done.out)) == shared("prod")
