"""Earlier output against the new one: what a server would refuse, and what a running agent would not follow.

Earlier output is our own in the input (kpt feeds it back) or that of a `--baseline`. `clusterSelector` and `strategy` of
a ClusterResourceSet are immutable (Cluster API v1.14.0 `internal/webhooks/clusterresourceset.go`); identity objects are
applied once, and a registration name counts at the first registration only (facts: clusternet v0.18.1).
"""

from __future__ import annotations

from krm_fn.base.patterns import late
from krm_fn.base.records import Record
from krm_fn.krm.results import Result, tagged
from krm_fn.kube.labels import OPERATORS, LabelSelector, Requirement
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    CLUSTER_NAME_LABEL,
    REGISTRATION_NAME_ANNOTATION,
    RESOURCE_SET_KIND,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, ObjectKey

_NUMBERED = late(r"(.*)-(\d+)\Z")


class EarlierSet(Record):
    """A ClusterResourceSet of earlier output."""

    key: ObjectKey
    owner: str
    selector: LabelSelector
    selector_data: Mapping[str, Any]  # as it stood, since a server compares the form
    strategy: str
    resources: tuple[tuple[str, str], ...]  # kind and name
    registration_name: str  # "" with Shared

    @property
    def delivers_agent(self) -> bool:
        """Whether it is a main set rather than the one for identity, which refers to the ConfigMap of its own name."""
        return bool(self.resources) and self.resources != (("ConfigMap", self.key.name),)

    @property
    def cluster(self) -> str:
        """The one Cluster it is for with PerCluster, or ""."""
        return dict(self.selector.match_labels).get(CLUSTER_NAME_LABEL, "") if self.registration_name else ""


class Earlier(Record):
    """All that earlier output of any config tells.

    Attributes:
        sets: Its ClusterResourceSets.
        agent_namespaces: Identity, owner and agent namespace of each ConfigMap with identity manifests.
        agents: Identity, owner and item of each ConfigMap with agent manifests.
    """

    sets: tuple[EarlierSet, ...] = ()
    agent_namespaces: tuple[tuple[ObjectKey, str, str], ...] = ()
    agents: tuple[tuple[ObjectKey, str, Item], ...] = ()

    def of(self, owner: str) -> Earlier:
        """Return the part of one config."""
        return Earlier(
            sets=tuple(one for one in self.sets if one.owner == owner),
            agent_namespaces=tuple(one for one in self.agent_namespaces if one[1] == owner),
            agents=tuple(one for one in self.agents if one[1] == owner),
        )

    @property
    def main_sets(self) -> tuple[EarlierSet, ...]:
        """The sets that deliver agents."""
        return tuple(one for one in self.sets if one.delivers_agent)

    @property
    def registration_names(self) -> dict[str, tuple[str, str]]:
        """Names that are taken on the parent cluster: name -> (namespace, Cluster)."""
        return {one.registration_name: (one.key.namespace, one.cluster) for one in self.sets if one.registration_name}


class Coverage:
    """Which earlier main sets reach a Cluster; asked for ten thousand Clusters, so indexed."""

    def __init__(self, sets: Iterable[EarlierSet]) -> None:
        """Index the sets: by the one Cluster they are for, or by namespace."""
        self._by_cluster: dict[tuple[str, str], list[EarlierSet]] = {}
        self._by_namespace: dict[str, list[EarlierSet]] = {}
        for one in sets:
            if one.cluster:
                self._by_cluster.setdefault((one.key.namespace, one.cluster), []).append(one)
            else:
                self._by_namespace.setdefault(one.key.namespace, []).append(one)

    def of(self, cluster: Cluster) -> list[EarlierSet]:
        """Return the sets that reach a Cluster, by the labels it carries on the server."""
        own = self._by_cluster.get(cluster.key, ())
        others = self._by_namespace.get(cluster.namespace, ())
        return [*own, *(one for one in others if one.selector.matches(cluster.live_labels))]


def read(owned: Iterable[tuple[ObjectKey, str, Item]]) -> Earlier:
    """Read earlier output.

    Args:
        owned: Identity, owner id and item of each object that we made.
    """
    sets, namespaces, agents = [], [], []
    for key, owner, item in owned:
        if key.kind == RESOURCE_SET_KIND:
            sets.append(_read_set(key, owner, item))
        elif key.kind == "ConfigMap":
            annotations = item.metadata().get("annotations")
            found = annotations.get(AGENT_NAMESPACE_ANNOTATION) if isinstance(annotations, dict) else None
            if isinstance(found, str):
                namespaces.append((key, owner, found))
            else:
                agents.append((key, owner, item))
    return Earlier(sets=tuple(sets), agent_namespaces=tuple(namespaces), agents=tuple(agents))


def _read_set(key: ObjectKey, owner: str, item: Item) -> EarlierSet:
    value = item.value()
    spec = value.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    selector = spec.get("clusterSelector")
    selector = selector if isinstance(selector, dict) else {}
    resources = spec.get("resources")
    annotations = item.metadata().get("annotations")
    name = annotations.get(REGISTRATION_NAME_ANNOTATION) if isinstance(annotations, dict) else None
    return EarlierSet(
        key=key,
        owner=owner,
        selector=read_selector(selector),
        selector_data=selector,
        strategy=str(spec.get("strategy", "ApplyOnce")),
        resources=tuple(
            (str(one.get("kind")), str(one.get("name")))
            for one in (resources if isinstance(resources, list) else ())
            if isinstance(one, dict)
        ),
        registration_name=name if isinstance(name, str) else "",
    )


