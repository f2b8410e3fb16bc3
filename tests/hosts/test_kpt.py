"""kpt: `fn render` and `fn eval`, with the program and with the image, and what is left in the package after it."""

from __future__ import annotations

import shutil

import pytest
import yaml

from tests.hosts.manifests import TOKEN, generated, read, shared
from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hosts.programs import Done

ENGINE = {"KRM_FN_RUNTIME": "podman", "KPT_FN_RUNTIME": "podman"}
# One indentation and one way to write a list, as kpt leaves them; comments in every place.
CLUSTERS = """\
# the team's clusters
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata:
  name: one # the first
  namespace: prod
  labels:
    # why it is here
    register: "true"
    env: 'prod'
spec:
  topology: {classRef: {name: standard}, version: v1.34.2}
---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata:
  name: two
  namespace: edge
  labels:
    register: "true"
spec:
  topology: {classRef: {name: standard}, version: v1.34.2}
"""
CONFIG = """\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
  annotations:
    config.kubernetes.io/local-config: "true"
spec:
  parentURL: https://parent.example.com:6443
  registrationToken: {value: %s}
  clusterSelector: {matchLabels: {register: "true"}}
"""
ARGUMENTS = ("name=fleet", "parentURL=https://parent.example.com:6443", "clusterSelector=register=true")


