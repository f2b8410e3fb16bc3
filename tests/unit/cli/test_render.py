from __future__ import annotations

import contextlib
import errno
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner

from krm_fn.__main__ import main
from krm_fn.cli import group, render
from krm_fn.files.documents import Tree
from krm_fn.files.reading import MARKER
from krm_fn.krm.streams import read_stream
from tests.support.traces import seen

if TYPE_CHECKING:
    from click.testing import Result

TOKEN = "abcdef.0123456789abcdef"
NOW = "2026-11-23T10:00:00Z"

CONFIG = f"""\
# the config
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
spec:
  parentURL: https://parent.example.com:6443
  registrationToken:
    value: {TOKEN}
  clusterSelector:
    matchLabels: {{register: "true"}}
"""
CLUSTERS = """\
apiVersion: cluster.x-k8s.io/v1beta2   # ours
kind: Cluster
metadata:
  name: a
  namespace: team
  labels:
    'register': "true"
---
apiVersion: v1
kind: Secret
metadata:
  name: other
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data": {"k": "c2VjcmV0"}}'
data:
  k: c2VjcmV0  # theirs
"""
LOCAL = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: notes
  annotations:
    config.kubernetes.io/local-config: "true"
"""
CREATED = [
    "team/clusterresourceset_clusternet-cluster-api-identity.yaml",
    "team/clusterresourceset_clusternet-cluster-api.yaml",
    "team/configmap_clusternet-cluster-api-agent.yaml",
    "team/configmap_clusternet-cluster-api-identity.yaml",
    "team/secret_clusternet-cluster-api-registration.yaml",
]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "clusters.yaml").write_text(CLUSTERS)
    (folder / "fleet.yaml").write_text(CONFIG)
    (folder / "notes.yaml").write_text(LOCAL)
    return folder


def run(*arguments: str, given: bytes = b"") -> Result:
    command = ["render", *arguments, "--now", NOW]
    return CliRunner().invoke(group, command, input=given, standalone_mode=False, catch_exceptions=False)


def program(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "krm_fn", "render", *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def files(folder: Path) -> list[str]:
    found = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path != MARKER)


# --- to stdout -------------------------------------------------------------------------------------------------------


def test_everything_is_printed_but_the_config_and_local_objects(source: Path) -> None:
    ran = run("src")
    assert ran.return_value == 0
    assert ran.stdout.startswith(CLUSTERS)
    assert [item.kind for item in read_stream(ran.stdout.encode())] == [
        "Cluster",
        "Secret",
        "Secret",
        "ConfigMap",
        "ConfigMap",
        "ClusterResourceSet",
        "ClusterResourceSet",
    ]
    assert TOKEN not in ran.output
    assert source.exists()


def test_generated_objects_can_be_printed_alone(source: Path) -> None:
    ran = run("src", "--only", "generated")
    assert [item.namespace for item in read_stream(ran.stdout.encode())] == ["team"] * 5
    assert source.exists()


def test_the_config_can_be_given_apart(source: Path) -> None:
    (source / "fleet.yaml").rename("fleet.yaml")
    assert run("src", "-c", "fleet.yaml").stdout.count("\nkind: ") == 7


def test_stdin_is_read_for_a_dash(source: Path) -> None:
    ran = run("-", "-c", "src/fleet.yaml", given=CLUSTERS.encode())
    assert ran.stdout.startswith(CLUSTERS)
    assert source.exists()


def test_the_output_rendered_again_is_the_same(source: Path) -> None:
    once = run("src").stdout
    twice = run("-", "-c", "src/fleet.yaml", given=once.encode()).stdout
    assert twice == once
    assert source.exists()


def test_a_label_for_a_cluster_goes_into_its_text(source: Path) -> None:
    (source / "fleet.yaml").write_text(CONFIG + "  identity: {mode: PerCluster}\n")
    ran = run("src")
    assert ran.stdout.startswith(CLUSTERS.replace('"true"\n', '"true"\n    cluster.x-k8s.io/cluster-name: a\n', 1))


def test_edits_of_own_objects_that_are_not_printed_are_warned_about(source: Path) -> None:
    (source / "fleet.yaml").write_text(CONFIG + "  identity: {mode: PerCluster}\n")
    ran = run("src", "--only", "generated")
    assert "1 of your own objects need an edit, which --only generated leaves out" in ran.stderr


def test_nothing_to_print_is_said_in_a_comment(source: Path) -> None:
    (source / "clusters.yaml").unlink()
    (source / "fleet.yaml").write_text(CONFIG + "  guard: {allowNoClusters: true}\n")
    assert run("src").stdout == "# clusternet-capi-fn render: no objects\n"


def test_a_config_that_only_checks_generates_nothing(source: Path) -> None:
    (source / "fleet.yaml").write_text(CONFIG + "  mode: Check\n")
    assert run("src").stdout == CLUSTERS
    result = run("src", "--only", "generated")
    assert result.return_value == 1
    assert not result.stdout


def test_a_config_that_only_checks_does_not_empty_what_was_rendered_before(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "rendered"
    assert run("src", "--only", "generated", "-o", str(target)).return_value == 0
    before = files(target)
    (source / "fleet.yaml").write_text(CONFIG + "  mode: Check\n")
    result = run("src", "--only", "generated", "-o", str(target))
    assert result.return_value == 1
    assert "has spec.mode: Check" in result.stderr
    assert files(target) == before


def test_verdicts_are_said_with_verbose_alone(source: Path) -> None:
    assert "Cluster team/a registers" not in run("src").stderr
    assert "Cluster team/a registers" in run("src", "--verbose").stderr
    assert source.exists()


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_in_a_pipe_secrets_are_whole_unless_redacted(source: Path) -> None:
    assert "k: c2VjcmV0  # theirs" in run("src").stdout
    ran = run("src", "--redact")
    assert "c2VjcmV0" not in ran.stdout
    assert 'k: "(hidden)"  # theirs' in ran.stdout
    assert ran.stderr.endswith("note: the values of 2 Secrets are hidden\n")
    assert source.exists()


def test_an_earlier_output_is_redacted_too(source: Path) -> None:
    (source / "old.yaml").write_text(run("src", "--only", "generated").stdout)
    (source / "fleet.yaml").write_text(CONFIG.replace(TOKEN, "fedcba.0123456789abcdef"))
    secret = next(one for one in read_stream(run("src").stdout.encode()) if one.name.endswith("registration"))
    ran = run("src", "--redact")
    assert all(str(value) not in ran.stdout for value in secret.value()["data"].values())


def on_terminal(*arguments: str, **environment: str) -> str:
    """Run the program on a terminal and return what a person sees on it."""
    mine, other = pty.openpty()
    command = [sys.executable, "-m", "krm_fn", "render", *arguments, "--now", NOW]
    variables = {**os.environ, "TERM": "xterm", **environment}
    with subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=variables) as child:
        os.close(other)
        seen = b""
        with contextlib.suppress(OSError):  # EIO: how Linux says that the other side closed
            while select.select([mine], [], [], 60)[0]:
                seen += os.read(mine, 65536)
        child.wait()
    os.close(mine)
    return seen.decode().replace("\r\n", "\n")


def test_on_a_terminal_values_of_secrets_are_hidden(source: Path) -> None:
    seen = on_terminal("src", NO_COLOR="1")
    assert "c2VjcmV0" not in seen
    assert 'k: "(hidden)"  # theirs' in seen
    assert "note: the values of 2 Secrets are hidden; in a pipe or with -o FILE they are not\n" in seen
    assert "\x1b" not in seen
    assert source.exists()


def test_on_a_terminal_keys_are_coloured(source: Path) -> None:
    seen = on_terminal("src", NO_COLOR="")
    assert "\x1b[36mapiVersion\x1b[0m: cluster.x-k8s.io/v1beta2" in seen
    assert "\x1b[2m---\x1b[0m" in seen
    assert source.exists()


def test_comments_marks_and_keys_are_coloured_and_nothing_else() -> None:
    text = "--- # x\n# c\na: b: c\n  - d:\n  - 'e': f\n  x.y/z: |\n"
    assert render._COLOURED.sub(render._colour, text) == (
        "\x1b[2m--- # x\x1b[0m\n\x1b[2m# c\x1b[0m\n\x1b[36ma\x1b[0m: b: c\n  - \x1b[36md\x1b[0m:\n  - 'e': f\n"
        "  \x1b[36mx.y/z\x1b[0m: |\n"
    )


def test_long_work_is_announced_on_a_terminal(source: Path) -> None:
    (source / "many.yaml").write_text(
        "".join(f"---\napiVersion: v1\nkind: A\nmetadata:\n  name: a{n}\n" for n in range(5000))
    )
    assert "5,004 objects\n" in on_terminal("src", "-o", "out.yaml")


# --- to files --------------------------------------------------------------------------------------------------------


def test_a_folder_gets_own_and_generated_files(source: Path, tmp_path: Path) -> None:
    ran = run("src", "-o", "out")
    assert ran.return_value == 0
    assert ran.stdout == ""
    assert ran.stderr.endswith("out: 6 files\n")
    assert "holds the registration token" in ran.stderr
    assert files(tmp_path / "out") == ["clusters.yaml", *CREATED]
    assert (tmp_path / "out" / "clusters.yaml").read_text() == CLUSTERS
    assert run("src", "-o", "out").stderr.endswith("out: 6 files, nothing changed\n")
    assert source.exists()


def test_generated_files_alone_replace_what_was_there(source: Path, tmp_path: Path) -> None:
    run("src", "-o", "out")
    assert run("src", "-o", "out/", "--only", "generated").return_value == 0
    assert files(tmp_path / "out") == CREATED
    assert source.exists()


def test_objects_without_a_namespace_get_files_at_the_top(source: Path, tmp_path: Path) -> None:
    (source / "clusters.yaml").write_text(CLUSTERS.replace("  namespace: team\n", ""))
    run("src", "-o", "out", "--only", "generated")
    assert files(tmp_path / "out") == [path.removeprefix("team/") for path in CREATED]


def test_an_output_folder_below_the_input_is_no_input(source: Path) -> None:
    assert run("src", "-o", "src/out").return_value == 0
    assert run("src", "-o", "src/out").stderr.endswith("src/out: 6 files, nothing changed\n")
    assert files(source / "out") == ["clusters.yaml", *CREATED]


def test_the_earlier_output_is_the_baseline(source: Path) -> None:
    run("src", "-o", "out")
    (source / "fleet.yaml").write_text(CONFIG + "  clusterResourceSet: {strategy: ApplyOnce}\n")
    assert run("src").return_value == 0
    ran = run("src", "-o", "out")
    assert ran.return_value == 1
    assert "strategy" in ran.stderr
    assert run("src", "--baseline", "out").return_value == 1


def test_a_stream_can_go_into_a_file(source: Path, tmp_path: Path) -> None:
    assert run("src", "-o", "out.yaml").stderr.endswith("out.yaml: written\n")
    assert (tmp_path / "out.yaml").read_text() == run("src").stdout
    assert source.exists()


def test_a_file_of_the_user_is_not_overwritten_by_a_generated_one(source: Path) -> None:
    (source / "team").mkdir()
    (source / "team" / "secret_clusternet-cluster-api-registration.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    )
    ran = run("src", "-o", "out")
    assert ran.return_value == 1
    assert "where a generated object belongs: rename it" in ran.stderr


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_an_error_writes_nothing(source: Path, tmp_path: Path) -> None:
    (source / "fleet.yaml").write_text(CONFIG.replace("https:", "http:"))
    ran = run("src", "-o", "out")
    assert ran.return_value == 1
    assert "parentURL" in ran.stderr
    assert not (tmp_path / "out").exists()
    assert run("src").stdout == ""


def test_input_that_can_not_be_read_is_an_error(source: Path) -> None:
    (source / "broken.yaml").write_text("a: [\n")
    ran = run("src")
    assert ran.return_value == 1
    assert "src/broken.yaml:2:1: error: invalid YAML: " in ran.stderr


def test_a_resource_list_belongs_to_the_function(source: Path) -> None:
    ran = run("-", given=b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n")
    assert ran.return_value == 1
    assert "use `clusternet-capi-fn fn < FILE`" in ran.stderr
    assert source.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="no path"),
        pytest.param(("src", "--only", "some"), id="no such choice"),
        pytest.param(("src", "--now", "soon"), id="no time"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    source: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert source.exists()


@pytest.mark.parametrize("target", [".", "src", "src/../src/"])
def test_a_target_that_holds_the_input_is_refused(
    source: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "src", "-o", target]) == 2
    assert "would overwrite the input src: give another folder" in capsys.readouterr().err
    assert files(source) == ["clusters.yaml", "fleet.yaml", "notes.yaml"]


@pytest.mark.parametrize("given", [b"", b"\n \n"])
@pytest.mark.parametrize("spec", ["namespaces: [team]", "guard: {allowNoClusters: true}"])
def test_an_empty_stdin_is_an_error_and_no_empty_render(source: Path, given: bytes, spec: str) -> None:
    """`kustomize build` failed before the pipe: what is rendered from nothing would have all Clusters pruned."""
    config = source / "fleet.yaml"
    config.write_text(config.read_text().replace("spec:\n", f"spec:\n  {spec}\n"))
    for arguments in (["-", "-c", "src/fleet.yaml"], ["-", "src/fleet.yaml"]):
        ran = run(*arguments, "-o", "out.yaml", given=given)
        assert (ran.return_value, "stdin is empty" in ran.stderr) == (1, True)
        assert not Path("out.yaml").exists()


def test_what_came_on_stdin_is_a_file_of_the_folder(source: Path) -> None:
    assert run("-", "-c", "src/fleet.yaml", "-o", "src", given=CLUSTERS.encode()).return_value == 0
    assert files(source) == ["clusters.yaml", "fleet.yaml", "notes.yaml", "stdin.yaml", *CREATED]


def test_a_reader_that_goes_away_is_an_error(source: Path) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m krm_fn render src | true"],
        cwd=source.parent,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 1
    assert b"error: can't write the output: the reader closed the pipe early" in ran.stderr


def test_a_full_device_is_an_error(source: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "krm_fn", "render", "src"],
            cwd=source.parent,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ran.returncode == 1
    assert b"can't write the output: No space left on device" in ran.stderr


CHILD = """
import os, signal, sys
real = os.fsync
def waiting(handle):
    os.fsync = real
    print("now", flush=True)
    signal.pause()
