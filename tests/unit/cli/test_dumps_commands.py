"""`status` and `migrate` as commands: exit codes, streams, and that no token leaves them."""

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from krm_fn.cli import main, status
from tests.support import live
from tests.support.live import ROOT, Fleet

HEALTHY = [str(ROOT / "healthy" / name) for name in ("management.yaml", "ours.yaml", "parent.yaml")]
FLEET = [str(ROOT / "fleet" / name) for name in ("management.yaml", "ours.yaml", "parent.yaml")]
HUB = [str(ROOT / "hub" / name) for name in ("management.yaml", "hub.yaml")]
AT = ["--now", live.NOW]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        assert live.TOKEN.encode() not in out + err
        return code, out.decode(), err.decode()

    return call


def test_a_healthy_fleet_exits_0(run: Run) -> None:
    code, out, err = run("status", *AT, *HEALTHY)
    assert (code, err) == (0, "")
    assert out.endswith("2 Clusters delivered and registered\n")


def test_any_cluster_that_is_not_registered_exits_1(run: Run) -> None:
    code, out, _ = run("status", *AT, *FLEET)
    assert code == 1
    assert out.endswith(
        "6 Clusters: 2 not delivered, 1 not reporting, 1 not selected, 1 waiting for approval, 1 delivered and registered\n"
    )


def test_stdin_and_files_go_together(run: Run) -> None:
    data = (ROOT / "healthy" / "parent.yaml").read_bytes()
    assert run("status", *AT, *HEALTHY[:2], "-", stdin=data)[0] == 0


def test_without_arguments_stdin_is_read(run: Run) -> None:
    data = live.as_json(*Fleet().everything)
    code, out, _ = run("status", *AT, stdin=data)
    assert (code, out.splitlines()[-1]) == (0, "2 Clusters delivered and registered")