def read_selector(data: Mapping[str, Any]) -> LabelSelector:
    """Read a selector that a server accepted; parts that are malformed are left out."""
    labels = data.get("matchLabels")
    expressions = data.get("matchExpressions")
    found = []
    for one in expressions if isinstance(expressions, list) else ():
        if isinstance(one, dict) and one.get("operator") in OPERATORS and isinstance(one.get("key"), str):
            values = one.get("values")
            listed = tuple(sorted({str(value) for value in values})) if isinstance(values, list) else ()
            found.append(Requirement(key=one["key"], operator=one["operator"], values=listed))
    pairs = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
    return LabelSelector.of(pairs, found)


def immutable_changes(config: Config, earlier: Earlier, generated: Sequence[Generated]) -> list[Result]:
    """Report what a server would refuse or an ApplyOnce set would never bring.

    Args:
        config: The config.
        earlier: Earlier output of this config.
        generated: The new objects of this config. What it no longer makes, such as all of another
            `clusterResourceSet.name`, is not changed but removed.
    """
    results = []
    before = {one.key: one for one in earlier.sets}
    changed: dict[str, list[str]] = {}
    for new in generated:
        old = before.get(new.key)
        if old is None:
            continue
        spec = new.value["spec"]
        if old.selector_data != spec["clusterSelector"]:
            changed.setdefault("clusterSelector", []).append(_title(new.key))
        if old.strategy != spec["strategy"]:
            changed.setdefault("strategy", []).append(_title(new.key))
    for field, places in sorted(changed.items()):
        results.append(_immutable(config, earlier, field, places))
    made = {new.key for new in generated}
    for key, _owner, agent_namespace in earlier.agent_namespaces:
        if agent_namespace != config.agent.namespace and key in made:
            results.append(
                Result(
                    message=(
                        f"spec.agent.namespace changes from {agent_namespace} to {config.agent.namespace} for Clusters of"
                        f" {'namespace ' + key.namespace if key.namespace else 'this package'}: ServiceAccounts and their token"
                        " were applied once and would stay behind. Keep the old one, or move to a new"
                        f" clusterResourceSet.name ({next_name(config, earlier)}) as docs/immutable-fields.md shows"
                    ),
                    field="spec.agent.namespace",
                    file_path=config.file_path,
                    tags=tagged(rule="agent-namespace-changed"),
                )
            )
    return results


def _immutable(config: Config, earlier: Earlier, field: str, places: list[str]) -> Result:
    source = "spec.clusterSelector" if field == "clusterSelector" else "spec.clusterResourceSet.strategy"
    existing = (
        " The old ClusterResourceSet may be the only owner of your existing Secret: delete it only after the new one"
        " stands among the Secret's ownerReferences."
        if config.token.existing_secret
        else ""
    )
    return Result(
        message=(
            f"{field} of {_some(places)} differs from the earlier output, and it is immutable on the server."
            f" Set spec.clusterResourceSet.name: {next_name(config, earlier)}, commit; let the new set be applied"
            " (see `clusternet-capi-fn status`); then the old objects, which this render removes, may be pruned."
            f"{existing} To keep the old set, restore the old {source}"
        ),
        field=source,
        file_path=config.file_path,
        tags=tagged(rule="immutable-field"),
    )


def next_name(config: Config, earlier: Earlier) -> str:
    """Return the next free `clusterResourceSet.name`: `fleet` -> `fleet-2` -> `fleet-3`."""
    taken = {one.key.name for one in earlier.sets}
    name = config.resource_set.name
    while True:
        numbered = _NUMBERED.match(name)
        name = f"{numbered.group(1)}-{int(numbered.group(2)) + 1}" if numbered else f"{name}-2"
        if not any(one == name or one.startswith((name + ".", name + "-")) for one in taken):
            return name


def renames(
    config: Config, earlier: Earlier, names: Mapping[tuple[str, str], str]
) -> list[tuple[tuple[str, str], str]]:
    """Return the Clusters that already registered under another name, each with what to say.

    Args:
        config: The config.
        earlier: Earlier output of this config.
        names: The new registration name of each Cluster, by namespace and name.
    """
    found = []
    for one in earlier.sets:
        key = (one.key.namespace, one.cluster)
        new = names.get(key)
        if one.registration_name and new is not None and new != one.registration_name:
            message = (
                f"it registered as {one.registration_name!r} and would now be {new!r}; a name counts at the first"
                f" registration only. Keep the earlier spec.identity.nameTemplate ({config.identity.name_template!r}"
                " now), or deregister the cluster and remove its generated objects first"
            )
            found.append((key, message))
    return found


def moved_from(coverage: Coverage, cluster: Cluster, resource_set: str) -> str:
    """Return the name of the set that delivered to a Cluster before, if it is another one now; else an empty string."""
    found = [one.key.name for one in coverage.of(cluster)]
    return "" if not found or resource_set in found else found[0]


def _title(key: ObjectKey) -> str:
    return f"{key.namespace}/{key.name}" if key.namespace else key.name


_SHOWN = 3


def _some(places: Sequence[str]) -> str:
    shown = ", ".join(sorted(places)[:_SHOWN])
    more = len(places) - _SHOWN
    return f"ClusterResourceSet {shown}" + (f" and {more} more" if more > 0 else "")
