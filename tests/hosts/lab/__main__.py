"""The lab for a person: `make lab` starts it, `make lab-down` ends it; docs/lab.md shows what to do with it.

usage: python -m tests.hosts.lab up [RELEASE] | down | provision NAMESPACE CLUSTER WORKLOAD|URL | pods WORKLOAD
       | register WORKLOAD | wipe WORKLOAD

CLUSTERNET_LAB names another link to the lab than .cache/lab.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.hosts import programs
from tests.hosts.lab import cluster_api, servers
from tests.hosts.lab import lab as labs
from tests.hosts.lab.lab import Lab

STATE = Path(
    os.environ.get("CLUSTERNET_LAB") or programs.REPOSITORY / ".cache/lab"
)  # a link to the folder of the lab that runs
HINT = """
  export KUBECONFIG={kubeconfig}
  kubectl config get-contexts                                  # management, parent, w1, w2
  kubectl --context management get clusters -A
The lab runs until `make lab-down`. docs/lab.md shows what to do with it.
"""


def main() -> None:
    """Do what the command line says."""
    commands = {one.__name__: one for one in (up, down, serve, provision, pods, register, wipe)}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit((__doc__ or "").split("\n\n", 1)[1].strip())
    commands[sys.argv[1]](*sys.argv[2:])


def up(release: str = "1.14") -> None:
    """Start a lab that outlives this command."""
    reason = labs.missing()
    if reason:
        sys.exit(reason)
    if release not in cluster_api.RELEASES:
        sys.exit(f"no release {release} of Cluster API here, only {', '.join(cluster_api.RELEASES)}")
    if STATE.exists():
        sys.exit("a lab runs already: `make lab-down` ends it")
    STATE.parent.mkdir(exist_ok=True)
    log = STATE.with_suffix(".log")
    command = [sys.executable, "-m", "tests.hosts.lab", "serve", release]
    with log.open("wb") as out:  # its own, so that it outlives a pipe that this command is in
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    while not (STATE / "ready").exists():
        if server.poll() is not None:
            sys.exit(f"the lab did not start: {log.read_text(encoding='utf-8')}")
        time.sleep(0.2)
    sys.stdout.write(HINT.format(kubeconfig=STATE / "kubeconfig"))


def serve(release: str) -> None:
    """Run a lab until a signal or the end of its link in .cache ends it."""
    place = labs.claim()
    STATE.unlink(missing_ok=True)
    STATE.symlink_to(place.folder)
    lab = Lab(cluster_api.RELEASES[release], place.folder, place.ports)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        lab.start()
        planes = [lab.management, lab.parent, lab.workload("w1"), lab.workload("w2")]
        lab.pki.kubeconfig(place.folder / "kubeconfig", {plane.name: plane.url for plane in planes})
        about = {"release": release, "port": place.ports.first, "pid": os.getpid()}
        (place.folder / "ready").write_text(json.dumps(about), encoding="utf-8")
        while STATE.is_symlink():  # `make clean` ends the lab too
            time.sleep(1)
    finally:
        lab.stop()
        STATE.unlink(missing_ok=True)
        place.release()


def down() -> None:
    """End the lab that `up` started."""
    if not (STATE / "ready").exists():
        STATE.unlink(missing_ok=True)  # of one that was killed
        return
    os.kill(_about()["pid"], signal.SIGTERM)
    while STATE.is_symlink():
        time.sleep(0.1)


def provision(namespace: str, name: str, workload: str) -> None:
    """Do for a Cluster what its providers would: report it as provisioned, with a workload cluster or a URL."""
    lab = _running()
    url = workload if workload.startswith("https:") else lab.workload(workload).url
    path = lab.folder / f"{namespace}-{name}.kubeconfig"
    lab.pki.kubeconfig(path, {name: url})
    cluster_api.provision(lab.management, namespace, name, path.read_text(encoding="utf-8"), url)


def pods(workload: str) -> None:
    """Run the agent's pods until its rollout is complete; one is ready if the agent would pass its probes."""
    _running().workload(workload).wait_rolled_out()


def register(workload: str) -> None:
    """Do what the agent of a workload cluster and the hub would: register it with the parent."""
    lab = _running()
    lab.workload(workload).register(lab.parent)


def wipe(workload: str) -> None:
    """Make a workload cluster as new."""
    _running().workload(workload).wipe()


def _running() -> Lab:
    about = _about()
    return Lab.running(cluster_api.RELEASES[about["release"]], STATE.resolve(), servers.Ports(about["port"]))


def _about() -> dict[str, Any]:
    if not (STATE / "ready").exists():
        sys.exit("no lab runs; `make lab` starts one")
    return json.loads((STATE / "ready").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
