"""The External Secrets Operator's own types and template engine make of our ExternalSecret what an inline source emits.

`eso/main.go` is a program of some lines around the operator's packages; it is built here with Go.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import pytest

from krm_fn.agent import registration_values
from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.model import Patch
from krm_fn.tokens import outside
from tests.hosts.programs import REPOSITORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from krm_fn.model import Config

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built once a run."""
    if shutil.which("go") is None:
        pytest.skip("no Go here; install it from go.dev")
    program = tmp_path_factory.mktemp("eso") / "eso"
    # the first build compiles the operator's packages, which takes minutes
    command = ["go", "build", "-buildvcs=false", "-o", program, "."]
    subprocess.run(command, cwd=REPOSITORY / "tests/hosts/eso", check=True, timeout=900)
    return program


def config(note: str = "", **spec: Any) -> Config:
    """Return a config; `note` goes into an annotation of the registration Secret."""
    ref = {"key": "clusternet", "property": "token", "version": "2"}
    source = {"secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"}, "remoteRef": ref}
    value = {
        "apiVersion": "fn.clusternet.io/v1alpha1",
        "kind": "ClusternetCAPIConfig",
        "metadata": {"name": "fleet"},
        "spec": {
            "parentURL": "https://parent.example.com:6443",
            "registrationToken": {"externalSecret": source},
            "clusterSelector": {"matchLabels": {"env": "prod"}},
            **spec,
        },
    }
    one = decode(Item.from_value(value, 0))
    if not note:
        return one
    patch = Patch(
        kind="Secret",
        name="clusternet-agent-cluster-registration",
        patch={"metadata": {"annotations": {"note": note}}},
    )
    return one.replace(agent=one.agent.replace(patches=(patch,)))


@pytest.mark.parametrize("token", [TOKEN, JWT, f"{TOKEN}\n", f" {TOKEN}\r\n"], ids=["bootstrap", "jwt", "LF", "spaces"])
@pytest.mark.parametrize(
    "one",
    [
        pytest.param(config(), id="plain"),
        pytest.param(config(agent={"namespace": "edge-system"}), id="another namespace"),
        pytest.param(config(note='{{ .regToken }} {{- .x -}} {{/* c */}} {{ fail "x" }}'), id="actions"),
        pytest.param(config(note='{{ "{{" }} {{`{{`}}'), id="escapes"),
        pytest.param(config(note="{{{ a }}} {{{{ }}}} { { {{"), id="braces without end"),
        pytest.param(config(note='back\\slash "quote" `tick`\nline\t\u2028 ü TOKEN'), id="quotes and lines"),
    ],
)  # fmt: skip
def test_the_operator_makes_the_secret_that_an_inline_source_emits(operator: Path, one: Config, token: str) -> None:
    given = {
        "externalSecret": outside.external_secret(one, "team-a"),
        "store": {"clusternet": token},
    }
    done = subprocess.run([operator], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    secret = json.loads(done.stdout)
    inline = registration_values(one.agent, one.parent_url, token.strip())
    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == inline
    assert secret["type"] == "addons.cluster.x-k8s.io/resource-set"
    assert secret["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "clusternet-capi-fn",
        "fn.clusternet.io/generated": "true",
    }
    assert secret["metadata"]["annotations"]["fn.clusternet.io/owner"] == "fleet"
    assert (secret["metadata"]["namespace"], secret["metadata"]["name"]) == ("team-a", one.registration)
