"""A planted token is in nothing that is said: no result, no line on stderr, no traceback, no object but a Secret."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import re
import string
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from krm_fn import function, plan
from krm_fn.cli import builds, inputs, status
from krm_fn.cli import plan as plan_command
from krm_fn.config.tree.token import REGISTRATION_TOKEN
from krm_fn.files import kustomize
from krm_fn.krm import resource_list, runner
from krm_fn.krm.results import Errors, Result
from krm_fn.krm.streams import read_stream
from krm_fn.kube.secrets import Secret, quoted
from krm_fn.tokens.offers import Offers
from krm_fn.tokens.redaction import Redactor
from krm_fn.tokens.sources import OUTSIDE
from tests.support.traces import seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = 1_700_000_000
HALF = "r5t6y7u8i9o0p1a2"
BOOTSTRAP = f"q2w3e4.{HALF}"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
LETTERS = string.ascii_lowercase + string.digits
SOURCES = ["value", "secretRef", "secretRef data", "env", "file"]


def test_every_source_of_a_token_that_is_seen_is_tried() -> None:
    tried = {one.partition(" ")[0] for one in SOURCES}
    assert tried | set(OUTSIDE) == set(REGISTRATION_TOKEN.names) - {"onExpired"}


def chance(text: str) -> bool:
    """Whether a secret half could be seen by chance: as a part of a word, such as `eplace`, or of a repeated sign."""
    return re.search("[a-z]{6}", text) is not None or len(set(text)) <= 6


bootstrap_tokens = st.builds(
    lambda head, tail: f"{head}.{tail}",
    st.text(LETTERS, min_size=6, max_size=6),
    st.text(LETTERS, min_size=16, max_size=16).filter(lambda text: not chance(text)),
)


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


jwt_tokens = st.builds(
    lambda expires, tail: f"{packed({'alg': 'RS256'})}.{packed({'exp': expires, 'sub': tail})}.{tail}",
    st.integers(NOW - 10**7, NOW + 10**8),
    st.text(string.ascii_letters + string.digits + "-_", min_size=24, max_size=40),
)
tokens = st.one_of(bootstrap_tokens, jwt_tokens)

# What people do to a token on its way into a file
SLIPS = {
    "none": lambda token: token,
    "line break": lambda token: token + "\n",
    "cut": lambda token: token[:-1],
    "one more": lambda token: token + "x",
    "upper case": lambda token: token.upper(),
    "blank": lambda token: f"{token[:8]} {token[8:]}",
    "quotes": lambda token: f'"{token}"',
    "base64": lambda token: base64.b64encode(token.encode()).decode(),
    "twice": lambda token: f"{token},{token}",
    "with a name": lambda token: f"token={token}",
}


def fleet(source: str, value: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return objects and environment in which a source holds a value."""
    environment = {"CLUSTERNET_T": value, "CLUSTERNET_PARENT_URLS": "*"}
    reference: dict[str, Any] = {
        "value": {"value": value},
        "secretRef": {"secretRef": {"name": "reg"}},
        "secretRef data": {"secretRef": {"name": "reg"}},
        "env": {"env": "CLUSTERNET_T"},
        "file": {"file": "token"},
    }[source]
    config = {
        "apiVersion": "fn.clusternet.io/v1alpha1",
        "kind": "ClusternetCAPIConfig",
        "metadata": {"name": "fleet"},
        "spec": {
            "parentURL": "https://parent.example.com",
            "registrationToken": reference,
            "clusterSelector": {"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}]},
        },
    }
    cluster = {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster",
        "metadata": {"name": "c1", "namespace": "team-a", "labels": {"env": "prod"}},
    }
    objects = [config, cluster]
    if source.startswith("secretRef"):
        data = (
            {"data": {"regToken": base64.b64encode(value.encode()).decode()}}
            if source.endswith("data")
            else {"stringData": {"regToken": value}}
        )
        objects.append(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reg", "namespace": "team-a"}, **data}
        )
    return objects, environment


def as_input(objects: list[dict[str, Any]]) -> bytes:
    """Return objects as a ResourceList in YAML's flow form."""
    body = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": objects}
    return f"# a comment makes it YAML\n{json.dumps(body, indent=1)}\n".encode()


class Spoken:
    """Everything that a run says, as one text; what its records show; and the objects that it adds."""

    def __init__(self, raw: bytes, environment: dict[str, str]) -> None:
        self.text = ""
        self.held = ""
        self.messages = ""
        self.failed = False
        self.added: list[Any] = []
        try:
            found = resource_list.read(raw)
        except Errors as errors:
            self._say(errors.results)
            self.text += f"{errors!r}{errors}"
            return
        options = function.Options(offers=Offers(environment), now=NOW, verbose=True, writes_files=True)
        outcome = function.run(found, options)
        self._say(outcome.results)
        self.held = repr(outcome.configs)
        self.added = [*outcome.changes.added, *outcome.changes.replaced.values()]

    def _say(self, results: Any) -> None:
        stderr = io.StringIO()
        runner.say_lines(results, stderr)
        self.messages = "\n".join(result.message for result in results)
        self.failed = any(result.severity == "error" for result in results)
        self.text += f"{results!r}{json.dumps([result.as_data() for result in results])}{stderr.getvalue()}"


def given_file(folder: Path, value: str) -> dict[str, str]:
    (folder / "token").write_text(value)
    return {"CLUSTERNET_TOKEN_DIR": str(folder)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("offered")


relaxed = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("source", SOURCES)
@given(token=tokens)
@relaxed
def test_no_source_and_no_slip_lets_a_token_into_what_is_said(folder: Path, source: str, slip: str, token: str) -> None:
    value = SLIPS[slip](token)
    objects, environment = fleet(source, value)
    said = Spoken(as_input(objects), {**environment, **given_file(folder, value)})
    assert seen(token, said.text + said.held) == []
    assert value.strip() not in said.text + said.held
    assert said.failed is (slip not in {"none", "line break"} and not is_still_one(token, slip))


def is_still_one(token: str, slip: str) -> bool:
    """Return whether a slip leaves a JWT what it is: its last part is any base64url."""
    return token.count(".") == 2 and slip in {"cut", "one more"}


@pytest.mark.parametrize("source", SOURCES)
@given(token=tokens)
@relaxed
def test_only_secrets_hold_a_token(folder: Path, source: str, token: str) -> None:
    objects, environment = fleet(source, token)
    said = Spoken(as_input(objects), {**environment, **given_file(folder, token)})
    others = json.dumps([one for one in said.added if one["kind"] != "Secret"])
    assert [one["kind"] for one in said.added].count("Secret") == 1
    assert seen(token, others) == []


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every scalar and container below a value."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found += paths(inner, (*path, key))
    return found


def put(objects: list[Any], path: tuple[str | int, ...], value: Any) -> None:
    """Set the value at a path."""
    one: Any = objects
    for part in path[:-1]:
        one = one[part]
    one[path[-1]] = value


FULL = {
    "parentURL": "https://parent.example.com",
    "registrationToken": {"value": "x", "onExpired": "Warn"},
    "clusterSelector": {"matchLabels": {"env": "prod"}},
    "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
    "agent": {
        "image": "ghcr.io/clusternet/clusternet-agent:v0.18.1",
        "namespace": "clusternet-system",
        "replicas": 3,
        "imagePullSecrets": [{"name": "pull"}],
        "resources": {"limits": {"cpu": "1"}},
        "nodeSelector": {"a": "b"},
        "tolerations": [{"key": "k", "operator": "Exists"}],
        "podLabels": {"a": "b"},
        "podAnnotations": {"a": "b"},
        "env": [{"name": "CLUSTER_CIDR", "value": "10.0.0.0/8"}],
        "featureGates": {"Recovery": True},
        "extraArgs": ["--v=4"],
        "patches": [
            {"target": {"kind": "Deployment", "name": "clusternet-agent"}, "patch": {"spec": {"paused": True}}}
        ],
    },
    "identity": {"mode": "PerCluster", "nameTemplate": "{name}", "labels": {"a": "b"}, "labelKeys": ["env"]},
    "clusterResourceSet": {"name": "n", "strategy": "Reconcile", "extraResources": [{"kind": "Secret", "name": "p"}]},
    "managementCluster": {"featureGate": "Check"},
    "hub": {"kubeconfigSecretRef": {"name": "a", "key": "b"}},
    "gitops": {"argocd": True},
    "guard": {"minClusters": 1, "onInvalidCluster": "Fail"},
    "mode": "Render",
}


def everything(token: str) -> list[dict[str, Any]]:
    """Return a config with every field, and objects of every kind that is looked at."""
    objects, _ = fleet("value", token)
    objects[0]["spec"] = {**json.loads(json.dumps(FULL)), "registrationToken": {"value": token}}
    objects[1]["metadata"]["annotations"] = {"note": "x"}
    return [
        *objects,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a", "labels": {"team": "a"}}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "v"}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "bootstrap-token-abc123", "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token",
            "stringData": {"token-id": "abc123", "expiration": "2030-01-01T00:00:00Z"},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "capi-controller-manager", "namespace": "capi-system"},
            "spec": {
                "template": {
                    "spec": {
                        "containers": [
                            {
                                "name": "manager",
                                "image": "registry.k8s.io/cluster-api/cluster-api-controller:v1.6.0",
                                "args": ["--feature-gates=MachinePool=true"],
                            }
                        ]
                    }
                }
            },
        },
    ]


