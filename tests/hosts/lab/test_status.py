"""A fault matrix on real control planes: `status` names each injected fault first, and its remedies end in green.

All faults are injected into one fleet, `status --context` is asked once, then every printed command is run in the situation
that it is printed for, and `status` is asked again. `UPDATE_DOCS=1` writes the table of docs/status.md.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, NamedTuple

import pytest

from tests.hosts import programs
from tests.hosts.lab import cluster_api
from tests.hosts.lab.faults import delivered, manager, printed, registered, scenario, selected
from tests.hosts.lab.faults.scenario import ALONE, INFO, WARNING, Scenario, commands, shell
from tests.hosts.lab.kubelet import Kubelet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.hosts.lab.api import Object
    from tests.hosts.lab.faults.scenario import Fault, Steps
    from tests.hosts.lab.lab import Lab

FAULTS = scenario.of(selected, delivered, registered, manager)
NEWEST = [one.name for one in FAULTS.values() if not one.only_old]
OLDEST = [one.name for one in FAULTS.values() if one.old]
PAGE = programs.REPOSITORY / "docs/status.md"
BEGIN, END = "<!-- matrix: made by tests/hosts/lab/test_status.py -->\n", "<!-- end of matrix -->"
HEAD = [
    "| injected | first reason | severity | what to do, as printed | imitated |",
    "|---|---|---|---|---|",
]
AT_ONCE = 6  # scenarios; most of their time is waiting
SECONDS = 180  # Cluster API may take minutes to reach a server again


class Outcome(NamedTuple):
    """What `status` reported while the faults were there, and afterwards.

    Attributes:
        before, after: The reports.
        alone: The same for faults that had a fleet of their own.
        failed: What went wrong in a scenario, by its name.
        scenarios: By name.
    """

    before: Object
    after: Object
    alone: dict[str, tuple[Object, Object]]
    failed: dict[str, str]
    scenarios: dict[str, Scenario]

    def of(self, name: str) -> tuple[Object, Object]:
        """Both reports that concern a fault."""
        assert name not in self.failed, self.failed[name]
        return self.alone.get(name, (self.before, self.after))


@pytest.fixture(scope="module")
def outcome(lab: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Inject the faults of the selected tests, ask, fix, ask again."""
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    asked = {call["name"] for call in calls if call.get("name") in FAULTS and call.get("lab") == lab.release.line}
    chosen = [FAULTS[name] for name in FAULTS if name in asked]
    folder = tmp_path_factory.mktemp("matrix")
    lab.wipe()
    lab.parent.start_controllers()  # namespaces there can end
    scenarios = {name: Scenario(lab, name, folder / name) for name in (*(one.name for one in chosen), "healthy")}
    kubelet = Kubelet(lab.pki, {(cluster_api.SYSTEM, cluster_api.CONTAINER): lab.manager.log})
    kubelet.join(lab.management.api)
    made = _Matrix(lab, folder, chosen, scenarios).run()
    yield made
    kubelet.leave(lab.management.api)
    for one in scenarios.values():
        for space in one.spaces:
            space.wipe()
    lab.management.api.end_namespace(cluster_api.SYSTEM, ("Deployment", "ReplicaSet", "Pod", "ConfigMap", "Event"))


