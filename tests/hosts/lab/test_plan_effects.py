"""What `plan` predicts is what happens: each change is planned, applied, and held against the real servers.

Observed are, per Cluster: the ReplicaSets of the agent, the content of every object that the sets deliver, and what the
ClusterResourceSetBinding records. docs/plan.md shows the table that this test makes (`UPDATE_DOCS=1` writes it).
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.hosts import programs
from tests.hosts.lab import cluster_api
from tests.hosts.lab.api import wait
from tests.hosts.lab.space import ANOTHER_TOKEN, BINDINGS, PARENT_URL, SETS, TOKEN, _selects, content_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts.lab.clusternet import Workload
    from tests.hosts.lab.space import Space

IMAGE = "ghcr.io/clusternet/clusternet-agent:{}"
AGENT, REGISTRATION = "clusternet-agent", "clusternet-agent-cluster-registration"
WAVE = "example.com/wave"
PAGE = programs.REPOSITORY / "docs/plan.md"
BEGIN, END = "<!-- effects: made by tests/hosts/lab/test_plan_effects.py -->", "<!-- end of effects -->"

Happens = dict[str, tuple[str, ...]]  # what happens to one Cluster: codes, each with the objects that it is about
HEAD = ["| change | `plan` says | the servers show |", "|---|---|---|"]


class Seen(NamedTuple):
    """The state of one Cluster on the servers."""

    exists: bool
    sets: dict[str, Any]  # the main sets that select it
    recorded: dict[str, dict[tuple[str, str], Any]]  # what its Binding records, by set and resource
    desired: dict[str, tuple[tuple[str, str, str], Any]]  # what its sets deliver: object -> set and resource, and value
    live: dict[str, Any]  # what is there of it
    newest: str  # the agent's newest ReplicaSet; a template that comes back brings its old one


def title(value: Any) -> str:
    metadata = value["metadata"]
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{value['kind']} {where}{metadata['name']}"


def content(value: Any) -> Any:
    """What of a live object is not the server's own."""
    metadata = value["metadata"]
    notes = {key: one for key, one in metadata.get("annotations", {}).items() if "kubernetes.io/" not in key}
    rest = {key: one for key, one in value.items() if key not in {"metadata", "status"}}
    return {**rest, "metadata": {"labels": metadata.get("labels", {}), "annotations": notes}}


def contains(live: Any, desired: Any) -> bool:
    """Whether a live object has all that a manifest says."""
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(contains(live.get(key), one) for key, one in desired.items())
    if isinstance(desired, list):
        return isinstance(live, list) and len(live) == len(desired) and all(map(contains, live, desired))
    return bool(live == desired)


