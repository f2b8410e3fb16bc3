"""The External Secrets Operator makes the Secret of our ExternalSecret, and Cluster API delivers it."""

from __future__ import annotations

import base64

import pytest

from tests.hosts.lab import external_secrets as operators
from tests.hosts.lab.api import wait
from tests.hosts.lab.external_secrets import KEY, STORE, ExternalSecrets
from tests.hosts.lab.space import ANOTHER_TOKEN, TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.hosts.lab.clusternet import Workload
    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

NAME = "clusternet-cluster-api-registration"


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
    operator.wait_ready(space, NAME)
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


def registered_with(workload: Workload) -> str:
    """The token that the agent registers with."""
    secret = workload.get("Secret", "clusternet-agent-cluster-registration")
    return base64.b64decode(secret["data"]["regToken"]).decode()
