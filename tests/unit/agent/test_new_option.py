"""An option of the agent is one field of the tree and its use: a made-up one is enough for everything else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# `schedulerName` takes no more than what is between the two comments.
PROGRAM = """
import json, sys
from krm_fn.config.fields import Field
from krm_fn.config.kinds import Whole
from krm_fn.config.tree import agent, selectors
from krm_fn.agent import manifests
# the field of the tree, and its use
field = Field("schedulerName", selectors.NAME, "Who places the pods.", example="binpacking")
vars(agent.AGENT)["fields"] += (field,)
manifests._POD_FIELDS += ("schedulerName",)
# that is all; one more, whose value may be 0
vars(agent.AGENT)["fields"] += (Field("terminationGracePeriodSeconds", Whole(), "How long they have."),)
manifests._POD_FIELDS += ("terminationGracePeriodSeconds",)
from krm_fn.config import export, reference
from tests.support.lists import cluster, config, run
def pod(made, name="schedulerName"):
    assert made.code == 0, made.stderr
    text = made.item("ConfigMap", "clusternet-cluster-api-agent")["data"]["40-deployment.yaml"]
    return [line.strip() for line in text.splitlines() if name in line]
def flat(**data):
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fn"}, "data": data}
    return {**value, "data": {**data, "name": "fleet", "parentURL": "https://parent.example.com:6443",
            "registrationToken.value": "abcdef.0123456789abcdef", "clusterSelector": "env"}}
labelled = cluster("a", labels={"env": "prod"})
spec = export.json_schema()["properties"]["spec"]["properties"]
json.dump({
    "given": pod(run([labelled], config(agent={"schedulerName": "mine"}))),
    "absent": pod(run([labelled], config())),
    "zero": pod(run([labelled], config(agent={"terminationGracePeriodSeconds": 0})), "terminationGrace"),
    "no number": pod(run([labelled], config()), "terminationGrace"),
    "flat": pod(run([labelled], flat(**{"agent.schedulerName": "mine"}))),
    "refused": run([labelled], config(agent={"schedulerName": "-"})).stderr,
    "misspelt": run([labelled], config(agent={"schedulername": "mine"})).stderr,
    "schema": spec["agent"]["properties"]["schedulerName"],
    "reference": reference.markdown_reference(),
}, sys.stdout)
"""


def test_one_field_and_its_use_give_the_decoder_the_messages_the_schema_the_reference_and_the_render() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)

    assert found["given"] == found["flat"] == ['"schedulerName": "mine"']
    assert found["absent"] == found["no number"] == []
    assert found["zero"] == ['"terminationGracePeriodSeconds": 0']
    assert "spec.agent.schedulerName must be lower-case letters" in found["refused"]
    assert "did you mean schedulerName?" in found["misspelt"]
    assert found["schema"]["description"].startswith("Who places the pods.")
    assert "| `schedulerName` | string | – | Who places the pods. | `binpacking` |" in found["reference"]