@pytest.mark.parametrize("dumps", [["-"], ["-f", "-"]])
def test_a_cluster_is_found_where_the_repository_has_a_folder_of_its_name(
    dumps: list[str], run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "team-a" / "web-1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("status", *AT, "team-a/web-1", *dumps, stdin=live.as_json(*Fleet().everything))
    assert (code, out.splitlines()[0].split()[:2]) == (0, ["Cluster", "team-a/web-1"])


def test_json_and_yaml_hold_the_same(run: Run) -> None:
    code, as_json, _ = run("status", *AT, "-o", "json", *FLEET)
    _, as_yaml, _ = run("status", *AT, "-o", "yaml", *FLEET)
    assert code == 1
    assert json.loads(as_json) == yaml.safe_load(as_yaml)
    assert json.loads(as_json)["kind"] == "ClusternetStatus"


def test_yaml_and_json_dumps_give_the_same_answer(run: Run) -> None:
    as_json = str(ROOT / "fleet" / "management.json")
    assert run("status", *AT, as_json, *FLEET[1:])[1] == run("status", *AT, *FLEET)[1]


def test_unselected_clusters_and_good_ones_can_be_left_out(run: Run) -> None:
    _, out, _ = run("status", *AT, "--failing", "--ignore-unselected", *FLEET)
    assert "db-1" not in out
    assert "team-a/web-1" not in out


def test_an_empty_parent_can_be_declared(run: Run) -> None:
    code, out, _ = run("status", *AT, "--parent", *HEALTHY[:2])
    assert code == 1
    assert "not-registered" in out


@pytest.mark.parametrize("command", ["status", "migrate"])
def test_a_bad_dump_exits_2_with_one_line(run: Run, command: str) -> None:
    code, out, err = run(command, stdin=b"NAME  READY\n")
    assert (code, out) == (2, "")
    assert err.startswith("error: stdin is kubectl's table")
    assert err.count("\n") == 1


def test_missing_files_are_named_with_the_other_errors(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"")
    code, _, err = run("status", str(tmp_path / "nope"), str(bad), str(tmp_path), HEALTHY[0])
    assert code == 2
    assert err.count("error: ") == 3
    assert "nope: No such file or directory" in err


def test_a_missing_file_alone_is_one_error(run: Run, tmp_path: Path) -> None:
    code, _, err = run("status", str(tmp_path / "nope"))
    assert (code, err.count("error: ")) == (2, 1)


@pytest.mark.parametrize(
    ("command", "given"), [("status", "error: give --context, or the files"), ("migrate", "error: give the files")]
)
def test_nothing_to_read_on_a_terminal_is_wrong_usage(command: str, given: str) -> None:
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "krm_fn", command], stdin=slave, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(master)
    os.close(slave)
    assert done.returncode == 2
    assert done.stderr.startswith(given)
    assert "pipe its output in" in done.stderr


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"{", "reading 0 MiB of big\n", id="json"),
        pytest.param(b"a: b", "reading 0 MiB of big; JSON (-o json) is read ten times faster\n", id="yaml"),
    ],
)
def test_reading_much_is_said_on_a_terminal(
    data: bytes, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status, "_SLOW", 1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status.progress("big", data)
    assert capsys.readouterr().err == expected


def test_reading_is_silent_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_SLOW", 1)
    status.progress("big", b"{}")
    assert not capsys.readouterr().err


def test_migrate_prints_the_config_on_stdout_and_the_way_on_stderr(run: Run) -> None:
    code, out, err = run("migrate", *HUB)
    assert code == 0
    assert yaml.safe_load(out)["spec"]["clusterResourceSet"] == {"name": "clusternet"}
    assert err.startswith("\nWHAT CHANGES\n- These Clusters run an agent that the hub installed")


def test_migrate_writes_the_config_to_a_file(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "config.yaml"
    code, out, _ = run("migrate", "-o", str(target), "--name", "other", "--resource-set", "agents", *HUB)
    assert (code, out) == (0, "")
    assert yaml.safe_load(target.read_text())["metadata"]["name"] == "other"


def test_the_migrated_config_renders_beside_its_token(run: Run, tmp_path: Path) -> None:
    quick = {
        "apiVersion": "cluster.x-k8s.io/v1beta1",
        "kind": "Cluster",
        "metadata": {"name": "capi-quickstart", "namespace": "default"},
        "spec": {"topology": {"class": "quick-start", "version": "v1.34.1"}},
    }
    token = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "clusternet-registration-token",
            "namespace": "default",
            "annotations": {"config.kubernetes.io/local-config": "true"},
        },
        "stringData": {"regToken": live.TOKEN},
    }
    (tmp_path / "clusters.yaml").write_text(yaml.safe_dump_all([quick, token]))
    assert run("migrate", "-o", str(tmp_path / "config.yaml"), *HUB)[0] == 0
    code, out, _ = run("render", str(tmp_path), "--only", "generated")
    made = {(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(out)}
    assert code == 0
    assert ("ClusterResourceSet", "clusternet") in made
    assert ("Secret", "clusternet-registration") in made


def test_migrate_says_when_the_file_cannot_be_written(run: Run, tmp_path: Path) -> None:
    code, _, err = run("migrate", "-o", str(tmp_path / "no" / "config.yaml"), *HUB)
    assert code == 1
    assert err == f"error: can't write {tmp_path}/no/config.yaml: No such file or directory; nothing was changed\n"


def test_migrate_warns_on_stderr(run: Run, tmp_path: Path) -> None:
    dump = tmp_path / "hub.json"
    dump.write_bytes(live.as_json(live.hub_secret()))
    code, _, err = run("migrate", str(dump))
    assert code == 0
    assert "warning: no ConfigMap clusternet-agent-deploy is in the dump" in err


def test_a_token_in_the_wrong_place_is_hidden(run: Run, tmp_path: Path) -> None:
    secret = live.hub_secret(image=f"registry.example.com/{live.TOKEN}:v0.18.1")
    dump = tmp_path / "hub.json"
    dump.write_bytes(live.as_json(secret))
    code, out, _ = run("migrate", str(dump))
    assert code == 0
    assert "(hidden)" in out


def test_a_label_that_holds_the_token_is_hidden(run: Run, tmp_path: Path) -> None:
    fleet = Fleet(names=("web-1",))
    odd = live.cluster("team-a", "odd", labels={"clusternet.io/register": live.TOKEN})
    dump = tmp_path / "dump.json"
    dump.write_bytes(live.as_json(*fleet.everything, odd))
    assert run("status", *AT, str(dump))[0] == 1


def test_data_stays_readable_where_a_part_of_the_token_is_hidden(run: Run, tmp_path: Path) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.drop("ManagedCluster", "web-1")
    half = live.TOKEN.partition(".")[2]
    said = f'"{half[:9]}\\{half[9:]}" \\u0022{half[3:]}'
    fleet.requests = [live.request("web-1", result="Denied", error=said)]
    dump = tmp_path / "dump.json"
    dump.write_bytes(live.as_json(*fleet.everything))
    found = [run("status", *AT, "-o", form, str(dump))[1] for form in ("json", "yaml")]
    assert json.loads(found[0]) == yaml.safe_load(found[1])
    (message,) = [one["message"] for one in json.loads(found[0])["clusters"][0]["reasons"]]
    assert "(hidden)" in message
    assert [half[at : at + 6] for at in range(len(half) - 5) if half[at : at + 6] in "".join(found)] == []


@pytest.mark.parametrize("command", ["status", "migrate"])
def test_help_has_an_example_and_the_exit_codes(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Example:" in out
    assert "Exit code:" in out


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    script = f"{sys.executable} -m krm_fn status --now {live.NOW} -o json {' '.join(FLEET)} | head -c 10"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr


def terminal(columns: int, **environment: str) -> str:
    """Run status on a terminal of that width and return what it shows."""
    master, slave = pty.openpty()
    program = [sys.executable, "-m", "krm_fn", "status", *AT, *FLEET]
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment}
    process = subprocess.Popen(program, stdout=slave, stdin=slave, stderr=slave, env=env)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    process.wait(timeout=60)
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_it_is_coloured_and_wrapped() -> None:
    shown = terminal(100)
    assert "\x1b[31m" in shown


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["no-color", "dumb"])
def test_colours_can_be_switched_off(environment: dict[str, str]) -> None:
    assert "\x1b" not in terminal(100, **environment)


