"""Writes the dumps that docs/guide-walkthrough.md shows (`python -m tests.support.guide`): the guide's one cluster.

First when the agent has just been applied and has not registered, then when it has.
"""

from __future__ import annotations

from tests.support.live import ROOT, Fleet, Object, as_yaml, cluster, config, managed, request

FOLDER = ROOT / "guide"
AGENT = "clusternet-cluster-mx7kq"


def dumps() -> dict[str, list[Object]]:
    """Return the objects of each dump by the name of its file."""
    fleet = Fleet("default", ("capi-quickstart",), found=config("clusternet-cluster-api", mode="Shared"))
    labels = {"cluster.x-k8s.io/cluster-name": "capi-quickstart", "clusternet.io/register": "true"}
    fleet.clusters = [cluster("default", "capi-quickstart", labels=labels, topology=True)]
    return {
        "management.yaml": fleet.management,
        "ours.yaml": fleet.payloads,
        "parent-before.yaml": [request(AGENT, result="", origin="default")],
        "parent.yaml": [managed(AGENT, origin="default"), request(AGENT, origin="default")],
    }


def write() -> None:
    """Write every dump."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, objects in dumps().items():
        (FOLDER / name).write_bytes(as_yaml(*objects))


if __name__ == "__main__":
    write()
