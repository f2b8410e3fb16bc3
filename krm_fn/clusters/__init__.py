"""Cluster API's Clusters: what the product has to know about an input, read in one pass, and which of them each config reaches.

An input may have sixty thousand items, so an item is examined only if its kind counts, and one of a kind that we generate only
if its text could contain one of our names, too: `Item.contains` answers that without parsing, and errs only on the safe side. Two
hundred configs over ten thousand Clusters are two million decisions, so only those that matched are kept; why a Cluster is
left out is worked out on demand (`verdicts`).
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.clusters import capi
from krm_fn.krm.results import INFO, Errors, Result
from krm_fn.kube.labels import dns_label_error
from krm_fn.model import ObjectKey
from krm_fn.surface import (
    CLUSTER_NAME_LABEL,
    GENERATED,
    OWNER_ANNOTATION,
    RESOURCE_SET_KIND,
    identity_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from krm_fn.clusters.capi import Unreadable
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, Token

_KINDS = frozenset({"Cluster", "Namespace"} | {kind for _, kind in GENERATED})


class Owned(Record):
    """An object in the input that an earlier run, or an earlier step of the pipeline, made for some config."""

    key: ObjectKey
    owner: str
    item: Item


class Inventory:
    """What one input holds, for any number of configs to select from."""

    def __init__(self, items: Iterable[Item], names: Sequence[str]) -> None:
        """Look through the items, in any order.

        `names` are the beginnings of those that will be generated: only objects that hold one can be in the way.
        """
        clusters: dict[tuple[str, str], Cluster] = {}
        copies: dict[tuple[str, str], list[Cluster]] = {}
        unreadable: list[Unreadable] = []
        self.odd_namespaces: list[Unreadable] = []  # Namespaces that a server would refuse for their labels
        owned: list[Owned] = []
        self.namespaces: dict[str, Mapping[str, str]] = {}  # labels of the Namespace objects, by name
        self.occupied: dict[ObjectKey, Item] = {}  # objects that others made and that hold one of the names
        wanted = tuple(name.encode() for name in names)
        mark = OWNER_ANNOTATION.encode()
        for item in items:
            kind = item.kind
            if kind not in _KINDS:
                continue
            if capi.is_cluster(item):
                cluster = capi.read(item)
                if isinstance(cluster, capi.Unreadable):
                    unreadable.append(cluster)
                    continue
                known = clusters.setdefault(cluster.key, cluster)
                if known is not cluster:
                    copies.setdefault(cluster.key, [known]).append(cluster)
            elif kind == "Namespace" and item.api_version == "v1" and not dns_label_error(item.name):
                odd = capi.namespace_faults(item)
                self.odd_namespaces += [odd] if odd else []
                # of two Namespaces with one name a server keeps one, and nobody knows which: only labels that both have count
                labels = _text_only(item.metadata().get("labels"))
                before = self.namespaces.get(item.name, labels)
                self.namespaces[item.name] = {key: value for key, value in before.items() if labels.get(key) == value}
            elif (item.group, kind) in GENERATED and item.contains(mark, *wanted):
                owner = _owner(item) if item.contains(mark) else ""
                if owner:
                    owned.append(Owned(key=key_of(item), owner=owner, item=item))
                elif any(item.contains(one) for one in wanted):
                    self.occupied[key_of(item)] = item
        self.clusters = tuple(one for _, one in sorted(clusters.items()))
        # Clusters of one namespace and name, where there are several; the first of them is in `clusters`
        self.duplicates = [found for _, found in sorted(copies.items())]
        self.unreadable = sorted(unreadable, key=lambda one: one.results[0].message)
        self.owned = sorted(owned, key=lambda one: tuple(one.key))
        self._held = {one.namespace for one in self.clusters}
        self._held.update(one.namespace for one in unreadable if one.namespace is not None)
        self._reasons: dict[tuple[int, str], str] = {}
        self._selected = 0
        self._by_label: dict[tuple[str, str], list[Cluster]] | None = None

    def select(self, config: Config) -> tuple[Cluster, ...]:
        """Return the Clusters that a config reaches, by namespace and name."""
        return tuple(cluster for cluster in self._candidates(config) if self.reaches(config, cluster))

    def targets(self, config: Config) -> tuple[str, ...]:
        """Return the namespaces that a config serves whether or not the input has a matching Cluster there."""
        if not config.serve_empty_namespaces:
            return config.namespaces
        empty = (name for name in sorted(self.namespaces) if name not in self._held)
        return tuple(name for name in empty if not self.namespace_reason(config, name))

    def unseen(self, config: Config) -> tuple[str, ...]:
        """Return the namespaces that a config serves without any Cluster of the input there to judge by."""
        return tuple(name for name in self.targets(config) if name not in self._held)

    def reaches(self, config: Config, cluster: Cluster) -> bool:
        """Return whether a config reaches a Cluster."""
        labels = cluster.live_labels
        return not self.namespace_reason(config, cluster.namespace) and config.cluster_selector.matches(labels)

    def may_reach(self, config: Config, one: Unreadable) -> bool:
        """Return whether a config could reach a Cluster once its errors are corrected."""
        there = one.namespace is None or not self.namespace_reason(config, one.namespace)
        return there and one.may_match(config.cluster_selector)

    def counts(self, part: Part, *, alone: bool) -> list[Result]:
        """Report how many Clusters of each namespace a config registers.

        Unless it is `alone`, namespaces that it neither reaches nor names are left out.
        """
        config = part.config
        totals: dict[str, int] = {}
        for cluster in self.clusters:
            if cluster.namespace or config.namespace_selector is None:
                totals[cluster.namespace] = totals.get(cluster.namespace, 0) + 1
        matched = dict.fromkeys((*part.namespaces, *(totals if alone else ())), 0)
        for cluster in part.served:
            matched[cluster.namespace] = matched.get(cluster.namespace, 0) + 1
        results = []
        for namespace, number in sorted(matched.items()):
            message = f"{config.owner}: {number} of {totals.get(namespace, 0)} Clusters register"
            message += f" in namespace {namespace}" if namespace else ""
            results.append(Result(message=message, severity=INFO, rule="count"))
        return results

    def _candidates(self, config: Config) -> Sequence[Cluster]:
        """Return the Clusters that can match: those with a label that the selector asks for, or all."""
        pairs = config.cluster_selector.anchors
        self._selected += 1
        if not pairs or self._selected == 1:  # an index pays from the second config on
            return self.clusters
        if self._by_label is None:
            self._by_label = {}
            for cluster in self.clusters:
                for pair in cluster.live_labels.items():
                    self._by_label.setdefault(pair, []).append(cluster)
        if len(pairs) == 1:
            return self._by_label.get(pairs[0], ())
        found = [cluster for pair in pairs for cluster in self._by_label.get(pair, ())]
        return sorted(found, key=lambda one: one.key)

    def namespace_reason(self, config: Config, namespace: str) -> str:
        """Return why a config leaves a namespace out; "" if it does not."""
        at = (id(config), namespace)
        if at not in self._reasons:
            self._reasons[at] = _namespace_reason(config, namespace, self.namespaces)
        return self._reasons[at]


def _namespace_reason(config: Config, namespace: str, known: Mapping[str, Mapping[str, str]]) -> str:
    selector = config.namespace_selector
    if selector is None:
        served = not config.namespaces or namespace in config.namespaces
        return "" if served else f"namespace {namespace or '(none)'} is not in spec.namespaces"
    if not namespace:
        return "it has no namespace for spec.namespaceSelector to match"
    missed = selector.first_failure({**known.get(namespace, {}), capi.NAMESPACE_NAME_LABEL: namespace})
    if not missed:
        return ""
    return (
        f"namespace {namespace}: {missed}{'' if namespace in known else ' (its Namespace object is not in the input)'}"
    )


class Naming(Record):
    """How one Cluster registers with PerCluster, or why it can't."""

    cluster: Cluster
    name: str
    labels: Mapping[str, str]  # of its future ManagedCluster
    errors: tuple[tuple[str, str], ...] = ()  # why it can't be served, each with the field of the Cluster, if it is one

    @property
    def needs_label(self) -> bool:
        """Whether the Cluster object has to be given `cluster.x-k8s.io/cluster-name`."""
        return self.cluster.live_labels.get(CLUSTER_NAME_LABEL) != self.cluster.name


