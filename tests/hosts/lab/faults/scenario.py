"""Faults to inject into a fleet on a lab, and how each is fixed: by what `status` prints for it, run for real.

Every fault has a namespace and a Cluster of its own, and its agents a namespace of their own on the workload cluster. Hub and
agents can't be built here: what they would do on the parent cluster, the tests do.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from krm_fn.surface import RETRY_ANNOTATION
from tests.hosts import programs
from tests.hosts.lab import servers
from tests.hosts.lab.api import Object, RefusedError, wait
from tests.hosts.lab.space import SETS, Space, read_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import ModuleType

    from tests.hosts.lab.clusternet import Parent, Workload
    from tests.hosts.lab.lab import Lab

    Steps = Generator[None, Object, None]
    Change = Callable[[list[Object]], None]

N = "clusternet-cluster-api"
ERROR, WARNING, INFO = "error", "warning", "info"
# What the manager has to be like while a fault is there: such faults can't share a fleet with the others.
ALONE = ("stopped", "filtered", "gate off")
_STARTING = threading.Lock()


class Fault(NamedTuple):
    """A fault.

    Attributes:
        what: The fault in a few words, for the page.
        code, severity: Of the first reason that `status` has to give.
        steps: Inject it up to the last `yield`, which returns the reason that was found; then fix it. The steps of a fault
            with `alone` prepare it up to an earlier `yield`.
        imitated: What of the fix is not done by what would do it elsewhere, for the page.
        alone: What the manager has to be like; "" where it runs as it should.
        old: Whether it is injected with the oldest release of Cluster API, too, whose status has another form.
        only_old: Whether only that release can have it.
    """

    name: str
    what: str
    code: str
    severity: str
    steps: Callable[[Scenario], Steps]
    imitated: str
    alone: str
    old: bool
    only_old: bool


def fault(  # noqa: PLR0913 - each by name
    code: str,
    what: str,
    severity: str = ERROR,
    *,
    imitated: str = "",
    alone: str = "",
    old: bool = False,
    only_old: bool = False,
) -> Callable[[Callable[[Scenario], Steps]], Fault]:
    """Make a fault of a function with its steps, under the function's name."""

    def made(steps: Callable[[Scenario], Steps]) -> Fault:
        name = steps.__name__.replace("_", "-")
        return Fault(name, what, code, severity, steps, imitated, alone, old or only_old, only_old)

    return made


def of(*modules: ModuleType) -> dict[str, Fault]:
    """The faults of modules by name, in the order in which they are written."""
    found = (one for module in modules for one in vars(module).values() if isinstance(one, Fault))
    return {one.name: one for one in found}


