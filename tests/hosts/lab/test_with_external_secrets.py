"""The External Secrets Operator makes the Secret of our ExternalSecret, and Cluster API delivers it."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

from tests.hosts import programs
from tests.hosts.lab import cluster_api
from tests.hosts.lab import external_secrets as operators
from tests.hosts.lab.api import wait
from tests.hosts.lab.external_secrets import KEY, STORE, ExternalSecrets
from tests.hosts.lab.space import ANOTHER_TOKEN, CONTAINED, TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.hosts.lab.clusternet import Workload
    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

EXAMPLE = programs.REPOSITORY / "examples/tokens/external-secrets"
NAME, REGISTRATION = "clusternet-cluster-api-registration", "clusternet-agent-cluster-registration"


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Generator[ExternalSecrets, None, None]:
    """The operator, shared by the tests of this file."""
    reason = operators.missing()
    if reason:
        pytest.skip(reason)
    made = ExternalSecrets(lab)
    made.start()
    yield made
    made.stop()


def test_a_value_of_the_store_arrives_on_the_workload_cluster_and_so_does_its_change(
    operator: ExternalSecrets, space: Space
) -> None:
    workload = space.cluster("web")
    reference = {"name": STORE, "kind": "SecretStore"}
    source = {"secretStoreRef": reference, "remoteRef": {"key": KEY}, "refreshInterval": "1s"}
    space.config(registrationToken={"externalSecret": source})
    operator.keep(space, TOKEN)
    space.sync()
    operator.wait_ready(space.namespace, NAME)
    secret = space.get("Secret", NAME)
    assert secret["type"] == "addons.cluster.x-k8s.io/resource-set"
    space.wait_delivered("web")
    assert registered_with(workload) == TOKEN
    uid = secret["metadata"]["uid"]
    operator.keep(space, ANOTHER_TOKEN)
    wait(lambda: registered_with(workload) == ANOTHER_TOKEN, "the store's new value on the workload cluster")
    assert space.get("Secret", NAME)["metadata"]["uid"] == uid
    space.wait_delivered("web")
    space.check_status(web="yes")


@pytest.fixture
def retail(operator: ExternalSecrets, lab: Lab) -> Generator[str, None, None]:
    """The example's namespace, with the ClusterClass that its Clusters are of."""
    name = "retail"
    lab.wipe()
    operator.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for one in cluster_api.classes(name, lab.release):
        one["metadata"]["name"] = "standard" if one["kind"] == "ClusterClass" else one["metadata"]["name"]
        operator.api.create(one)
    yield name
    operator.api.delete("ClusterSecretStore", "vault")
    operator.api.end_namespace(name, ("ExternalSecret", *CONTAINED))


def test_the_example_reaches_the_namespaces_that_its_store_names_and_their_clusters(
    operator: ExternalSecrets, retail: str, lab: Lab, tmp_path: Path
) -> None:
    build = (programs.TOOLS / "kustomize-newest", "build", "--enable-alpha-plugins", "--enable-exec", EXAMPLE)
    objects = list(yaml.safe_load_all(programs.run(*build, cwd=EXAMPLE).out))
    (store,) = [one for one in objects if one["kind"] == "ClusterSecretStore"]
    entry = {"key": "clusternet/registration", "value": json.dumps({"token": TOKEN})}
    store["spec"]["provider"] = {"fake": {"data": [entry]}}  # the rest of it is the example's
    lab.management.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(objects))
    operator.wait_event(retail, 'using cluster store "vault" is not allowed from namespace "retail"')
    assert not operator.api.get("Secret", NAME, retail)
    lab.management.kubectl("label", "namespace", retail, "clusternet.io/clusters=true")
    workload = lab.workload("w1")
    lab.pki.kubeconfig(tmp_path / "kubeconfig", {"retail-eu": workload.url})
    kubeconfig = (tmp_path / "kubeconfig").read_text(encoding="utf-8")
    cluster_api.provision(lab.management, retail, "retail-eu", kubeconfig, workload.url)
    operator.wait_ready(retail, NAME)
    wait(lambda: workload.get("Secret", REGISTRATION), "the registration Secret on the workload cluster")
    assert registered_with(workload) == TOKEN


def registered_with(workload: Workload) -> str:
    """The token that the agent registers with."""
    secret = workload.get("Secret", REGISTRATION)
    return base64.b64decode(secret["data"]["regToken"]).decode()
