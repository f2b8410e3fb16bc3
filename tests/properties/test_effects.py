"""What a plan says of a change is what a model of Cluster API does with it, for fleets and configs by chance."""

from __future__ import annotations

import base64
from typing import Any

import yaml
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from krm_fn import function
from krm_fn.earlier.effects import CODES
from krm_fn.krm import resource_list
from tests.support.lists import Run, cluster, config, document, named
from tests.support.management import Key, Management, Title

IMAGE = "ghcr.io/clusternet/clusternet-agent:{}"
PARENTS = ("https://a.example.com", "https://b.example.com")
TOKENS = ("abcdef.0123456789abcdef", "abcdeg.1123456789abcdef")
NAMESPACES = ("red", "blue")
REGISTRATION = "clusternet-agent-cluster-registration"
PATCHES = {
    "": [],
    "an object without pods": [
        {
            "target": {"kind": "ServiceAccount", "name": "clusternet-app-deployer"},
            "patch": {"metadata": {"labels": {"a": "b"}}},
        }
    ],
    "the pods": [
        {
            "target": {"kind": "Deployment", "name": "clusternet-agent"},
            "patch": {"spec": {"template": {"spec": {"hostNetwork": True}}}},
        }
    ],
}
SELECTORS = (
    lambda tier: {"matchLabels": {"tier": tier, "env": "prod"}},
    lambda tier: {
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": [tier]},
            {"key": "env", "operator": "NotIn", "values": ["off"]},
        ]
    },
)

CLUSTER: dict[str, tuple[Any, ...]] = {
    "tier": ("gold", "iron"),
    "env": ("prod", "off"),
    "version": ("v1beta1", "v1beta2"),
    "topology": (False, True),
}
CONFIG: dict[str, tuple[Any, ...]] = {
    "mode": ("Shared", "PerCluster"),
    "strategy": ("Reconcile", "ApplyOnce"),
    "selector": (0, 1),
    "parent": (0, 1),
    "token": (0, 1),
    "kept": (False, True),
    "image": ("v0.18.1", "v0.18.0", "v0.15.1"),
    "replicas": (3, 1),
    "namespace": ("clusternet-system", "agents"),
    "patch": tuple(PATCHES),
    "extra": ("", "one", "two"),
    "labels": ({}, {"team": "x"}),
}
# fields that the server does not let change: each value has a name of its own, as the errors about them ask for
NAMING = ("strategy", "selector", "namespace")


def any_of(fields: dict[str, tuple[Any, ...]]) -> Any:
    """An object with any of the values of its fields, the first one most often."""
    return st.fixed_dictionaries({name: st.sampled_from((values[0], *values)) for name, values in fields.items()})


TITLES = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(["a", "b", "c"]))
FLEETS = st.dictionaries(TITLES, any_of(CLUSTER), min_size=1, max_size=4)
SIDES = st.tuples(FLEETS, st.fixed_dictionaries({"gold": any_of(CONFIG)}, optional={"iron": any_of(CONFIG)}))
CHANGES = st.one_of(
    st.tuples(st.just("config"), st.sampled_from(sorted(CONFIG)), st.integers(1, 2)),
    st.tuples(st.just("config"), st.sampled_from(sorted(CONFIG)), st.integers(1, 2)),
    st.tuples(st.just("cluster"), st.sampled_from(sorted(CLUSTER)), st.integers(0, 3)),
    st.tuples(st.just("new"), TITLES, any_of(CLUSTER)),
    st.tuples(st.just("gone"), st.integers(0, 3), st.none()),
    st.tuples(st.just("config gone"), st.none(), st.none()),
)


def changed(side: Any, changes: list[Any]) -> Any:
    """A side with some changes."""
    fleet, configs = ({name: dict(one) for name, one in part.items()} for part in side)
    for what, which, how in changes:
        if what == "config":
            values = CONFIG[which]
            configs["gold"][which] = values[(values.index(configs["gold"][which]) + how) % len(values)]
        elif what == "cluster":
            one, values = fleet[sorted(fleet)[how % len(fleet)]], CLUSTER[which]
            one[which] = values[1 - values.index(one[which])]
        elif what == "new":
            fleet[which] = how
        elif what == "gone" and len(fleet) > 1:
            del fleet[sorted(fleet)[which % len(fleet)]]
        elif what == "config gone":
            configs.pop("iron", None)
    return fleet, configs