class Proof:
    """A chain of changes in one folder, each planned, applied and observed."""

    def __init__(self, space: Space, **workloads: Workload) -> None:
        self.space = space
        self.workloads = workloads
        self.titles: dict[str, tuple[str, str, str]] = {}

    def start(self) -> None:
        """Apply what is in the folder, with nothing to compare with."""
        self.space.sync()
        self.settle()

    def change(
        self, what: str, *, had_before: tuple[str, ...] = (), expect: dict[str, list[str]] | None = None
    ) -> dict[str, Happens]:
        """Plan what is in the folder now, apply it, and hold the one against the other.

        Args:
            what: The change, for the table.
            had_before: Clusters that return to a set that they had: nothing is applied to them, as the plan says in words.
            expect: The codes for each Cluster, so that no two wrong answers agree.
        """
        plan = json.loads(self.space.run("plan", self.space.fleet, "--baseline", self.space.applied, "-o", "json").out)
        before = self.look()
        self.space.sync()
        self.settle()
        after = self.look()
        predicted = self.predicted(plan)
        observed = {name: observe(before[name], after[name]) for name in self.workloads}
        for name in had_before:
            predicted[name] = {code: () for code in predicted[name] if code not in {"rolls", "replaced", "registers"}}
            for code in ("kept", "ignored"):  # what its set holds is not what runs
                observed[name].pop(code, None)
        assert observed == predicted, what
        if expect is not None:
            assert {name: sorted(found) for name, found in observed.items() if found} == expect, what
        self.objects(plan)
        show(row(what, self.predicted(plan), observed, had_before))
        return observed

    def predicted(self, plan: Any) -> dict[str, Happens]:
        found: dict[str, Happens] = {name: {} for name in self.workloads}
        for effect in plan["comparison"]["effects"]:
            for cluster in effect["clusters"]:
                mine = found[cluster.rpartition("/")[2]]
                mine[effect["code"]] = tuple(sorted({*mine.get(effect["code"], ()), *effect["objects"]}))
        return found

    def objects(self, plan: Any) -> None:
        """Hold the objects on the management cluster against those that the plan says come and go."""

        def there(one: Any) -> bool:
            return one["kind"] == "ExternalSecret" or self.space.get(one["kind"], one["name"]) is not None

        lost = [one for one in plan["comparison"]["added"] if not there(one)]
        assert lost == []
        gone = plan["comparison"]["removed"]
        wait(lambda: not any(map(there, gone)), lambda: f"the end of {[one for one in gone if there(one)]}")

    # --- looking

    def look(self) -> dict[str, Seen]:
        return {name: self.look_at(name) for name in self.workloads}

    def look_at(self, name: str) -> Seen:
        space, workload = self.space, self.workloads[name]
        cluster = space.get("Cluster", name)
        labels = cluster["metadata"].get("labels", {}) if cluster else None
        sets = (
            []
            if labels is None
            else [one for one in space.list(SETS) if _selects(one["spec"]["clusterSelector"], labels)]
        )
        sets = [one for one in sets if not one["metadata"].get("deletionTimestamp")]
        desired = {}
        for one in sorted(sets, key=lambda found: not found["metadata"]["name"].endswith("-identity")):
            for resource in one["spec"]["resources"]:
                for value in payload(space.get(resource["kind"], resource["name"])):
                    entry = (one["metadata"]["name"], resource["kind"], resource["name"])
                    desired[title(value)] = (entry, value)
                    metadata = value["metadata"]
                    self.titles[title(value)] = (value["kind"], metadata["name"], metadata.get("namespace", ""))
        live = {one: workload.api.get(*where) for one, where in self.titles.items()}
        replicas = [one for one in workload.api.list("ReplicaSet") if one["metadata"]["name"].startswith(AGENT)]
        replicas.sort(key=lambda one: int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
        binding = space.get(BINDINGS, name) or {}
        return Seen(
            exists=cluster is not None,
            sets={one["metadata"]["name"]: one for one in sets if not one["metadata"]["name"].endswith("-identity")},
            recorded={
                bound["clusterResourceSetName"]: {
                    (one["kind"], one["name"]): one for one in bound.get("resources") or []
                }
                for bound in binding.get("spec", {}).get("bindings") or []
            },
            desired=desired,
            live={one: content(value) for one, value in live.items() if value is not None},
            newest=replicas[-1]["metadata"]["name"] if replicas else "",
        )

    def settle(self) -> None:
        """Wait until what was pruned is gone, Cluster API has tried everything, and the workload clusters have followed."""
        for kind in (SETS, "Cluster"):  # their finalizers keep them until a controller gets to them
            wait(lambda kind=kind: not self.ending(kind), lambda kind=kind: f"the end of {kind} {self.ending(kind)}")
        for name, workload in self.workloads.items():
            if self.space.get("Cluster", name):
                wait(lambda name=name: not self.untried(name), lambda name=name: f"{name}: {self.untried(name)}")
            wait(lambda workload=workload: followed(workload), "the Deployment controller")
        time.sleep(0.5)  # an ApplyOnce set records nothing that could be waited for

    def ending(self, kind: str) -> list[str]:
        return [one["metadata"]["name"] for one in self.space.list(kind) if one["metadata"].get("deletionTimestamp")]

    def untried(self, name: str) -> list[str]:
        seen = self.look_at(name)
        found = []
        for entry, _ in seen.desired.values():
            set_, kind, resource = entry
            record = seen.recorded.get(set_, {}).get((kind, resource))
            carrier = self.space.get(kind, resource)
            once = set_.endswith("-identity") or seen.sets[set_]["spec"]["strategy"] == "ApplyOnce"
            if record is None or (record.get("hash") != content_hash(carrier) and not (once and record["applied"])):
                found.append(" ".join(entry))
        return sorted(set(found))


def followed(workload: Workload) -> bool:
    agents = [one for one in workload.api.list("Deployment") if one["metadata"]["name"] == AGENT]
    return all(one.get("status", {}).get("observedGeneration", 0) >= one["metadata"]["generation"] for one in agents)


def payload(carrier: Any) -> list[Any]:
    if carrier is None:
        return []
    data = carrier.get("data") or {}
    texts = [base64.b64decode(data[key]).decode() if carrier["kind"] == "Secret" else data[key] for key in sorted(data)]
    return [value for text in texts for value in yaml.safe_load_all(text) if value]


def observe(before: Seen, after: Seen) -> Happens:
    """What happened to a Cluster, in the words of `plan`."""
    if not after.exists:
        return {"removed": ()} if before.exists else {}
    if not before.sets and not after.sets:
        return {}
    if not after.sets:
        return {"loses-set": ()}
    there = {one for one in before.live if one.startswith("Deployment ")}
    if not before.sets:
        return {"kept": ()} if there else {"registers": ()}
    found: Happens = {}
    if not before.sets.keys() & after.sets.keys():
        stays = before.sets.keys() & after.recorded.keys()
        found["moves-set" if stays else "renamed-set"] = ()
    agents = {one for one in after.live if one.endswith(f"/{AGENT}") and one.startswith("Deployment ")}
    if agents - there:
        return {**found, "registers-again": ()}
    rolls = after.newest != before.newest
    if rolls:
        found["rolls"] = ()
    changed = [one for one in after.live if after.live[one] != before.live.get(one)]
    if rolls:
        urls = [
            seen.live.get(f"Secret clusternet-system/{REGISTRATION}", {}).get("data", {}).get("parentURL")
            for seen in (before, after)
        ]
        if urls[0] != urls[1]:
            found["registers-again"] = ()
        changed = [one for one in changed if one not in agents and not one.endswith(f"/{REGISTRATION}")]
    if changed:
        found["replaced"] = tuple(sorted(changed))
    differ = {
        one: entry
        for one, (entry, value) in after.desired.items()
        if before.desired.get(one, (entry, None))[1] != value and not contains(after.live.get(one), content(value))
    }
    for one, (set_, kind, name) in differ.items():
        code = "ignored" if after.recorded[set_][kind, name]["applied"] else "blocked"
        found[code] = tuple(sorted({*found.get(code, ()), one}))
    left = [one for one in before.desired if one not in after.desired and one in after.live]
    if left:
        found["left-behind"] = tuple(sorted(left))
    return found


def row(what: str, predicted: dict[str, Happens], observed: dict[str, Happens], had_before: tuple[str, ...]) -> str:
    """A row of the table: the change, what the plan says, what happened."""

    def said(found: dict[str, Happens]) -> str:
        each = {name: ", ".join(f"`{code}`" for code in sorted(codes)) or "nothing" for name, codes in found.items()}
        if len(set(each.values())) == 1:
            return next(iter(each.values()))
        return "; ".join(f"{name}: {words}" for name, words in each.items())

    seen = said(observed) if not had_before else f"{said(observed)} (it had this set before)"
    return f"| {what} | {said(predicted)} | {seen} |"


def shown() -> list[str]:
    """The rows of the page's table."""
    found = re.search(f"{re.escape(BEGIN)}\n(.*?)\n{re.escape(END)}", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "docs/plan.md has no place for the table"
    return found[1].splitlines()[len(HEAD) :]


def show(made: str) -> None:
    """Hold a row against the page: each by itself, since xdist decides which tests run here, and in which order."""
    rows = shown()
    if os.environ.get("UPDATE_DOCS"):
        what = made.split(" | ", maxsplit=1)[0] + " | "
        rows = sorted([*(one for one in rows if not one.startswith(what)), made])
        page = re.sub(
            f"{re.escape(BEGIN)}\n.*?\n{re.escape(END)}",
            lambda _: "\n".join([BEGIN, *HEAD, *rows, END]),
            PAGE.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
        PAGE.write_text(page, encoding="utf-8")
    assert made in rows


@pytest.fixture
def proof(space: Space) -> Callable[..., Proof]:
    def make(**labels: dict[str, str] | None) -> Proof:
        names = list(labels)
        return Proof(
            space,
            **{name: space.cluster(name, f"w{at}", labels=labels[name]) for at, name in enumerate(names, start=1)},
        )

    return make


def image(version: str) -> dict[str, Any]:
    return {"image": IMAGE.format(version)}


def patched(target: str, patch: Any, **rest: Any) -> dict[str, Any]:
    kind, name = target.split("/")
    return {**rest, "patches": [{"target": {"kind": kind, "name": name}, "patch": patch}]}


BOTH = ("shop", "web")


def both(*codes: str) -> dict[str, list[str]]:
    return {name: sorted(codes) for name in BOTH}


def test_changes_of_the_content(proof: Callable[..., Proof], space: Space) -> None:
    chain = proof(web=None, shop={"clusternet.io/register": "no"})
    space.config(agent=image("v0.18.0"))
    chain.start()
    space.label("shop", **{"clusternet.io/register": "true"})
    chain.change("a Cluster gets the label", expect={"shop": ["registers"]})
    space.config(agent=image("v0.18.1"))
    chain.change("another image", expect=both("rolls"))
    space.config(registrationToken={"value": ANOTHER_TOKEN})
    chain.change("another token", expect=both("rolls"))
    space.config(parentURL="https://another.example.com:6443")
    chain.change("another parent", expect=both("registers-again", "rolls"))
    space.config(agent={**image("v0.18.1"), "replicas": 2})
    chain.change("another number of replicas", expect=both("replaced"))
    space.config(agent=patched("ClusterRole/clusternet:agent:admin", {"metadata": {"labels": {"a": "b"}}}, replicas=2))
    chain.change("a patch on an object without pods", expect=both("replaced"))
    space.config(agent={"replicas": 2})
    chain.change("the patch is taken back", expect=both("replaced"))
    extra = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "more", "namespace": "default"},
        "data": {"a": "b"},
    }
    text = f"---\n{yaml.safe_dump(extra)}"
    carrier = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra", "namespace": space.namespace}}
    space.write("extra", {**carrier, "data": {"extra.yaml": text}})
    space.config(clusterResourceSet={"extraResources": [{"kind": "ConfigMap", "name": "extra"}]})
    chain.change("an extra resource", expect=both("replaced"))
    space.config(clusterResourceSet=None)
    chain.change("no extra resource any more", expect=both("left-behind"))
    space.config(clusterResourceSet={"labels": {"a": "b"}})
    chain.change("a label on the sets", expect={})
    space.label("shop", **{"clusternet.io/register": "no"})
    chain.change("a Cluster's label is taken away", expect={"shop": ["loses-set"]})
    space.label("shop", **{"clusternet.io/register": "true"})
    chain.change("and put back", had_before=("shop",), expect={})
    space.write("registration", kept(space, PARENT_URL, ANOTHER_TOKEN))
    space.config(registrationToken={"existingSecret": {"name": "kept"}}, parentURL=PARENT_URL)
    chain.change("to an existing Secret, with the first parent", expect=both("registers-again", "rolls"))
    space.write("registration", kept(space, PARENT_URL, TOKEN))
    chain.change("another token in the existing Secret", expect=both("replaced"))
    kept_patch = patched("Namespace/clusternet-system", {"metadata": {"labels": {"a": "b"}}}, replicas=2)
    space.config(agent=kept_patch)
    chain.change("a patch on the Namespace, which is applied once", expect=both("ignored"))
    selector = {"matchLabels": {"app": "another"}}
    relabelled = {"spec": {"selector": selector, "template": {"metadata": {"labels": {"app": "another"}}}}}
    changed = patched("Deployment/clusternet-agent", relabelled)
    space.config(agent={**kept_patch, "patches": [*kept_patch["patches"], *changed["patches"]]})
    chain.change("a patch that the server refuses (the Deployment's selector)", expect=both("blocked"))


def kept(space: Space, url: str, token: str) -> Any:
    """The Secret that a user keeps, as `manifests --only registration` prints it."""
    printed = space.run("manifests", space.fleet, "--only", "registration").out
    text = printed.replace("<base64 of the registration token>", base64.b64encode(token.encode()).decode())
    value = yaml.safe_load(text)
    value["data"]["parentURL"] = base64.b64encode(url.encode()).decode()
    metadata = {"name": "kept", "namespace": space.namespace}
    type_ = "addons.cluster.x-k8s.io/resource-set"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": type_,
        "stringData": {"a.yaml": f"---\n{yaml.safe_dump(value)}"},
    }