# not those where the run learns its token from
PATHS = [path for path in paths(everything("x")) if path[:3] != (0, "spec", "registrationToken")[: len(path)]]
# What a token looks like in a file that somebody pasted it into
WHOLE = {
    "plain": lambda token: token,
    "in a sentence": lambda token: f"Bearer {token};",
    "glued": lambda token: f"{'a' * 58}{token}",
    "twice": lambda token: token * 2,
    "base64": lambda token: base64.b64encode(token.encode()).decode(),
    "base64 of a line": lambda token: base64.b64encode(f"token: {token}".encode()).decode(),
    "base64 for URLs": lambda token: base64.urlsafe_b64encode(f"??{token}".encode()).decode(),
    "hexadecimal": lambda token: token.encode().hex(),
    "URL": lambda token: "".join(f"%{one:02x}" for one in token.encode()),
}
# What is left of one, which only a run that knows the token can recognise
PARTS = {
    "without its end": lambda token: token[:-1],
    "without its beginning": lambda token: token[-14:],
    "six characters": lambda token: token[-8:-2],
    "upper case": lambda token: token.upper(),
    "base64, cut": lambda token: base64.b64encode(token.encode()).decode()[7:-9],
    "hexadecimal, cut": lambda token: token.encode().hex()[-25:-1],
    "long": lambda token: f"{'x' * 30} {token[-16:-4]} {'y' * 300}",
}
SHAPES = {
    "value": lambda text: text,
    "key": lambda text: {text: "x"},
    "key of a list": lambda text: [{text: text}],
    "list": lambda text: [text],
}