# --- asking kubectl ----------------------------------------------------------------------------------------------

KUBECTL = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + chr(10))
what = sys.argv[sys.argv.index("get") + 1]
answer = here / (sys.argv[2] + "-" + what.split(".")[0].split(",")[0])
if not answer.exists():
    sys.stderr.write("Error from server (Forbidden): " + what + " is forbidden, token {token}")
    sys.exit(1)
sys.stdout.write(answer.read_text())
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl that knows a healthy fleet; where an answer is taken away, it refuses."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "kubectl"
    program.write_text(KUBECTL.format(python=sys.executable, token=live.TOKEN))
    program.chmod(0o755)
    fleet = Fleet()
    answers = {
        "m-clusters": fleet.management,
        "m-secrets": [one for one in fleet.payloads if one["kind"] == "Secret"],
        "m-configmaps": [one for one in fleet.payloads if one["kind"] == "ConfigMap"],
        "m-namespaces": [],
        "m-deployments": [live.manager("v1.14.2", "")],
        "p-managedclusters": fleet.parent,
    }
    for name, objects in answers.items():
        (folder / name).write_bytes(live.as_json(*objects))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795428000")
    return folder


def test_both_clusters_are_asked_through_kubectl(run: Run, kubectl: Path) -> None:
    code, out, err = run("status", "--context", "m", "--parent-context", "p")
    assert (code, err) == (0, "")
    assert out.endswith("2 Clusters delivered and registered\n")
    calls = [json.loads(line) for line in (kubectl / "calls").read_text().splitlines()]
    assert {call[2] for call in calls} == {"get"}
    secrets = next(call for call in calls if "secret" in call[3])
    assert secrets[4:7] == ["-A", "-l", "fn.clusternet.io/generated=true"]


def test_what_the_hub_left_is_asked_for_by_name_and_its_token_is_not_shown(run: Run, kubectl: Path) -> None:
    program = kubectl / "kubectl"
    named = 'what = sys.argv[sys.argv.index("get") + 1]\nwhat += sys.argv[-4].partition("=")[2]\n'
    program.write_text(program.read_text().replace('what = sys.argv[sys.argv.index("get") + 1]\n', named))
    (kubectl / "m-configmapstrue").write_bytes((kubectl / "m-configmaps").read_bytes())
    (kubectl / "m-secretstrue").write_bytes((kubectl / "m-secrets").read_bytes())
    deploy, rbac, _ = live.hub_objects("team-a")
    (kubectl / "m-configmapsclusternet-agent-deploy").write_bytes(live.as_json(deploy))
    (kubectl / "m-configmapsclusternet-agent-rbac").write_bytes(live.as_json(rbac))
    code, out, err = run("status", "--context", "m", "--parent-context", "p")
    assert (code, err) == (0, "")
    assert "! ConfigMap team-a/clusternet-agent-deploy\n" in out
    assert "kubectl --context m -n team-a delete configmap clusternet-agent-rbac" in out
    assert live.TOKEN[-8:] not in out