class _Matrix:
    """The faults on a lab."""

    def __init__(self, lab: Lab, folder: Path, faults: list[Fault], scenarios: dict[str, Scenario]) -> None:
        self.lab = lab
        self.folder = folder
        self.faults = faults
        self.scenarios = scenarios
        self.steps: dict[str, Steps] = {one.name: one.steps(scenarios[one.name]) for one in faults}
        self.failed: dict[str, str] = {}

    def run(self) -> Outcome:
        """Inject, ask, fix, ask: first all that can be together, then what needs another manager."""
        self._have_manager("")
        together = [one for one in self.faults if not one.alone]
        slow_first = sorted(
            self.faults, key=lambda one: one.code != "unreachable"
        )  # Cluster API takes a minute to see it
        jobs = {one.name: partial(next, self.steps[one.name]) for one in slow_first}
        self._all({"healthy": partial(_healthy, self.scenarios["healthy"]), **jobs})
        before, after = self._ask_and_fix(together)
        alone = {}
        for state in ALONE:
            faults = [one for one in self.faults if one.alone == state]
            if faults:
                self._all({faults[0].name: partial(self._have_manager, state)})
                self._all({one.name: partial(next, self.steps[one.name]) for one in faults})
                reports = self._ask_and_fix(faults)
                self._have_manager("")
                alone.update({one.name: reports for one in faults})
        return Outcome(before, after, alone, self.failed, self.scenarios)

    def _all(self, jobs: dict[str, Callable[[], Any]]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for name, job in {name: pool.submit(job) for name, job in jobs.items()}.items():
                error = job.exception()
                if error is not None:
                    self.failed.setdefault(name, "".join(traceback.format_exception(error)))

    def _ask_and_fix(self, faults: list[Fault]) -> tuple[Object, Object]:
        faults = [one for one in faults if one.name not in self.failed]
        before = self._settle(lambda found: all(first_reason(found, one)["code"] == one.code for one in faults))
        self._all({one.name: partial(self._fix, one, first_reason(before, one)) for one in faults})
        faults = [one for one in faults if one.name not in self.failed]
        after = self._settle(
            lambda found: not found["summary"]["missing"] and not any(complaints(found, one) for one in faults)
        )
        return before, after

    def _fix(self, one: Fault, reason: Object) -> None:
        with pytest.raises(StopIteration):
            self.steps[one.name].send(reason)

    def _have_manager(self, state: str) -> None:
        flags = {"filtered": [manager.WATCH_BLUE], "gate off": [manager.GATE_OFF]}.get(state, [])
        if state == "stopped":
            self.lab.manager.stop()
        elif not self.lab.manager.running() or self.lab.manager_flags != tuple(flags):
            self.lab.restart_manager(*flags)
        running = self.lab.manager.running()
        cluster_api.describe(self.lab.release, self.lab.management, *flags, ready=running)

    def _settle(self, done: Callable[[Object], bool]) -> Object:
        """Ask `status` through kubectl until what is expected is there; the last answer, whatever it is."""
        both = self.folder / "kubeconfig"
        self.lab.pki.kubeconfig(both, {"management": self.lab.management.url, "parent": self.lab.parent.url})
        command = ("status", "--context", "management", "--parent-context", "parent", "-o", "json")
        environment = shell(both, self.folder)
        end = time.monotonic() + SECONDS
        while True:
            self._report()
            answer = programs.run("clusternet-capi-fn", *command, cwd=self.folder, env=environment, code={0, 1})
            found: Object = json.loads(answer.out)
            if done(found) or time.monotonic() > end:
                return found
            time.sleep(1)

    def _report(self) -> None:
        """Have the agents that are well report on."""
        lately = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
        for one in self.lab.parent.api.list("ManagedCluster"):
            status = one.get("status", {})
            ready = status.get("conditions", [{}])[0].get("status") == "True"
            if ready and status.get("lastObservedTime", "") > lately:
                self.lab.parent.report(one["metadata"]["name"], one["metadata"]["namespace"])


def _healthy(at: Scenario) -> None:
    """A healthy fleet: delivered and registered in both modes."""
    at.deliver()
    for name in ("shared-1", "shared-2"):
        at.cluster(name, labels={"mode": "shared"})
    selector = {"matchLabels": {"mode": "shared"}}
    shared = {"mode": "Shared", "namePrefix": "healthy"}
    at.config("shared", clusterSelector=selector, identity=shared, clusterResourceSet={"name": "shared"})
    at.sync()
    at.delivered("shared-1", "shared-2")
    for end in ("jjjjj", "kkkkk"):
        at.parent.register(f"healthy-{end}", labels={"fn.clusternet.io/namespace": at.space.namespace})


def clusters(found: Object, one: Fault) -> list[Object]:
    """What is reported about the Clusters with a fault's name."""
    mine = (f"m-{one.name}", f"m-{one.name}-2")
    return [each for each in found["clusters"] if each["namespace"] in mine and each["name"] == one.name]


def left_over(found: Object, one: Fault) -> list[Object]:
    """What is left over of a fault, as reasons."""
    return [
        {"code": "left-over", "severity": WARNING, **each, "remedy": each["commands"]}
        for each in found["leftOver"]
        if one.name in {each["name"], each["name"].removeprefix("clusternet-")} or each["namespace"] == f"m-{one.name}"
    ]


def notes(found: Object, one: Fault) -> list[Object]:
    """What is said of a fault's namespace, or of the names that its agents chose."""
    return [
        note
        for note in found["notes"]
        if any(part in note["message"] for part in (f"m-{one.name} ", f" {one.name}-", f" clusternet-{one.name}-1"))
    ]


def first_reason(found: Object, one: Fault) -> Object:
    """The first reason: of the Cluster, else of the fleet, else of what is left over; and every command for the latter."""
    reasons = [reason for each in clusters(found, one)[:1] for reason in each["reasons"]]
    reasons += notes(found, one) + left_over(found, one)
    first = reasons[0] if reasons else {"code": "", "severity": "", "message": "", "remedy": []}
    left = [command for each in left_over(found, one) for command in each["commands"]]
    return {**first, "remedy": list(dict.fromkeys([*first["remedy"], *left]))}


def complaints(found: Object, one: Fault) -> list[str]:
    """What is still said of a fault's Clusters."""
    mine = clusters(found, one)
    reasons = [*(reason for each in mine for reason in each["reasons"]), *notes(found, one)]
    said = [reason["code"] for reason in reasons if reason["severity"] != INFO]
    said += [each["lacking"] for each in mine if not each["ok"]]
    return said + [each["name"] for each in left_over(found, one) if each["commands"]]


def check(outcome: Outcome, name: str) -> None:
    """Hold a fault's reports against what they have to be."""
    one = FAULTS[name]
    before, after = outcome.of(name)
    found = first_reason(before, one)
    assert (found["code"], found["severity"]) == (one.code, one.severity), found
    assert [command for command in commands(found) if command not in outcome.scenarios[name].ran] == []
    assert outcome.scenarios[name].ran or name not in {each for names in printed.RUN_BY.values() for each in names}
    for command, output in outcome.scenarios[name].ran.items():
        method = printed.reading(command)
        assert not method or printed.RUN_BY[one.code, method][name] in output, f"{command}\n{output}"
    assert complaints(after, one) == [], [each["reasons"] for each in clusters(after, one)]


def check_healthy(outcome: Outcome) -> None:
    """Hold the Clusters without a fault against what is true of them."""
    assert "healthy" not in outcome.failed, outcome.failed["healthy"]
    for found in (outcome.before, outcome.after):
        own = [one for one in found["clusters"] if one["namespace"] == "m-healthy"]
        assert [(one["name"], one["ok"], one["reasons"]) for one in own] == [
            (name, True, []) for name in ("healthy", "shared-1", "shared-2")
        ]
        assert [one["evidence"] for one in own[1:]] == ["2 of 2 of this namespace report"] * 2


def check_notes(outcome: Outcome) -> None:
    """Leave something out of the dumps, run the command that the note prints, and add what it says."""
    at = outcome.scenarios["healthy"]
    management, ours, parent = at.space.dumps(parent=True)
    empty = at.keep('{"apiVersion": "v1", "kind": "List", "items": []}')
    kinds = "clusters.cluster.x-k8s.io,clusterresourcesets"
    bare = at.keep(at.lab.management.kubectl("get", kinds, "-A", "-o", "yaml").out)
    missing = {
        "no-clusters": (parent, ours, empty),
        "no-bindings": (bare, ours, parent),
        "no-payloads": (management, parent),
        "no-parent": (management, ours),
    }
    for code, dumps in missing.items():
        known = ("--parent",) if code == "no-clusters" else ()

        def ask(*more: Path, known: tuple[str, ...] = known) -> Object:
            answer = programs.run(
                "clusternet-capi-fn", "status", "-o", "json", *known, *more, cwd=at.space.folder, code={0, 1}
            )
            found: Object = json.loads(answer.out)
            return found

        [note] = [each for each in ask(*dumps)["notes"] if each["code"] == code]
        [command] = at.follow(note, at.parent if code == "no-parent" else None)
        assert [each for each in ask(*dumps, at.keep(command))["notes"] if each["code"] == code] == []


def check_page(outcome: Outcome, names: list[str]) -> None:
    """Hold the rows of the page against what was reported, or write them."""
    if {*names} - {*outcome.scenarios}:
        pytest.skip("not all faults were injected")
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    table, _, tail = rest.partition(END)
    there = {line.split(" | ")[0]: line for line in table.splitlines()[len(HEAD) :]}
    made = {}
    for name in names:
        one = FAULTS[name]
        found = first_reason(outcome.of(name)[0], one)
        steps = [step for step in found["remedy"] if step not in commands(found)]
        said = (steps or ["the commands that it prints"] if found["remedy"] else ["nothing"])[0].replace(name, "NAME")
        row = (one.what, f"`{found['code']}`", found["severity"], said, one.imitated)
        made[f"| {one.what}"] = f"| {' | '.join(row)} |"
    keys = [f"| {one.what}" for one in FAULTS.values()]
    if os.environ.get("UPDATE_DOCS") == "1":
        there.update(made)
        table = "".join(f"{line}\n" for line in (*HEAD, *(there[key] for key in keys if key in there)))
        PAGE.write_text(f"{head}{BEGIN}{table}{END}{tail}", encoding="utf-8")
    else:
        assert {key: there.get(key) for key in made} == made
        assert list(there) == keys


@pytest.mark.parametrize("name", NEWEST)
def test_the_first_reason_is_the_fault_and_its_remedy_ends_in_green(outcome: Outcome, name: str) -> None:
    check(outcome, name)


def test_a_healthy_fleet_is_green_beside_them(outcome: Outcome) -> None:
    check_healthy(outcome)


def test_what_a_note_says_to_add_to_the_dumps_ends_the_note(outcome: Outcome) -> None:
    check_notes(outcome)


def test_the_page_shows_the_matrix(outcome: Outcome) -> None:
    check_page(outcome, NEWEST)


@pytest.mark.oldest_release
@pytest.mark.parametrize("name", OLDEST)
def test_the_same_holds_with_the_older_form_of_status(outcome: Outcome, name: str) -> None:
    check(outcome, name)


@pytest.mark.oldest_release
def test_a_healthy_fleet_of_the_older_form_is_green_beside_them(outcome: Outcome) -> None:
    check_healthy(outcome)


@pytest.mark.oldest_release
def test_the_page_shows_what_the_oldest_release_alone_can_have(outcome: Outcome) -> None:
    check_page(outcome, [name for name in OLDEST if FAULTS[name].only_old])