# Fixed, since what shrinks to zeros is an id as well
LETTERS_ONLY = "v8sn2b.qjfhwkzmxrtyvbnp"
PLANTED = st.sampled_from([BOOTSTRAP, JWT, "07kq3d.mzx81nvb5tplw92c", LETTERS_ONLY])


@given(
    path=st.sampled_from(PATHS),
    form=st.sampled_from(list({**WHOLE, **PARTS})),
    shape=st.sampled_from(list(SHAPES)),
    token=PLANTED,
)
@example(path=(0, "kind"), form="without its end", shape="value", token=BOOTSTRAP)
@settings(relaxed, max_examples=300)
def test_a_token_of_the_run_is_seen_nowhere(path: tuple[str | int, ...], form: str, shape: str, token: str) -> None:
    objects = everything(token)
    put(objects, path, SHAPES[shape]({**WHOLE, **PARTS}[form](token)))
    assert seen(token, Spoken(as_input(objects), {}).text) == []


@given(
    path=st.sampled_from(paths(everything("x"))),
    form=st.sampled_from(list(WHOLE)),
    shape=st.sampled_from(list(SHAPES)),
    token=PLANTED.filter(lambda token: token != LETTERS_ONLY),  # glued to other text it is like the name of a host
)
@settings(relaxed, max_examples=300)
def test_a_token_that_the_run_does_not_know_is_seen_nowhere(
    path: tuple[str | int, ...], form: str, shape: str, token: str
) -> None:
    objects = everything("plantd.0a9b8c7d6e5f4g3h")
    put(objects, path, SHAPES[shape](WHOLE[form](token)))
    assert seen(token, Spoken(as_input(objects), {}).text) == []