def test_changes_of_the_sets(proof: Callable[..., Proof], space: Space) -> None:
    chain = proof(web=None, shop=None)
    space.config(agent=image("v0.15.1"))
    chain.start()
    space.config(agent=image("v0.15.2"))
    chain.change(
        "an agent whose binding has another role (v0.15.1 to v0.15.2)",
        expect=both("blocked", "left-behind", "replaced", "rolls"),
    )
    for workload in chain.workloads.values():  # the step that the plan names
        workload.kubectl("delete", "clusterrolebinding", "clusternet:app:deployer")
    space.config(agent=image("v0.18.0"))
    chain.start()
    space.config(clusterResourceSet={"name": "second"})
    chain.change("another set name", expect=both("renamed-set"))
    space.config(clusterResourceSet={"name": "third"}, agent=image("v0.18.1"))
    chain.change("another set name and image", expect=both("renamed-set", "rolls"))
    selector = {"matchExpressions": [{"key": "clusternet.io/register", "operator": "In", "values": ["true"]}]}
    space.config(clusterResourceSet={"name": "fourth"}, clusterSelector=selector)
    chain.change("another selector, under a new set name", expect=both("renamed-set"))
    space.config(identity={"mode": "PerCluster"})
    chain.change("from Shared to PerCluster", expect=both("renamed-set", "rolls"))
    space.config(agent=image("v0.18.0"))
    chain.change("another image, with PerCluster", expect=both("rolls"))
    space.config(identity=None)
    chain.change("from PerCluster to Shared", expect=both("moves-set", "rolls"))
    space.config(clusterResourceSet={"name": "fifth", "strategy": "ApplyOnce"})
    chain.change("to ApplyOnce, under a new set name", expect=both("renamed-set"))
    space.config(agent=image("v0.18.1"))
    chain.change("another image, under ApplyOnce", expect=both("ignored"))
    space.config(clusterResourceSet={"name": "sixth"}, agent=image("v0.17.1"))
    chain.change("back to Reconcile with another image, under a new set name", expect=both("renamed-set", "rolls"))
    old = {"apiVersion": f"{cluster_api.INFRASTRUCTURE}/v1beta1", "kind": "LabCluster"}
    for name in BOTH:
        *_, value = yaml.safe_load_all((space.fleet / f"{name}.yaml").read_text(encoding="utf-8"))
        older = {
            **value,
            "apiVersion": "cluster.x-k8s.io/v1beta1",
            "spec": {"infrastructureRef": {**old, "name": name}},
        }
        first = {**old, "metadata": {"name": name, "namespace": space.namespace}}
        space.write(name, first, older)
    chain.change("Clusters from v1beta2 to v1beta1", expect={})
    for name in BOTH:
        space.cluster(name, f"w{1 + (name == 'shop')}")
    chain.change("Clusters from v1beta1 to v1beta2", expect={})
    space.config(clusterResourceSet={"name": "seventh"}, agent={**image("v0.17.1"), "namespace": "agents"})
    chain.change("another agent namespace, under a new set name", expect=both("registers-again", "renamed-set"))
    space.config(clusterSelector={"matchLabels": {"clusternet.io/register": "never"}}, guard={"allowNoClusters": True})
    chain.change("a selector that matches nothing", expect=both("loses-set"))