class Scenario:
    """One fault's place: a namespace, a folder, and a Cluster with the fault's name."""

    def __init__(self, lab: Lab, name: str, folder: Path) -> None:
        folder.mkdir()
        self.lab = lab
        self.name = name
        self.agents = f"a-{name}"
        self.space = Space(lab, f"m-{name}", folder)
        self.spaces = [self.space]
        self.api = lab.management.api
        self.ran: dict[str, str] = {}  # the printed commands that were run, and what each printed
        self._on = "w1"
        self._kept = 0

    @property
    def parent(self) -> Parent:
        return self.lab.parent

    @property
    def workload(self) -> Workload:
        """The workload cluster of the Cluster."""
        return self.lab.workload(self._on)

    def cluster(self, name: str = "", on: str = "w1", labels: dict[str, str] | None = None) -> Workload:
        """Write a Cluster, by default of the fault's name."""
        workload = self.space.cluster(name or self.name, on, labels=labels)
        self._on = workload.name
        return workload

    def config(self, name: str = "config", *, agent: Object | None = None, **spec: Any) -> None:
        """Write a config whose agents run in a namespace of their own."""
        given = {"identity": {"mode": "PerCluster"}, **spec}
        self.space.config(name, agent={"namespace": self.agents, **(agent or {})}, **given)

    def deliver(self, on: str = "w1", *, register: bool = True, **spec: Any) -> Workload:
        """Deliver an agent to the Cluster, and register it."""
        workload = self.cluster(on=on)
        self.config(**spec)
        self.space.sync()
        self.delivered(self.name)
        if register:
            self.register()
        return workload

    def sync(self, change: Change | None = None) -> None:
        """Sync the folder without pruning; with a change, what was rendered is changed before it is applied, as by hand."""
        if change is None:
            self.space.sync(prune=False)
            return
        tree = self.space.render()
        values = read_tree(tree)
        change(values)
        self.lab.management.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(values))
        self.space.applied = tree
        self.space.provision()

    def delivered(self, *names: str) -> None:
        """Wait until Clusters have what they should, and have Cluster API try again at once instead of after its delay."""
        touched = time.monotonic()

        def there() -> bool:
            nonlocal touched
            if not any(map(self.space.undelivered, names)):
                return True
            if time.monotonic() - touched > 2:
                touched = time.monotonic()
                for one in self.space.list(SETS):
                    mark = {"metadata": {"annotations": {RETRY_ANNOTATION: str(touched)}}}
                    self.api.patch(SETS, one["metadata"]["name"], self.space.namespace, mark)
            return False

        wait(there, lambda: str([self.space.undelivered(name) for name in names]))

    def register(self) -> None:
        """Register as the agent that was delivered would: by its flags, and its Lease for an id."""
        self.workload.register(self.parent, namespace=self.agents)

    def green(self) -> None:
        """Sync what Git holds, have it delivered, and register if that was not done."""
        self.sync()
        self.delivered(self.name)
        if not [one for one in self.parent.api.list("ManagedCluster") if one["metadata"]["name"] == self.name]:
            self.register()

    def follow(self, reason: Object, plane: servers.ControlPlane | None = None) -> list[str]:
        """Run the commands of a reason, as a person would in bash; what they print.

        Args:
            reason: As `status -o json` has it.
            plane: The cluster on which they are run, by default the management cluster.
        """
        return [self.run(command, plane).out for command in commands(reason)]

    def run(self, command: str, plane: servers.ControlPlane | None = None, *, code: int = 0) -> programs.Done:
        """Run a command in bash, by default with the management cluster for kubectl."""
        folder = self.space.folder
        environment = shell((plane or self.lab.management).kubeconfig, folder)
        done = programs.run("bash", "-euo", "pipefail", "-c", command, cwd=folder, env=environment, code=code)
        if code == 0:
            self.ran[command] = done.out
        return done

    def dumped(self, *more: Path, commands: tuple[tuple[str, ...], ...] = ()) -> Object:
        """What `status` says from dumps, by default those of docs/status.md of the management cluster.

        Args:
            more: Further dumps.
            commands: What to ask kubectl for instead.
        """
        if commands:
            dumps = [self.keep(self.lab.management.kubectl(*one, "-o", "yaml").out) for one in commands]
        else:
            dumps = self.space.dumps()
        done = programs.run(
            "clusternet-capi-fn", "status", "-o", "json", *dumps, *more, cwd=self.space.folder, code={0, 1}
        )
        found: Object = json.loads(done.out)
        return found

    def keep(self, text: str) -> Path:
        """Write what a command printed into a file."""
        self._kept += 1
        path = self.space.folder / f"printed-{self._kept}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def reason(self, found: Object) -> Object:
        """The first reason that a report gives for the Cluster."""
        mine = [
            one for one in found["clusters"] if one["namespace"] == self.space.namespace and one["name"] == self.name
        ]
        first: Object = mine[0]["reasons"][0]
        return first

    def deny(self, trial: Object, plane: servers.ControlPlane, *, unless: str = "false") -> Policy:
        """Have an API server refuse objects of a kind in a namespace, from now on until `lift`.

        Args:
            trial: Such an object, to find out whether it is refused.
            plane: The server.
            unless: What is let through all the same, in CEL.
        """
        policy = Policy(plane, f"{self.name}-policy", trial)
        policy.start(unless)
        return policy

    def start_manager(self) -> None:
        """Start Cluster API's manager, unless another fault has done so already."""
        with _STARTING:
            if not self.lab.manager.running():
                self.lab.restart_manager()

    def managed(self, name: str = "") -> Object:
        """The metadata of a ManagedCluster, by default of the one with the fault's name."""
        found = self.parent.api.list("ManagedCluster")
        return next(one["metadata"] for one in found if one["metadata"]["name"] == (name or self.name))


class Policy:
    """A ValidatingAdmissionPolicy that refuses objects of a namespace."""

    def __init__(self, plane: servers.ControlPlane, name: str, trial: Object) -> None:
        self._plane = plane
        self._name = name
        self._trial = trial

    def start(self, unless: str) -> None:
        """Begin to refuse."""
        rule = {
            "apiGroups": [self._trial["apiVersion"].partition("/")[0]],
            "apiVersions": ["*"],
            "resources": [f"{self._trial['kind'].lower()}s"],
            "operations": ["CREATE", "UPDATE"],
        }
        allowed = f"object.metadata.namespace != '{self._trial['metadata']['namespace']}' || {unless}"
        kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
        metadata = {"name": self._name}
        policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": allowed}]}
        binding = {"policyName": self._name, "validationActions": ["Deny"]}
        made = [
            {**kind, "metadata": metadata, "spec": policy},
            {**kind, "kind": f"{kind['kind']}Binding", "metadata": metadata, "spec": binding},
        ]
        self._plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(made))
        wait(self._refuses, f"policy {self._name}")

    def lift(self) -> None:
        """End it."""
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            self._plane.kubectl("delete", kind, self._name)
        wait(lambda: not self._refuses(), f"the end of policy {self._name}")

    def _refuses(self) -> bool:
        try:
            self._plane.api.create(self._trial, dry_run=True)
        except RefusedError as refused:
            return self._name in str(refused)
        return False


def commands(reason: Object) -> list[str]:
    """The commands of a reason's remedy."""
    return [step for step in reason["remedy"] if step.startswith("kubectl ")]


def shell(kubeconfig: Path, folder: Path) -> dict[str, str]:
    """A user's environment, with the lab's kubectl first."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    link = tools / "kubectl"
    if not link.exists():
        link.symlink_to(servers.kubectl())
    return {"KUBECONFIG": str(kubeconfig), "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"}


def edit(kind: str, name: str, change: Callable[[Object], None]) -> Change:
    """A change of one rendered object."""

    def all_of(values: list[Object]) -> None:
        change(next(one for one in values if one["kind"] == kind and one["metadata"]["name"] == name))

    return all_of


def without(kind: str, name: str) -> Change:
    """Rendered objects without one of them."""

    def all_of(values: list[Object]) -> None:
        values[:] = [one for one in values if (one["kind"], one["metadata"]["name"]) != (kind, name)]

    return all_of