@given(path=st.sampled_from(PATHS), shape=st.sampled_from(list(SHAPES)), unit=st.sampled_from(["x", "ab c", "é-"]))
@settings(relaxed, max_examples=150)
def test_no_message_quotes_more_than_200_characters(path: tuple[str | int, ...], shape: str, unit: str) -> None:
    text = unit * 3_000
    objects = everything("plantd.0a9b8c7d6e5f4g3h")
    put(objects, path, SHAPES[shape](text))
    said = Spoken(as_input(objects), {})
    assert text[: 201 + len(unit)] not in said.messages


@given(token=tokens, cut=st.floats(0, 1))
@settings(relaxed, max_examples=60)
def test_a_truncated_input_does_not_show_the_token_it_held(token: str, cut: float) -> None:
    raw = as_input(everything(token))
    said = Spoken(raw[: int((len(raw) - 3) * cut)], {})
    assert seen(token, said.text) == []
    assert said.failed


@pytest.mark.parametrize(
    "around",
    [
        "{}: {}: {}",
        "\t{}",
        "- {}\n  - {}",
        "[{}, ",
        "&{} *{}",
        "!{} {}",
        "%{}",
        "? {}",
        "{}: 1\n{}: 2",
        "*{}",
        "!!binary {}",
        '"\\x{}"',
        "|{}\n",
        "<<: {}",
        "@{}",
        "{{{}",
    ],
)
@pytest.mark.parametrize("indent", [0, 2, 6])
@given(token=bootstrap_tokens)
@settings(relaxed, max_examples=5)
def test_yaml_that_breaks_around_a_token_does_not_show_it(around: str, indent: int, token: str) -> None:
    broken = around.replace("{}", token).replace("{{", "{")
    body = "".join(f"{' ' * indent}{line}\n" for line in broken.split("\n"))
    raw = f"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: Cluster\n  data:\n{body}".encode()
    assert seen(token, Spoken(raw, {}).text) == []


@pytest.mark.parametrize(
    "line", ["{}", "{}=", "{}: 1: 2", "{}:x", "-{}", "- {}", "  {}: 1\n {}: 2", "{} x", "{}: 1\n{}: 2", "//{}"]
)
@pytest.mark.parametrize("above", ["token: a2c4e6.", "token:", "token: >", "b: c"])
@pytest.mark.parametrize("indent", [0, 2, 6])
@given(token=bootstrap_tokens)
@settings(relaxed, max_examples=4)
def test_a_part_of_a_token_on_a_line_of_its_own_is_not_shown(line: str, above: str, indent: int, token: str) -> None:
    half = token.partition(".")[2]
    for part in (f"x{half}", half, base64.b64encode(token.encode()).decode()[8:].rstrip("=")):
        body = "".join(f"{' ' * indent}{one}\n" for one in line.replace("{}", part).split("\n"))
        raw = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  {above}\n{body}".encode()
        wrapped = b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- " + raw.replace(b"\n", b"\n  ")
        said = Spoken(wrapped, {}).text
        try:
            read_stream(raw)
        except Errors as errors:
            said += repr(errors.results)
        assert seen(token, said) == []


def printed_by_kubectl(text: str, most: int, folder: Path) -> str:
    del most
    (folder / "said").write_text(text)
    data, reason = status._run(["sh", "-c", f"cat '{folder}/said' >&2; exit 1"])
    assert data == b""
    return reason