os.fsync = waiting
signal.signal(signal.SIGHUP, getattr(signal, sys.argv[2]))
from krm_fn.__main__ import main
sys.exit(main(["render", "src", "-o", sys.argv[1]]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("target", ["out", "out.yaml"])
def test_a_signal_half_way_leaves_what_was_there(
    source: Path, tmp_path: Path, target: str, number: signal.Signals
) -> None:
    run("src", "-o", "out")
    run("src", "-o", "out.yaml")
    before = [(tmp_path / "out" / path).read_bytes() for path in files(tmp_path / "out")]
    written = (tmp_path / "out.yaml").read_bytes()
    (source / "clusters.yaml").write_text(CLUSTERS.replace("name: other", "name: another"))
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, target, "SIG_DFL"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "now\n"
        child.send_signal(number)
        errors = child.communicate()[1]
    assert child.returncode == 128 + number
    assert errors.endswith("error: terminated\n")
    assert [(tmp_path / "out" / path).read_bytes() for path in files(tmp_path / "out")] == before
    assert (tmp_path / "out.yaml").read_bytes() == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.yaml", "src"]


@pytest.mark.usefixtures("source")
def test_a_closed_terminal_does_not_end_what_nohup_started() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, "out", "SIG_IGN"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "now\n"
        child.send_signal(signal.SIGHUP)
        child.send_signal(signal.SIGTERM)
        child.communicate()
    assert child.returncode == 128 + signal.SIGTERM


def test_a_file_that_vanishes_while_it_is_read_is_an_error(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish(*_: object) -> int:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr("krm_fn.files.reading.open_below", vanish)
    ran = run("src")
    assert ran.return_value == 1
    assert "can't read src/clusters.yaml: No such file or directory" in ran.stderr
    assert source.exists()


def test_the_rendered_folder_holds_what_the_stream_holds(source: Path) -> None:
    run("src", "-o", "out")
    stream = {(item.kind, item.name): item.value() for item in read_stream(run("src").stdout.encode())}
    assert {(item.kind, item.name): item.value() for item in Tree.read(["out"]).items} == stream
    assert source.exists()


@pytest.mark.parametrize("target", ["yaml", "json", "table", "markdown", "mermaid"])
def test_a_form_is_no_place(source: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "src", "-o", target]) == 2
    assert f"did you mean ./{target}?" in capsys.readouterr().err
    assert sorted(path.name for path in source.parent.iterdir()) == ["src"]
    assert main(["render", "src", "-o", f"./{target}"]) == 0


@pytest.mark.parametrize(
    ("target", "why"),
    [
        pytest.param("/", "give a folder of its own", id="the root"),
        pytest.param("../..//../../../../../../..", "give a folder of its own", id="the root, another way"),
        pytest.param("out.json", "render writes YAML", id="JSON"),
        pytest.param("pipe.yaml", "is a named pipe, not a regular file", id="a pipe"),
        pytest.param("link.yaml", "is a link, not a regular file", id="a link"),
        pytest.param("src/clusters.yaml", "would overwrite the input", id="the input"),
    ],
)
def test_what_is_no_place_for_output_is_wrong_usage(
    source: Path, target: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("pipe.yaml")
    (source.parent / "link.yaml").symlink_to("elsewhere.yaml")
    before = (source / "clusters.yaml").read_bytes()
    assert main(["render", "src", "src/clusters.yaml", "-o", target]) == 2
    assert why in capsys.readouterr().err
    assert (source / "clusters.yaml").read_bytes() == before
    assert not (source.parent / "elsewhere.yaml").exists()


@pytest.mark.parametrize("target", ["src/notes.yaml", "src/fleet.yaml", "src/broken.yaml", "src/sub", "src/sub/c.yaml"])
def test_a_part_of_the_input_is_no_place_for_output(
    source: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would not be read, so its Clusters would not be served; a file would be lost as well."""
    (source / "broken.yaml").write_text("a: [\n")
    (source / "sub").mkdir()
    (source / "sub" / "c.yaml").write_text(CLUSTERS.replace("name: a", "name: c"))
    before = {path: (source / path).read_bytes() for path in files(source)}
    assert main(["render", "src", "-o", target]) == 2
    assert f"-o {target} is a part of the input src: give a new file or folder" in capsys.readouterr().err
    assert {path: (source / path).read_bytes() for path in files(source)} == before


def test_the_config_is_not_overwritten(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "fleet.yaml").rename("fleet.yaml")
    assert main(["render", "src", "-c", "fleet.yaml", "-o", "./fleet.yaml"]) == 2
    assert "would overwrite the input fleet.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["src/out.yaml", "src/out", "src/empty"])
def test_a_place_of_its_own_below_the_input_takes_the_output_again_and_again(source: Path, target: str) -> None:
    (source / "empty").mkdir()
    (source / "empty" / "README.yaml").write_text("# what is here is rendered\n")
    for _ in range(2):
        assert run("src", "-o", target).return_value == 0


def test_only_the_owner_can_read_files_with_a_secret(source: Path) -> None:
    (source / "own.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: own, namespace: team-a}\n")
    assert run("src", "-o", "out").return_value == 0
    assert run("src", "-o", "out.yaml").return_value == 0
    private = {path for path in files(source.parent / "out") if Path("out", path).stat().st_mode & 0o077 == 0}
    assert private == {
        path for path in files(source.parent / "out") if "\nkind: Secret" in Path("out", path).read_text()
    }
    assert "own.yaml" in private
    assert len(private) > 1
    assert Path("out.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("source")
def test_the_output_of_an_earlier_run_in_the_input_counts_for_no_command() -> None:
    assert run("src", "-o", "src/out").return_value == 0
    for command in (["plan", "src"], ["plan", "src", "--baseline", "src/out"], ["manifests", "src"], ["render", "src"]):
        assert main(command) == 0, command


def test_what_is_excluded_is_not_read(source: Path) -> None:
    (source / "values.yaml").write_text("replicas: 3\n")
    assert "(to leave the file out: --exclude /values.yaml)" in run("src").stderr
    assert run("src", "--exclude", "values.yaml").return_value == 0


def test_a_cluster_with_a_function_annotation_is_an_error(source: Path) -> None:
    text = CLUSTERS.replace("  name: a\n", "  name: a\n  annotations: {config.kubernetes.io/function: x}\n")
    (source / "clusters.yaml").write_text(text)
    ran = run("src")
    assert ran.return_value == 1
    assert "which marks a function's configuration: remove it" in ran.stderr


def test_a_token_that_was_cut_in_a_file_name_is_hidden_before_a_config_is_read(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "q7xv2j.w8kq4zj9vhxq2zkn"
    (source / f"{token[:-3]}.yaml").write_text("a: [\n")
    assert seen(token, run("src").stderr) != []  # nobody can know it
    monkeypatch.setenv("CLUSTERNET_T", token)
    assert seen(token, run("src").stderr) == []
    monkeypatch.delenv("CLUSTERNET_T")
    (source / "secret.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData: {{a: {token}}}\n"
    )
    assert seen(token, run("src").stderr) == []


def test_a_config_that_only_checks_counts_for_no_cluster_in_a_guard(source: Path, tmp_path: Path) -> None:
    guarded = CONFIG.replace("spec:\n", "spec:\n  guard: {maxRemovedClusters: 0}\n", 1)
    (source / "fleet.yaml").write_text(guarded)
    assert run("src", "-o", "out").return_value == 0
    before = files(tmp_path / "out")
    (source / "fleet.yaml").write_text(guarded.replace("spec:\n", "spec:\n  mode: Check\n", 1))
    ran = run("src", "-o", "out")
    assert ran.return_value == 1
    assert "would no longer be served" in ran.stderr
    assert files(tmp_path / "out") == before


def test_redacted_output_shows_a_token_nowhere(source: Path) -> None:
    token = "q7xv2j.w8kq4zj9vhxq2zkn"
    (source / "secret.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData: {{{token}: a}}\n# {token.encode().hex()}\n"
    )
    plain = run("src").stdout
    assert seen(token, plain) != []
    ran = run("src", "--redact")
    assert ran.return_value == 0
    assert seen(token, ran.stdout) == []
    before, after = ([one["metadata"]["name"] for one in yaml.safe_load_all(text)] for text in (plain, ran.stdout))
    assert after == before
    assert "x" in after
