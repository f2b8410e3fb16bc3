"""A version of Cluster API's API is one row: a made-up one is enough for everything that depends on it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import json, sys
from krm_fn.clusters import capi
row = capi.Version(name="v1beta3", conditions=(("status", "observed"),), provisioned=("status", "ready"))
capi.VERSIONS += (row,)
from krm_fn.config import export
from krm_fn.status.dump import read
from krm_fn.status import evaluate
from tests.support import live
from tests.support.live import Fleet
from tests.support.lists import cluster, config, run
def version(*versions, **spec):
    made = run([cluster(f"c{at}", version=one) for at, one in enumerate(versions)], config(**spec))
    assert made.code == 0, made.stderr
    return made.item("ClusterResourceSet", "clusternet-cluster-api")["apiVersion"]
def status(version):
    fleet = Fleet(version=version)
    for at, one in enumerate(fleet.clusters):
        observed = [{"type": "InfrastructureReady", "status": "False", "reason": "NoQuota", "message": "out of disks"}]
        fleet.clusters[at] = {**one, "status": {"ready": False, "observed": observed}}
    found = evaluate(read([("dump", json.dumps(live.listed(*fleet.clusters, *fleet.sets)).encode())]), 1795428000)
    return [f"{reason.code}: {reason.message}" for cluster in found.clusters for reason in cluster.reasons]
spec = export.json_schema()["properties"]["spec"]["properties"]
json.dump({
    "alone": version("v1beta3"),
    "mixed": version("v1beta1", "v1beta3"),
    "older": version("v1beta1", "v1beta2"),
    "without": version(namespaces=["team-a"]),
    "asked": version("v1beta1", clusterResourceSet={"apiVersion": "v1beta3"}),
    "message": run([cluster("a", version="v9")]).stderr,
    "status": status("v1beta3"),
    "status of another": status("v1beta2"),
    "choices": spec["clusterResourceSet"]["properties"]["apiVersion"]["enum"],
}, sys.stdout)
"""


def test_one_row_gives_the_render_the_messages_the_schema_and_the_status() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)

    assert found["alone"] == found["mixed"] == found["asked"] == "addons.cluster.x-k8s.io/v1beta3"
    assert found["without"] == found["older"] == "addons.cluster.x-k8s.io/v1beta2"
    assert "use v1beta1, v1beta2 and v1beta3" in found["message"]
    assert {"v1beta3", "addons.cluster.x-k8s.io/v1beta3"} <= set(found["choices"])
    assert any("NoQuota: out of disks" in reason for reason in found["status"])
    assert not any("NoQuota" in reason for reason in found["status of another"])