def printed_by_kustomize(text: str, most: int, folder: Path) -> str:
    (folder / "said").write_text(text)
    with mock.patch.object(kustomize, "_LARGEST_ERRORS", most):
        _, said, _ = kustomize._run(["sh", "-c", f"cat '{folder}/said' >&2; exit 1"], {"PATH": os.defpath}, str(folder))
    return "".join(one.message for one in builds._unbuilt(kustomize.Unbuilt([Result(message="a")], said), Redactor()))


CUTTERS = {
    "quoted": lambda text, most, _: quoted(text, most),
    "quoted, both ends": lambda text, most, _: quoted(text, most, ends=True),
    "a message of kubectl": printed_by_kubectl,
    "a message of kustomize": printed_by_kustomize,
}


@pytest.mark.parametrize("how", CUTTERS)
@given(
    text=st.builds(
        lambda token, before, behind: (token, f"{'- ' * before}\n token {token}, {'. ' * behind}"),
        tokens,
        st.integers(0, 130),
        st.one_of(st.integers(0, 130), st.integers(1950, 2100)),
    ),
    most=st.integers(20, 260),
)
@settings(relaxed, max_examples=25)
def test_what_is_too_long_is_hidden_first_and_shortened_afterwards(
    folder: Path, how: str, text: tuple[str, str], most: int
) -> None:
    token, written = text
    said = CUTTERS[how](written, most, folder)
    assert seen(token, said) == []


FILES = [f"examples/waves/{name}.yaml" for name in ("clusters", "wave-1")]


@pytest.mark.parametrize("form", ["markdown", "mermaid"])
@given(token=tokens, before=st.integers(0, 720))
@relaxed
def test_a_view_of_the_plan_shortens_messages_without_a_token(form: str, token: str, before: int) -> None:
    process = inputs.process

    def planted(*given: Any) -> Any:
        message = f"planted {'- ' * (before // 2)}{token} {'. ' * 20}"
        return process(*given).replace(results=(Result(message=message),))

    with mock.patch.object(inputs, "process", planted), contextlib.redirect_stderr(io.StringIO()):
        done = CliRunner().invoke(plan_command.command, ["-o", form, *FILES])
    assert "planted" in done.stdout
    assert seen(token, done.stdout) == []


@given(token=tokens)
@relaxed
def test_a_bug_of_ours_shows_no_token_even_with_debug(token: str) -> None:
    def work() -> int:
        planted = Secret(token)
        message = f"error with {planted!r} and {token}"
        raise RuntimeError(message)

    stderr = io.StringIO()
    assert runner.guarded(work, stderr, debug=True) == runner.INTERNAL
    assert "Traceback" in stderr.getvalue() or "File" in stderr.getvalue()
    assert token not in stderr.getvalue()


@given(token=tokens)
@relaxed
def test_records_that_hold_a_token_do_not_show_it(token: str) -> None:
    objects, environment = fleet("value", token)
    outcome = function.run(resource_list.read(as_input(objects)), function.Options(offers=Offers(environment)))
    assert isinstance(outcome.plan, plan.Plan)
    for shown in (
        repr(outcome.configs),
        str(outcome.configs),
        f"{outcome.configs[0].token}",
        repr(Offers(environment)),
    ):
        assert seen(token, shown) == []


# --- the program itself ----------------------------------------------------------------------------------------------


def program(*arguments: str, stdin: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTERNET_")}
    return subprocess.run(
        [sys.executable, "-m", "krm_fn", *arguments],
        input=stdin,
        env={**inherited, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [(), ("fn", "--debug", "--verbose")], ids=["plain", "debug"])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(lambda raw: raw, 0, id="good"),
        pytest.param(lambda raw: raw.replace(b'"prod"', b'"dev"', 1), 1, id="no Cluster"),
        pytest.param(lambda raw: raw.replace(b'"c1"', f'"{BOOTSTRAP}"'.encode()), 0, id="the token as a name"),
        pytest.param(lambda raw: raw.replace(b'"parentURL"', f'"{BOOTSTRAP}"'.encode()), 1, id="the token as a field"),
        pytest.param(lambda raw: raw.replace(b'"env"', b'"regToken"', 1), 1, id="another selector"),
        pytest.param(lambda raw: raw[:-20], 1, id="cut off"),
        pytest.param(lambda raw: raw.replace(HALF.encode(), HALF.encode()[:-1]), 1, id="a token that is none"),
        pytest.param(lambda raw: raw + b"\xff", 1, id="no UTF-8"),
    ],
)
def test_the_program_writes_no_token_to_stderr_or_results(arguments: tuple[str, ...], spoil: Any, code: int) -> None:
    objects, _ = fleet("value", BOOTSTRAP)
    done = program(*arguments, stdin=spoil(as_input(objects)))
    assert done.returncode == code
    assert HALF[:-1].encode() not in done.stderr
    results = yaml.safe_load(done.stdout)["results"] if done.stdout else []
    assert bool(results) is bool(done.stdout)
    assert HALF[:-1] not in repr(results)