def items(side: Any) -> list[Any]:
    """The input of one side: Clusters, configs, and what the user keeps beside them."""
    fleet, configs = side
    found = [
        cluster(name, namespace, labels={"tier": one["tier"], "env": one["env"]}, version=one["version"], topology=one["topology"])
        for (namespace, name), one in sorted(fleet.items())
    ]  # fmt: skip
    for tier, one in configs.items():
        name = "-".join((tier, *(f"{field[0]}{one[field]}".lower() for field in NAMING)))
        sources: Any = {"value": TOKENS[one["token"]]}
        resources: dict[str, Any] = {"name": name, "strategy": one["strategy"]}
        if one["kept"]:
            sources = {"existingSecret": {"name": f"kept-{tier}"}}
            found += [kept(f"kept-{tier}", namespace, one) for namespace in NAMESPACES]
        if one["extra"]:
            resources["extraResources"] = [{"kind": "ConfigMap", "name": f"extra-{tier}"}]
            delivered = yaml.safe_dump(named("ConfigMap", f"more-{tier}", "kube-system", data={"a": one["extra"]}))
            found += [named("ConfigMap", f"extra-{tier}", namespace, data={"a": delivered}) for namespace in NAMESPACES]
        identity = {"mode": one["mode"], "labels": one["labels"]}
        if one["mode"] == "PerCluster":
            identity["nameTemplate"] = "{namespace}-{name}"
        agent = {
            "image": IMAGE.format(one["image"]),
            "replicas": one["replicas"],
            "namespace": one["namespace"],
            "patches": PATCHES[one["patch"]],
        }
        made = config(
            tier,
            parentURL=PARENTS[one["parent"]],
            registrationToken=sources,
            clusterSelector=SELECTORS[one["selector"]](tier),
            clusterResourceSet=resources,
            identity=identity,
            agent=agent,
            guard={"allowNoClusters": True},
        )
        found.append(made)
    return found


def kept(name: str, namespace: str, one: Any) -> Any:
    """The user's own Secret with the registration manifest."""
    values = {"parentURL": PARENTS[one["parent"]], "regToken": TOKENS[one["token"]]}
    data = {field: base64.b64encode(value.encode()).decode() for field, value in values.items()}
    text = yaml.safe_dump(named("Secret", REGISTRATION, one["namespace"], data=data))
    return named("Secret", name, namespace, type="addons.cluster.x-k8s.io/resource-set", stringData={"r.yaml": text})


def rendered(found: Run) -> list[Any]:
    return [one for one in found.items if one["kind"] != "ClusternetCAPIConfig"]


def agents(objects: dict[Key, Any]) -> dict[Key, Any]:
    return {one: value["spec"]["template"] for one, value in objects.items() if value["kind"] == "Deployment"}


def parents(objects: dict[Key, Any]) -> set[str]:
    return {value["data"]["parentURL"] for (*_, name), value in objects.items() if name == REGISTRATION}


def happened(before: Management, now: Management, title: Title) -> set[str]:
    """What became of one Cluster, in the codes of a plan; a set by another name is `moves-set` here, for whatever reason."""
    old, new = ({one for one in side.selected[title] if not one.endswith("-identity")} for side in (before, now))
    if title not in now.clusters:
        return {"removed"} if old else set()
    if not old or not new:
        return {"registers"} if new else {"loses-set"} if old else set()
    found = set() if old & new else {"moves-set"}
    found |= {"blocked"} if now.refused[title] else set()
    then, there = before.workloads[title], now.workloads[title]
    if set(agents(then)) != set(agents(there)):
        return found | {"registers-again"}  # in another namespace, which is all that a plan says then
    updated = {one for one in there if then.get(one) != there[one]}
    if parents(then) != parents(there):
        found.add("registers-again")
    if agents(then) != agents(there):
        found.add("rolls")
        updated = {one for one in updated if one[1] != "Deployment" and one[3] != REGISTRATION}
    found |= {"replaced"} if updated else set()
    found |= {"ignored"} if now.spared[title] else set()
    return found | ({"left-behind"} if then.keys() - now.desired[title].keys() else set())


@settings(max_examples=100)
@given(SIDES, st.lists(CHANGES, min_size=1, max_size=3))
def test_a_plan_says_what_happens_to_each_cluster(side: Any, changes: list[Any]) -> None:
    after = changed(side, changes)
    first = Run(document(items(side)))
    baseline = resource_list.read(first.stdout).items
    second = Run(document(items(after)), baseline=baseline)
    assert (first.code, second.code) == (0, 0), (first.stderr, second.stderr)
    assert second.outcome is not None
    comparison = function.compare(second.outcome, resource_list.read(document(items(after))).items)
    assume(comparison is not None)  # before, this function had made nothing
    before = Management()
    before.apply(rendered(first))
    now = before.after(rendered(second))
    said: dict[Title, set[str]] = {}
    for effect in comparison.effects:
        for title in effect.clusters:
            namespace, _, name = title.partition("/")
            said.setdefault((namespace, name), set()).add(effect.code.replace("renamed", "moves"))
    for title in {**before.clusters, **now.clusters}:
        found = happened(before, now, title)
        assert (title, found) == (title, said.get(title, set()))
        for code in CODES:
            if code in found:
                event(code)