class Part:
    """One config on an input, filled in by the steps of a Plan."""

    def __init__(self, config: Config, token: Token, inventory: Inventory) -> None:
        self.config = config
        self.token = token
        self.matched = inventory.select(config)  # the Clusters that it reaches, by namespace and name
        self.namespaces = inventory.targets(config)  # served whether or not the input has a matching Cluster there
        self.namings: dict[tuple[str, str], Naming] = {}  # with PerCluster, how each Cluster registers
        self.skipped: dict[tuple[str, str], str] = {}  # Clusters that are left out, each with the reason
        self.generated: list[Generated] = []
        self.results: list[Result] = []

    @property
    def served(self) -> list[Cluster]:
        """The Clusters that it reaches and can serve."""
        return [cluster for cluster in self.matched if cluster.key not in self.skipped]

    @property
    def main_sets(self) -> list[ObjectKey]:
        """The ClusterResourceSets made for it that deliver the agent."""
        identity = identity_of(self.config.resource_set.name)
        return [new.key for new in self.generated if new.key.kind == RESOURCE_SET_KIND and new.key.name != identity]

    @property
    def renders(self) -> bool:
        """Whether its objects are written; with `mode: Check` it owns nothing and conflicts with nothing."""
        return self.config.renders


def key_of(item: Item) -> ObjectKey:
    """Return the identity of an item's object."""
    return ObjectKey(group=item.group, kind=item.kind, namespace=item.namespace, name=item.name)


def _owner(item: Item) -> str:
    """Return the owner id of an object that is ours.

    The annotation alone counts: other tools overwrite `app.kubernetes.io/managed-by` (kustomize's `buildMetadata`, common
    labels of Flux and Argo CD).
    """
    try:
        annotations = item.get("metadata", "annotations")  # all of it is needed later on, so it is read once
    except Errors:
        annotations = item.metadata().get("annotations")
    owner = annotations.get(OWNER_ANNOTATION) if isinstance(annotations, dict) else None
    return owner if isinstance(owner, str) else ""


def _text_only(labels: object) -> Mapping[str, str]:
    """Drop label values that are no strings: a server would refuse the Namespace, and they can match nothing."""
    if not isinstance(labels, dict):
        return {}
    return {key: value for key, value in labels.items() if isinstance(key, str) and isinstance(value, str)}
