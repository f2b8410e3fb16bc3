"""The Argo CD sidecar's command, as examples/argocd sets it up, under the sidecar's user and mounts."""

from __future__ import annotations

import pytest

from tests.hosts.manifests import TOKEN, dangling, generated, index, read, shared
from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.hosts.programs import Done

ARGOCD = REPOSITORY / "examples/argocd"
CHECKOUT = "/tmp/_cmp_server/checkout"  # noqa: S108 - a path inside the container, where Argo CD unpacks repositories
# The token comes from a file and not from the items, so its Secret is made in every namespace.
SERVED = shared("payments") | shared("retail")


def plugin() -> dict[str, Any]:
    """The ConfigManagementPlugin of the example."""
    (value,) = read((ARGOCD / "plugin/plugin.yaml").read_text(encoding="utf-8"))
    return value["spec"]


def sidecar() -> dict[str, Any]:
    """The container that the example adds to argocd-repo-server."""
    (value,) = read((ARGOCD / "plugin/repo-server.yaml").read_text(encoding="utf-8"))
    (container,) = value["spec"]["template"]["spec"]["containers"]
    return container


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository as the sidecar gets it: files without their modes, readable by all."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for path in (ARGOCD / "repository").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def generate(image: str, engine: tuple[str, ...], checkout: Path, tmp_path: Path) -> Callable[..., Done]:
    """Run the plugin's generate command as Argo CD's sidecar would."""
    offered = tmp_path / "offered"
    (offered / "..2026_11_23").mkdir(parents=True)  # links in the folder, as Kubernetes mounts a Secret
    (offered / "..2026_11_23/regToken").write_text(TOKEN + "\n", encoding="utf-8")
    (offered / "..data").symlink_to("..2026_11_23")
    (offered / "regToken").symlink_to("..data/regToken")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)

    def call(*, code: int | None = 0, kustomize: Path | None = None) -> Done:
        container = sidecar()
        tools = () if kustomize is None else ("-v", f"{kustomize.resolve()}:/tools/kustomize:ro")
        command = [*plugin()["generate"]["command"], *plugin()["generate"]["args"]]
        environment = [part for entry in container["env"] for part in ("-e", f"{entry['name']}={entry['value']}")]
        mounts = {entry["name"]: entry["mountPath"] for entry in container["volumeMounts"]}
        return run(
            *engine, "docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL",
            "--security-opt=no-new-privileges", "--user", str(container["securityContext"]["runAsUser"]),
            "--tmpfs", f"{mounts['clusternet-capi-fn-tmp']}:exec", *environment, *tools,
            "-v", f"{offered}:{mounts['clusternet-registration']}:ro", "-v", f"{checkout}:{CHECKOUT}:ro",
            "-w", CHECKOUT, "--entrypoint", command[0], image, *command[1:],
            cwd=tmp_path, code=code,
        )  # fmt: skip

    return call


def test_the_sidecar_prints_plain_manifests_and_nothing_on_stderr_but_notes(generate: Callable[..., Done]) -> None:
    done = generate()
    built = read(done.out)
    assert generated(built) == SERVED
    assert dangling(built) == set()
    assert ("Cluster", "payments", "payments-prod") in index(built)
    assert "Traceback" not in done.err
    assert TOKEN not in done.out + done.err


def test_it_leaves_out_the_config_and_the_clusters_of_another_application(generate: Callable[..., Done]) -> None:
    built = index(read(generate().out))
    assert ("Cluster", "retail", "shop") not in built
    assert not any(kind == "ClusternetCAPIConfig" for kind, _, _ in built)


def test_cluster_resource_sets_are_left_out_of_argo_cds_health_and_have_no_wave(generate: Callable[..., Done]) -> None:
    sets = [value for value in read(generate().out) if value["kind"] == "ClusterResourceSet"]
    assert sets
    notes = [value["metadata"]["annotations"] for value in sets]
    assert {found["argocd.argoproj.io/ignore-healthcheck"] for found in notes} == {"true"}
    assert not any("argocd.argoproj.io/sync-wave" in found for found in notes)


def test_a_second_run_gives_the_same_bytes(generate: Callable[..., Done]) -> None:
    assert generate().out == generate().out


@pytest.fixture
def layout(checkout: Path) -> Path:
    """The same repository with a kustomization, whose function is named as a program."""
    config = checkout / "clusternet.yaml"
    text = config.read_text(encoding="utf-8")
    annotated = text.replace(
        "metadata:\n",
        "metadata:\n  annotations: {config.kubernetes.io/function: 'exec: {path: x/clusternet-capi-fn}'}\n",
        1,
    )
    config.write_text(annotated, encoding="utf-8")
    names = [path.name for path in checkout.iterdir() if path != config]
    (checkout / "kustomization.yaml").write_text(f"resources: {sorted(names)}\ntransformers: [clusternet.yaml]\n")
    return checkout


def test_the_sidecar_renders_a_kustomization_too(generate: Callable[..., Done], kustomize: Path, layout: Path) -> None:
    built = read(generate(kustomize=kustomize).out)
    assert generated(built) == SERVED
    assert ("Cluster", "payments", "payments-prod") in index(built)
    assert ("Cluster", "retail", "shop") not in index(built)
    assert layout.exists()


def test_a_kustomization_of_a_tenant_runs_nothing_in_the_sidecar(
    generate: Callable[..., Done], kustomize: Path, layout: Path
) -> None:
    config = layout / "clusternet.yaml"
    evil = "/usr/local/bin/python3"
    config.write_text(config.read_text(encoding="utf-8").replace("x/clusternet-capi-fn", evil), encoding="utf-8")
    done = generate(kustomize=kustomize, code=1)
    assert f"asks for the program {evil}, which is not run unless you pass --enable-exec" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("https://parent.example.com:6443", "https://evil.example.org", "spec.parentURL", id="its own parent"),
        pytest.param("file: regToken", "file: /etc/passwd", "registrationToken.file", id="a foreign file"),
        pytest.param("file: regToken", "env: PATH", "registrationToken.env", id="a foreign variable"),
        pytest.param('clusternet.io/register: "true"', 'clusternet.io/register: "no"', "none of the", id="no match"),
    ],
)  # fmt: skip
def test_an_error_fails_with_its_cause_on_stderr_and_nothing_on_stdout(
    generate: Callable[..., Done], checkout: Path, old: str, new: str, said: str
) -> None:
    path = checkout / "clusternet.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    done = generate(code=1)
    assert said in done.err.splitlines()[0]
    assert done.out == ""
    assert "root:" not in done.err


def test_the_plugin_folder_builds_with_the_sidecar_beside_the_repo_server(kustomize: Path) -> None:
    built = read(run(kustomize, "build", ARGOCD / "plugin", cwd=ARGOCD).out)
    (deployment,) = (value for value in built if value["kind"] == "Deployment")
    (config,) = (value for value in built if value["kind"] == "ConfigMap")
    spec = deployment["spec"]["template"]["spec"]
    assert [container["name"] for container in spec["containers"]] == ["clusternet-capi-fn", "argocd-repo-server"]
    mounted = {entry["name"] for container in spec["containers"] for entry in container["volumeMounts"]}
    mounted |= {entry["name"] for container in spec["initContainers"] for entry in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]}
    assert config["metadata"]["name"] in {volume.get("configMap", {}).get("name") for volume in spec["volumes"]}