def test_one_cluster_is_reported_as_a_tree(run: Run, kubectl: Path) -> None:
    assert kubectl
    code, out, _ = run("status", "--context", "m", "--parent-context", "p", "team-a/web-2")
    assert code == 0
    assert out.startswith("Cluster team-a/web-2 ")
    assert "web-1" not in out


def test_without_the_parent_registration_is_unknown_and_strict_fails(run: Run, kubectl: Path) -> None:
    assert kubectl
    assert run("status", "--context", "m")[0] == 0
    assert run("status", "--context", "m", "--strict")[0] == 1


def test_what_may_be_forbidden_is_a_warning_and_all_else_an_error_without_a_token(run: Run, kubectl: Path) -> None:
    (kubectl / "m-deployments").unlink()
    code, _, err = run("status", "--context", "m", "--parent-context", "p")
    assert code == 0
    assert err.startswith("warning: `kubectl --context m get deployments.apps -A")
    (kubectl / "m-clusters").unlink()
    (kubectl / "p-managedclusters").unlink()
    code, out, err = run("status", "--context", "m", "--parent-context", "p")
    assert (code, out, err.count("error: ")) == (2, "", 2)
    assert "(Forbidden)" in err


@pytest.mark.parametrize("kind", ["secrets", "configmaps"])
def test_without_permission_for_secrets_or_configmaps_none_is_called_missing(
    run: Run, kubectl: Path, kind: str
) -> None:
    (kubectl / f"m-{kind}").unlink()
    code, out, err = run("status", "--context", "m", "--parent-context", "p")
    assert (code, "missing-resource" in out) == (0, False)
    assert err.startswith(f"warning: `kubectl --context m get {kind} -A -l fn.clusternet.io/generated=true` failed")
    assert err.count("\n") == 1  # not once more for what the hub left
    assert live.TOKEN[-8:] not in err


def test_what_kubectl_warns_of_is_no_part_of_what_it_answers(run: Run, kubectl: Path) -> None:
    program = kubectl / "kubectl"
    program.write_text(
        program.read_text().replace("sys.stdout.write", 'sys.stderr.write("Warning: old API");sys.stdout.write')
    )
    assert run("status", "--context", "m", "--parent-context", "p")[:1] == (0,)


@pytest.mark.parametrize("path", ["", "bin", "."])
def test_kubectl_is_not_taken_from_a_relative_folder(
    run: Run, kubectl: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(kubectl.parent if path == "bin" else kubectl)
    monkeypatch.setenv("PATH", path)
    code, _, err = run("status", "--context", "m")
    assert (code, err.count("\n")) == (2, 1)
    assert "kubectl is in no absolute folder of PATH" in err


def test_a_kubectl_that_hangs_is_given_up(run: Run, kubectl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kubectl / "kubectl").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(status, "_SECONDS", 0.1)
    code, _, err = run("status", "--context", "m")
    assert code == 2
    assert "no answer within 0.1 seconds" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--context", "m", HEALTHY[0]], "give --context or dumps, not both", id="both"),
        pytest.param(["--parent-context", "p", HEALTHY[0]], "--parent-context needs --context", id="parent"),
        pytest.param(["--dead-after", "a week", HEALTHY[0]], "'a week' is not a duration such as 7d", id="span"),
        pytest.param([*AT, *HEALTHY, "team-a/nope"], "there is no Cluster team-a/nope", id="cluster"),
    ],
)
def test_wrong_usage_is_named(run: Run, arguments: list[str], expected: str) -> None:
    code, out, err = run("status", *arguments)
    assert (code, out) == (2, "")
    assert expected in err


def test_dumps_and_clusters_are_reported_apart(run: Run) -> None:
    files = [part for name in HEALTHY for part in ("-f", name)]
    code, out, _ = run("status", *AT, "team-a/web-1", *files)
    assert (code, out.splitlines()[0].split()[1]) == (0, "team-a/web-1")


def test_ages_in_a_dump_count_from_its_newest_report(run: Run) -> None:
    code, out, _ = run("status", *HEALTHY)
    assert code == 0
    assert "ages of reports are counted from the newest time in the dump of the parent, 2026-11-23" in out or (
        "old-dump" not in out and "0s ago" in out
    )


@pytest.mark.parametrize(("span", "commands"), [("7d", True), ("9999d", False)])
def test_the_time_of_silence_before_a_deletion_is_printed_can_be_set(run: Run, span: str, commands: bool) -> None:  # noqa: FBT001
    _, out, _ = run("status", *AT, "--dead-after", span, *FLEET)
    assert ("delete managedclusters" in out) is commands