def test_the_programs_environment_is_not_shown_where_it_is_wrong() -> None:
    objects, _ = fleet("env", "")
    done = program(
        stdin=as_input(objects), CLUSTERNET_T=f"{BOOTSTRAP}!", CLUSTERNET_PARENT_URLS="*", SOURCE_DATE_EPOCH="0"
    )
    assert done.returncode == 1
    assert HALF.encode() not in done.stderr + done.stdout


def test_a_wrong_clock_setting_is_a_error_of_the_user_and_is_not_shown() -> None:
    done = program(stdin=b"", SOURCE_DATE_EPOCH=BOOTSTRAP)
    assert done.returncode == 1
    assert HALF.encode() not in done.stderr + done.stdout


# --- the commands ----------------------------------------------------------------------------------------------------


def careless(source: str) -> list[dict[str, Any]]:
    """Return a fleet in which the token also got into every place that takes any text."""
    objects, _ = fleet(source, BOOTSTRAP)
    spec = objects[0]["spec"]
    spec["agent"] = {
        "podAnnotations": {"note": f"token {BOOTSTRAP}"},
        "env": [{"name": "REG", "value": BOOTSTRAP}],
        "extraArgs": [f"--v={BOOTSTRAP}"],
    }
    spec["identity"] = {"labels": {"token": HALF}}
    spec["clusterResourceSet"] = {"annotations": {"note": BOOTSTRAP}}
    objects[1]["metadata"]["annotations"] = {"note": BOOTSTRAP}
    other = json.loads(json.dumps(objects[1]))
    other["metadata"] = {"name": "c2", "namespace": "team-a", "labels": {"env": HALF}}
    spec["clusterSelector"]["matchExpressions"][0]["values"].append(f"x{HALF}")
    return [*objects, other, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": HALF}}]


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes the careless fleet of a source as a folder."""

    def write(source: str) -> Path:
        folder = tmp_path / "package"
        folder.mkdir()
        for number, one in enumerate(careless(source)):
            (folder / f"{number}.yaml").write_text(json.dumps(one, indent=1))
        (tmp_path / "token").write_text(BOOTSTRAP)
        return folder

    return write


def offered(folder: Path) -> dict[str, str]:
    return {
        "CLUSTERNET_T": BOOTSTRAP,
        "CLUSTERNET_TOKEN_DIR": str(folder.parent),
        "CLUSTERNET_PARENT_URLS": "*",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("plan", "-o", "markdown"),
        ("plan", "-o", "mermaid"),
        ("plan", "-o", "json"),
        ("plan", "-o", "yaml"),
        ("manifests",),
        ("manifests", "--only", "registration"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("source", SOURCES)
def test_no_command_that_explains_prints_the_token(
    package: Callable[[str], Path], source: str, arguments: tuple[str, ...]
) -> None:
    folder = package(source)
    done = program(*arguments, str(folder), stdin=b"", **offered(folder))
    assert done.returncode == 0
    assert done.stdout
    assert HALF.encode() not in done.stdout + done.stderr
    assert base64.b64encode(BOOTSTRAP.encode()) not in done.stdout + done.stderr


def test_a_diff_against_a_baseline_does_not_print_either_token(package: Callable[[str], Path], tmp_path: Path) -> None:
    folder = package("env")
    older = offered(folder) | {"CLUSTERNET_T": "zzzzzz.z9y8x7w6v5u4t3s2"}
    assert program("render", str(folder), "-o", str(tmp_path / "old"), stdin=b"", **older).returncode == 0
    done = program("plan", str(folder), "--baseline", str(tmp_path / "old"), stdin=b"", **offered(folder))
    assert b"changed" in done.stdout
    for token in (BOOTSTRAP, older["CLUSTERNET_T"]):
        text = base64.b64encode(token.encode())
        assert text not in done.stdout + done.stderr
        assert token.partition(".")[2].encode() not in done.stdout + done.stderr


def on_terminal(*arguments: str, **environment: str) -> tuple[int, bytes]:
    """Run the program with a terminal for stdout; return its exit code and what the terminal shows."""
    mine, its = os.openpty()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTERNET_")}
    with subprocess.Popen(
        [sys.executable, "-m", "krm_fn", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=subprocess.DEVNULL,
        env={**inherited, **environment, "TERM": "xterm", "COLUMNS": "200"},
    ) as process:
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while part := os.read(mine, 65536):
                shown += part
        os.close(mine)
        return process.wait(60), shown


@pytest.mark.parametrize("source", SOURCES)
def test_a_terminal_shows_no_secret_value(package: Callable[[str], Path], source: str) -> None:
    folder = package(source)
    # only here are objects printed as they are, so only what is a Secret's is hidden
    (folder / "0.yaml").write_text(json.dumps(fleet(source, BOOTSTRAP)[0][0], indent=1))
    for name in ("3.yaml", "4.yaml"):
        (folder / name).unlink(missing_ok=True)
    code, shown = on_terminal("render", "--only", "generated", str(folder), **offered(folder))
    assert code == 0
    assert b"-registration" in shown
    assert HALF.encode() not in shown
    assert base64.b64encode(BOOTSTRAP.encode()) not in shown
    inner = base64.b64encode(base64.b64encode(BOOTSTRAP.encode())).rstrip(b"=")[:-4]
    assert inner not in shown


@pytest.mark.parametrize(("flags", "shown"), [((), True), (("--redact",), False)], ids=["pipe", "redact"])
def test_a_pipe_gets_the_secret_unless_it_is_to_be_hidden(
    package: Callable[[str], Path],
    flags: tuple[str, ...],
    shown: bool,  # noqa: FBT001 - a table
) -> None:
    folder = package("env")
    done = program("render", "--only", "generated", *flags, str(folder), stdin=b"", **offered(folder))
    (secret,) = [one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "Secret"]
    (value,) = secret["data"].values()
    if shown:
        assert base64.b64encode(BOOTSTRAP.encode()) in base64.b64decode(value)
    else:
        assert "hidden" in value


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", BOOTSTRAP),
        ("plan", ".", "--now", BOOTSTRAP),
        ("plan", ".", "-o", BOOTSTRAP),
        ("status", f"{BOOTSTRAP}.yaml"),
        (BOOTSTRAP,),
        ("render", f"--{BOOTSTRAP}"),
        ("init", "--for", BOOTSTRAP),
    ],
    ids=" ".join,
)
def test_an_argument_is_not_repeated_where_it_is_a_token(arguments: tuple[str, ...]) -> None:
    done = program(*arguments, stdin=b"")
    assert done.returncode in {1, 2}
    assert done.stderr
    assert seen(BOOTSTRAP, (done.stdout + done.stderr).decode()) == []


@pytest.mark.parametrize("command", ["render", "plan", "manifests"])
@pytest.mark.parametrize("form", [form for form in WHOLE if form != "twice"])
def test_a_file_name_is_not_repeated_where_it_is_a_token(
    package: Callable[[str], Path], command: str, form: str
) -> None:
    folder = package("env")
    name = WHOLE[form](BOOTSTRAP).replace("/", "_")
    (folder / f"{name}.yaml").write_text(f"{name}: [\n")
    done = program(command, str(folder), stdin=b"", **offered(folder))
    assert done.returncode == 1
    assert seen(BOOTSTRAP, (done.stdout + done.stderr).decode()) == []
