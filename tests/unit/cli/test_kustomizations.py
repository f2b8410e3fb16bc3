from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from krm_fn.cli import inputs, kustomizations

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"
NOT_DONE = (
    "which this command does not do: it reads the files as they are. Use `kustomize build` with the function, or give"
    " the built output as -"
)
CONFIG = "apiVersion: fn.clusternet.io/v1alpha1\nkind: ClusternetCAPIConfig\nmetadata:\n  name: fleet\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name in ("a.yaml", "b.yaml", "c.yaml", "sub/d.yaml"):
        (root / name).write_text(OBJECT.format(name))
    (root / "fleet.yaml").write_text(CONFIG)
    return root


def read(root: Path) -> tuple[list[str], list[str]]:
    given = inputs.read([str(root)])
    return [item.name for item in given.tree.items], [one.message for one in given.results]


def test_a_kustomization_that_lists_what_is_read_anyway_says_nothing(folder: Path) -> None:
    (folder / "kustomization.yaml").write_text(
        "kind: Kustomization\nresources: [a.yaml, sub]\ntransformers: [fleet.yaml]\nsortOptions: {order: legacy}\n"
    )
    assert read(folder) == (["a.yaml", "b.yaml", "c.yaml", "fleet", "sub/d.yaml"], [])


@pytest.mark.parametrize(
    ("text", "names", "asked"),
    [
        pytest.param("patches: [{path: b.yaml}]", ["a.yaml", "c.yaml", "fleet", "sub/d.yaml"], "patches", id="a patch"),
        pytest.param("patches:\n- patch: |\n    - op: add\n    - b.yaml\n", ["a.yaml", "b.yaml", "c.yaml", "fleet", "sub/d.yaml"], "patches", id="an inline patch"),
        pytest.param("patchesStrategicMerge: [b.yaml]\nnamePrefix: x-", ["a.yaml", "c.yaml", "fleet", "sub/d.yaml"], "namePrefix, patchesStrategicMerge", id="an old patch and a prefix"),
        pytest.param("configMapGenerator: [{name: x, files: [b.yaml, k=c.yaml]}]", ["a.yaml", "fleet", "sub/d.yaml"], "configMapGenerator", id="generator files"),
        pytest.param("transformers: [fleet.yaml, b.yaml]", ["a.yaml", "c.yaml", "fleet", "sub/d.yaml"], "transformers", id="another function"),
        pytest.param("generators: ['apiVersion: x\n\n  kind: ClusternetCAPIConfig']", ["a.yaml", "b.yaml", "c.yaml", "fleet", "sub/d.yaml"], "generators", id="an inline function"),
        pytest.param("namespace: x\nimages: []", ["a.yaml", "b.yaml", "c.yaml", "fleet", "sub/d.yaml"], "namespace", id="a namespace, and an empty list"),
        pytest.param("components: [sub]", ["a.yaml", "b.yaml", "c.yaml", "fleet", "sub/d.yaml"], "components", id="a component"),
    ],
)  # fmt: skip
def test_settings_are_no_objects_and_what_is_not_done_is_said(
    folder: Path, text: str, names: list[str], asked: str
) -> None:
    (folder / "Kustomization").write_text(f"kind: Kustomization\n{text}\n")
    assert read(folder) == (
        names,
        [f"{folder}/Kustomization asks for {asked}, {NOT_DONE}"],
    )


def test_settings_that_are_no_objects_give_no_further_warning(folder: Path) -> None:
    (folder / "refs.yaml").write_text("nameReference: []\n")
    (folder / "kustomization.yml").write_text("kind: Kustomization\nconfigurations: [refs.yaml]\n")
    assert read(folder)[1] == []


def test_resources_from_elsewhere_are_named(folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("resources: [a.yaml, ../base, https://example.com/x?ref=1]\n")
    (message,) = read(folder)[1]
    assert message.startswith(
        f"{folder}/kustomization.yaml lists ../base, https://example.com/x?ref=1, which is not in what this command was given"
    )


def test_a_kustomization_that_can_not_be_read_is_the_readers_matter(folder: Path) -> None:
    (folder / "Kustomization").write_text("a: [\n")
    (folder / "sub" / "Kustomization").write_bytes(b"\xff")
    (folder / "kustomization.yml").write_text("- a\n")
    assert kustomizations.scan([str(folder), str(folder / "a.yaml")]).skip == frozenset()


def test_other_functions_of_a_kptfile_are_named_and_their_configs_are_no_objects(folder: Path) -> None:
    (folder / "Kptfile").write_text(
        "kind: Kptfile\npipeline:\n  mutators:\n  - exec: clusternet-capi-fn\n    configPath: fleet.yaml\n"
        "  - image: set-labels:v1\n    configPath: b.yaml\n  - {}\n  validators: 1\n"
    )
    assert read(folder) == (
        ["a.yaml", "c.yaml", "fleet", "sub/d.yaml"],
        [f"{folder}/Kptfile runs set-labels:v1, which this command does not: use `kpt fn render`"],
    )


def test_a_kptfile_without_a_pipeline_is_fine(folder: Path) -> None:
    (folder / "Kptfile").write_text("kind: Kptfile\npipeline: {}\n")
    (folder / "sub" / "Kptfile").write_text("kind: Kptfile\n")
    assert read(folder)[1] == []


def test_hidden_folders_are_not_looked_into(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "kustomization.yaml").write_text("namePrefix: x\n")
    assert read(folder)[1] == []