def test_moves_and_ends(proof: Callable[..., Proof], space: Space) -> None:
    chain = proof(web={WAVE: "1"}, shop={WAVE: "2"}, stays={WAVE: "1"})
    for number, version in (("1", "v0.18.0"), ("2", "v0.18.1")):
        name = {"name": f"wave-{number}"}
        space.config(
            f"wave-{number}",
            agent=image(version),
            clusterResourceSet=name,
            clusterSelector={"matchLabels": {WAVE: number}},
        )
    chain.start()
    space.label("web", **{WAVE: "2"})
    chain.change("a Cluster moves to another wave", expect={"web": ["moves-set", "rolls"]})
    space.label("web", **{WAVE: "1"})
    chain.change("and back", had_before=("web",), expect={"web": ["moves-set"]})
    space.config("wave-1", agent=image("v0.17.1"))
    chain.change("then its wave's image changes", expect={"stays": ["rolls"], "web": ["rolls"]})
    space.config("wave-2", clusterResourceSet={"name": "wave-2", "strategy": "ApplyOnce"})
    plan = json.loads(space.run("plan", space.fleet, "--baseline", space.applied, "-o", "json", code=1).out)
    assert chain.predicted(plan)["shop"] == {"blocked": ("ClusterResourceSet wave-2",)}
    refused = space.apply(space.render(), code=1)
    assert "field is immutable" in refused.err
    blocked: dict[str, Happens] = {"shop": {"blocked": ()}, "web": {}, "stays": {}}
    what = "another strategy under the same set name"
    show(row(what, blocked, blocked, ()))
    space.config("wave-2", clusterResourceSet={"name": "wave-2"}, agent=image("v0.17.1"))
    space.remove("stays")
    chain.change("a Cluster is deleted, and an image changes", expect={"shop": ["rolls"], "stays": ["removed"]})
    space.remove("wave-2")
    chain.change("a config is deleted", expect={"shop": ["loses-set"]})


def test_the_page_shows_no_change_that_is_not_made_here() -> None:
    made = Path(__file__).read_text(encoding="utf-8")
    rows = shown()
    assert len(rows) >= 20
    assert [one for one in rows if f'"{one.split(" | ")[0].removeprefix("| ")}"' not in made] == []
