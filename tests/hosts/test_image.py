"""The built image under the flags that kustomize, kubectl and kpt run it with."""

from __future__ import annotations

import json

import pytest

from tests.hosts.manifests import TOKEN
from tests.hosts.programs import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.hosts.programs import Done

# kustomize's container runtime, word for word.
HOST_FLAGS = (
    "docker", "run", "--rm", "-i", "-a", "STDIN", "-a", "STDOUT", "-a", "STDERR", "--network", "none",
    "--user", "nobody", "--security-opt=no-new-privileges", "-e", "LOG_TO_STDERR=true", "-e", "STRUCTURED_RESULTS=true",
)  # fmt: skip
RESOURCE_LIST = f"""\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  apiVersion: fn.clusternet.io/v1alpha1
  kind: ClusternetCAPIConfig
  metadata: {{name: fleet}}
  spec:
    parentURL: https://parent.example.com:6443
    registrationToken: {{value: {TOKEN}}}
    clusterSelector: {{matchLabels: {{env: prod}}}}
items:
- apiVersion: cluster.x-k8s.io/v1beta2
  kind: Cluster
  metadata: {{name: one, namespace: prod, labels: {{env: prod}}}}  # as it came
  spec: {{topology: {{classRef: {{name: standard}}, version: v1.34.2}}}}
"""


@pytest.fixture
def container(image: str, engine: tuple[str, ...], tmp_path: Path) -> Callable[..., Done]:
    """Run the image with a host's flags, read-only."""

    def call(*arguments: str, stdin: str = "", code: int = 0, flags: tuple[str, ...] = ()) -> Done:
        return run(*engine, *HOST_FLAGS, "--read-only", *flags, image, *arguments, cwd=tmp_path, stdin=stdin, code=code)

    return call


def test_it_works_as_nobody_read_only_and_without_network(container: Callable[..., Done]) -> None:
    done = container(stdin=RESOURCE_LIST)
    assert "metadata: {name: one, namespace: prod, labels: {env: prod}}  # as it came\n" in done.out
    assert "name: clusternet-cluster-api-registration" in done.out


def test_it_works_as_any_other_user_without_capabilities(container: Callable[..., Done]) -> None:
    done = container(stdin=RESOURCE_LIST, flags=("--user", "12345:12345", "--cap-drop", "ALL"))
    assert "name: clusternet-cluster-api-registration" in done.out


def test_render_writes_a_folder_twice(container: Callable[..., Done], tmp_path: Path) -> None:
    """The second run reads and replaces what the first wrote: it must not need what the image leaves out."""
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    out.chmod(0o777)
    config, item = RESOURCE_LIST.split("functionConfig:\n")[1].split("items:\n- ")
    (source / "fleet.yaml").write_text(config.replace("\n  ", "\n").removeprefix("  "), encoding="utf-8")
    flags = ("-v", f"{source}:/in:ro", "-v", f"{out}:/out")
    for name in ("one", "two"):
        text = (
            item.replace("\n  ", "\n")
            .replace("name: one", f"name: {name}")
            .replace("namespace: prod", f"namespace: {name}")
        )
        (source / "clusters.yaml").write_text(text, encoding="utf-8")
        container("render", "/in", "-o", "/out", flags=flags)
        assert (out / name / "secret_clusternet-cluster-api-registration.yaml").exists()
    assert sorted(path.name for path in out.iterdir()) == [".clusternet-capi-fn", "clusters.yaml", "two"]


def test_help_is_the_page_that_kpt_fn_doc_shows(container: Callable[..., Done]) -> None:
    text = container("--help").out
    assert "clusternet-capi-fn" in text
    assert "Usage:" in text


@pytest.mark.parametrize(
    ("stdin", "arguments", "code", "said"),
    [
        pytest.param("", (), 1, "empty", id="nothing on stdin"),
        pytest.param("{", (), 1, "stdin:2:1: error: ", id="no YAML"),
        pytest.param(
            RESOURCE_LIST.replace("https://", "http://"), (), 1, "spec.parentURL", id="an error in the config"
        ),
        pytest.param("", ("no-such-command",), 2, "no-such-command", id="wrong usage"),
    ],
)
def test_a_failure_has_its_exit_code_and_one_clear_line(
    container: Callable[..., Done], stdin: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = container(*arguments, stdin=stdin, code=code)
    assert said in done.err
    assert "Traceback" not in done.err


def test_on_a_failure_the_items_come_back_unchanged(container: Callable[..., Done]) -> None:
    done = container(stdin=RESOURCE_LIST.replace("https://", "http://"), code=1)
    assert "metadata: {name: one, namespace: prod, labels: {env: prod}}  # as it came\n" in done.out
    assert "clusternet-cluster-api" not in done.out


def test_the_token_is_in_no_message(container: Callable[..., Done]) -> None:
    assert TOKEN not in container(stdin=RESOURCE_LIST).err


@pytest.fixture(scope="module")
def inspected(image: str, engine: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The image's own configuration."""
    done = run(*engine, "docker", "image", "inspect", image, cwd=tmp_path_factory.mktemp("inspect"))
    return json.loads(done.out)[0]["Config"]


def test_it_runs_as_nobody_by_number_with_the_function_as_entrypoint(inspected: dict[str, Any]) -> None:
    assert inspected["User"] == "65534:65534"
    assert inspected["Entrypoint"] == ["/usr/local/bin/clusternet-capi-fn"]


def test_its_labels_say_what_it_is(inspected: dict[str, Any]) -> None:
    labels = inspected["Labels"]
    assert labels["org.opencontainers.image.title"] == "clusternet-capi-fn"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


@pytest.mark.parametrize("program", ["sh", "bash", "pip", "apt-get", "python3 -m pip"])
def test_it_holds_no_shell_and_no_package_manager(
    image: str, engine: tuple[str, ...], tmp_path: Path, program: str
) -> None:
    first, *rest = program.split()
    run(*engine, "docker", "run", "--rm", "--entrypoint", first, image, *rest, cwd=tmp_path, code=None)