def kptfile(
    stage: str = "mutators", function: str = "exec: clusternet-capi-fn", config: str = "configPath: fn/fleet.yaml"
) -> str:
    """A Kptfile with one function."""
    return (
        "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: fleet\n"
        f"pipeline:\n  {stage}:\n  - {function}\n    {config}\n"
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with two Clusters and a config in a folder of its own."""
    folder = tmp_path / "fleet"
    (folder / "fn").mkdir(parents=True)
    (folder / "Kptfile").write_text(kptfile(), encoding="utf-8")
    (folder / "clusters.yaml").write_text(CLUSTERS, encoding="utf-8")
    (folder / "fn/fleet.yaml").write_text(CONFIG % TOKEN, encoding="utf-8")
    return folder


def tree(folder: Path) -> dict[str, str]:
    """Every file by its path."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def objects(folder: Path) -> list[dict[str, object]]:
    """Every object of a package's files."""
    return [value for text in tree(folder).values() for value in read(text)]


def render(kpt: Path, folder: Path, *more: str, code: int | None = 0) -> Done:
    """`kpt fn render` with programs allowed."""
    return run(kpt, "fn", "render", "--allow-exec", *more, cwd=folder, code=code)


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# --- fn render -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["path", "map", "item"])
@pytest.mark.parametrize("choice", ["exclude: [{kind: ConfigMap}]", "selectors: [{kind: Kptfile}, {kind: Cluster}]"])
def test_a_step_that_hides_the_earlier_output_is_an_error_and_adds_nothing(
    kpt: Path, package: Path, choice: str, given: str
) -> None:
    values = "{name: fleet, parentURL: 'https://p.example.com', clusterSelector: register=true,"
    values += " registrationToken.existingSecret.name: kept}"
    config = {"path": "configPath: fn/fleet.yaml", "map": f"configMap: {values}", "item": "name: register"}[given]
    (package / "Kptfile").write_text(kptfile(config=f"{config}\n    {choice}"), encoding="utf-8")
    before = set(tree(package))
    assert "remove selectors, exclude and --match-* from its step in the Kptfile" in render(kpt, package, code=1).err
    assert set(tree(package)) == before


def test_new_files_stand_beside_the_config_by_namespace_kind_and_name(kpt: Path, package: Path) -> None:
    before = set(tree(package))
    render(kpt, package)
    assert set(tree(package)) - before == {
        f"fn/{namespace}/{name}.yaml"
        for namespace in ("prod", "edge")
        for name in (
            "clusterresourceset_clusternet-cluster-api",
            "clusterresourceset_clusternet-cluster-api-identity",
            "configmap_clusternet-cluster-api-agent",
            "configmap_clusternet-cluster-api-identity",
            "secret_clusternet-cluster-api-registration",
        )
    }
    assert generated(objects(package)) == shared("prod") | shared("edge")


def test_comments_order_and_quotes_of_the_input_stay(kpt: Path, package: Path) -> None:
    render(kpt, package)
    assert (package / "clusters.yaml").read_text(encoding="utf-8") == CLUSTERS
    assert (package / "fn/fleet.yaml").read_text(encoding="utf-8") == CONFIG % TOKEN


def test_a_second_render_changes_no_byte(kpt: Path, package: Path) -> None:
    render(kpt, package)
    once = tree(package)
    render(kpt, package)
    assert tree(package) == once


def test_no_annotation_of_the_hosts_is_left_in_the_files(kpt: Path, package: Path) -> None:
    render(kpt, package)
    written = "".join(text for path, text in tree(package).items() if path.startswith(("fn/prod", "fn/edge")))
    assert "config.kubernetes.io" not in written
    assert "config.k8s.io" not in written


def test_what_no_cluster_needs_any_more_is_removed(kpt: Path, package: Path) -> None:
    render(kpt, package)
    replace(package / "clusters.yaml", '  namespace: edge\n  labels:\n    register: "true"\n', "  namespace: edge\n")
    render(kpt, package)
    assert generated(objects(package)) == shared("prod")
    assert not (package / "fn/edge").exists() or not any((package / "fn/edge").iterdir())


def test_a_file_that_a_user_moved_stays_where_it_was_put(kpt: Path, package: Path) -> None:
    render(kpt, package)
    (package / "moved").mkdir()
    shutil.move(package / "fn/prod/secret_clusternet-cluster-api-registration.yaml", package / "moved/token.yaml")
    moved = tree(package)
    render(kpt, package)
    assert tree(package) == moved


def test_the_config_in_the_root_puts_new_files_into_the_root(kpt: Path, package: Path) -> None:
    shutil.move(package / "fn/fleet.yaml", package / "fleet.yaml")
    replace(package / "Kptfile", "fn/fleet.yaml", "fleet.yaml")
    render(kpt, package)
    assert (package / "prod/clusterresourceset_clusternet-cluster-api.yaml").exists()


def test_local_config_clusters_are_matched_and_never_edited(kpt: Path, package: Path) -> None:
    local = CLUSTERS.replace(
        "  labels:\n", '  annotations:\n    config.kubernetes.io/local-config: "true"\n  labels:\n'
    )
    (package / "clusters.yaml").write_text(local, encoding="utf-8")
    render(kpt, package)
    assert (package / "clusters.yaml").read_text(encoding="utf-8") == local
    assert generated(objects(package)) == shared("prod") | shared("edge")


def test_a_config_map_in_the_pipeline_configures_it(kpt: Path, package: Path) -> None:
    (package / "fn/fleet.yaml").unlink()
    values = "".join(
        f"      {key}: {value}\n"
        for key, value in (argument.split("=", 1) for argument in (*ARGUMENTS, f"registrationToken.value={TOKEN}"))
    )
    (package / "Kptfile").write_text(kptfile(config="configMap:\n" + values), encoding="utf-8")
    render(kpt, package)
    assert generated(objects(package)) == shared("prod") | shared("edge")
    once = tree(package)
    render(kpt, package)
    assert tree(package) == once


def test_the_rendered_secret_in_git_is_warned_of(kpt: Path, package: Path) -> None:
    done = render(kpt, package)
    assert "is written to files" in done.err


# --- errors ----------------------------------------------------------------------------------------------------------


def test_a_failure_shows_its_cause_in_the_first_lines_and_changes_no_file(kpt: Path, package: Path) -> None:
    replace(package / "fn/fleet.yaml", "https://", "http://")
    before = tree(package)
    done = render(kpt, package, code=None)
    failed = done.err.splitlines().index(next(line for line in done.err.splitlines() if "[FAIL]" in line))
    assert any("spec.parentURL" in line for line in done.err.splitlines()[failed : failed + 6])
    assert {path: text for path, text in tree(package).items() if path != "Kptfile"} == {
        path: text for path, text in before.items() if path != "Kptfile"
    }


def test_results_go_to_the_results_folder_with_place_and_without_the_token(kpt: Path, package: Path) -> None:
    render(kpt, package, "--results-dir", str(package.parent / "results"))
    text = (package.parent / "results/results.yaml").read_text(encoding="utf-8")
    (entry,) = yaml.safe_load(text)["items"]
    assert entry["exitCode"] == 0
    assert {result["severity"] for result in entry["results"]} == {"info", "warning"}
    assert TOKEN not in text


def test_a_failing_run_leaves_its_cause_in_the_results_folder(kpt: Path, package: Path) -> None:
    replace(package / "fn/fleet.yaml", "https://", "http://")
    render(kpt, package, "--results-dir", str(package.parent / "results"), code=None)
    text = (package.parent / "results/results.yaml").read_text(encoding="utf-8")
    (entry,) = yaml.safe_load(text)["items"]
    assert entry["exitCode"] == 1
    assert any(result.get("field", {}).get("path") == "spec.parentURL" for result in entry["results"])
    assert TOKEN not in text


# --- validators ------------------------------------------------------------------------------------------------------


def test_as_a_validator_it_passes_and_adds_nothing(kpt: Path, package: Path) -> None:
    (package / "Kptfile").write_text(kptfile("validators"), encoding="utf-8")
    replace(package / "fn/fleet.yaml", "spec:\n", "spec:\n  mode: Check\n")
    before = tree(package)
    render(kpt, package)
    assert tree(package) == before


def test_as_a_validator_it_fails_a_fleet_with_an_error(kpt: Path, package: Path) -> None:
    (package / "Kptfile").write_text(kptfile("validators"), encoding="utf-8")
    replace(package / "fn/fleet.yaml", "spec:\n", "spec:\n  mode: Check\n  guard: {minClusters: 9}\n")
    assert "minClusters" in render(kpt, package, code=None).err


# --- fn eval ---------------------------------------------------------------------------------------------------------


def test_eval_takes_arguments_by_key_and_value(kpt: Path, package: Path) -> None:
    (package / "fn/fleet.yaml").unlink()
    (package / "Kptfile").unlink()
    arguments = (*ARGUMENTS, f"registrationToken.value={TOKEN}")
    run(kpt, "fn", "eval", ".", "--exec", "clusternet-capi-fn", "--", *arguments, cwd=package)
    assert generated(objects(package)) == shared("prod") | shared("edge")
    once = tree(package)
    run(kpt, "fn", "eval", ".", "--exec", "clusternet-capi-fn", "--", *arguments, cwd=package)
    assert tree(package) == once


def test_eval_takes_a_config_file(kpt: Path, package: Path) -> None:
    run(kpt, "fn", "eval", ".", "--exec", "clusternet-capi-fn", "--fn-config", "fn/fleet.yaml", cwd=package)
    assert generated(objects(package)) == shared("prod") | shared("edge")


def test_eval_on_a_stream_prints_manifests(kpt: Path, package: Path) -> None:
    source = run(kpt, "fn", "source", ".", cwd=package).out
    config = package / "fn/fleet.yaml"
    done = run(
        kpt, "fn", "eval", "-", "--exec", "clusternet-capi-fn", "--fn-config", config, "-o", "unwrap",
        cwd=package, stdin=source,
    )  # fmt: skip
    assert generated(read(done.out)) == shared("prod") | shared("edge")


# --- image -----------------------------------------------------------------------------------------------------------


def test_render_with_the_image_gives_what_the_program_gives(
    kpt: Path, package: Path, image: str, engine: tuple[str, ...]
) -> None:
    render(kpt, package)
    by_exec = {path: text for path, text in tree(package).items() if path != "Kptfile"}
    (package / "Kptfile").write_text(kptfile(function=f"image: {image}"), encoding="utf-8")
    shutil.rmtree(package / "fn/prod")
    run(
        *engine, kpt, "fn", "render", "--image-pull-policy", "ifNotPresent",
        cwd=package, env=ENGINE if engine else {},
    )  # fmt: skip
    assert {path: text for path, text in tree(package).items() if path != "Kptfile"} == by_exec


def test_eval_with_the_image_and_arguments(kpt: Path, package: Path, image: str, engine: tuple[str, ...]) -> None:
    (package / "fn/fleet.yaml").unlink()
    run(
        *engine, kpt, "fn", "eval", ".", "--image", image, "--image-pull-policy", "ifNotPresent", "--",
        *ARGUMENTS, f"registrationToken.value={TOKEN}", cwd=package, env=ENGINE if engine else {},
    )  # fmt: skip
    assert generated(objects(package)) == shared("prod") | shared("edge")


def test_doc_prints_the_help_of_the_image(kpt: Path, tmp_path: Path, image: str, engine: tuple[str, ...]) -> None:
    done = run(*engine, kpt, "fn", "doc", "--image", image, cwd=tmp_path, env=ENGINE if engine else {})
    assert "clusternet-capi-fn" in done.out


# --- the example -----------------------------------------------------------------------------------------------------


def test_the_example_is_rendered_already(kpt: Path, example: Callable[..., Path]) -> None:
    folder = example("kpt") / "fleet"
    render(kpt, folder)
    assert tree(folder) == tree(REPOSITORY / "examples/kpt/fleet")


def test_the_example_rendered_from_its_inputs_alone_gives_the_same_files(
    kpt: Path, example: Callable[..., Path]
) -> None:
    folder = example("kpt") / "fleet"
    for namespace in ("payments", "edge"):
        shutil.rmtree(folder / "registration" / namespace)
    render(kpt, folder)
    assert tree(folder) == tree(REPOSITORY / "examples/kpt/fleet")
