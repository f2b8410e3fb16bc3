"""ClusterResourceSets, wherever they were found: in earlier output, among what is made now, or on a server."""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.kube.labels import LabelSelector
from krm_fn.kube.raw import mapping, sequence, text
from krm_fn.model import ObjectKey
from krm_fn.surface import (
    ADDONS_GROUP,
    CLUSTER_NAME_LABEL,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
    RESOURCE_SET_KIND,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from krm_fn.model import Cluster


class ResourceSet(Record):
    """A ClusterResourceSet.

    Attributes:
        owner: The config that made it, by its annotation; "" without one.
        selector: Empty where no server would take it.
        selector_data: The same as written: a server compares the form.
        resources: Kind and name of each object that it delivers.
        registration_name: The name its one Cluster registers under; "" with `identity.mode: Shared`.
    """

    key: ObjectKey
    owner: str
    selector: LabelSelector
    selector_data: Mapping[str, Any]
    strategy: str
    resources: tuple[tuple[str, str], ...]
    registration_name: str

    @property
    def namespace(self) -> str:
        """Where it is, and where the Clusters are that it selects."""
        return self.key.namespace

    @property
    def name(self) -> str:
        """Its name."""
        return self.key.name

    @property
    def identity_only(self) -> bool:
        """Whether it prepares for the agent only: it delivers nothing but the ConfigMap of its own name."""
        return bool(self.resources) and set(self.resources) == {("ConfigMap", self.key.name)}

    @property
    def delivers_agent(self) -> bool:
        """Whether it is a main set."""
        return bool(self.resources) and not self.identity_only

    @property
    def cluster(self) -> str:
        """The one Cluster it is for with `identity.mode: PerCluster`, or ""."""
        return dict(self.selector.match_labels).get(CLUSTER_NAME_LABEL, "") if self.registration_name else ""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether it selects a Cluster of its namespace; an empty selector selects none."""
        return not self.selector.empty and self.selector.matches(labels)


def read(value: Mapping[str, Any]) -> ResourceSet:
    """Read a ClusterResourceSet; fields that don't have their type count as absent."""
    metadata, spec = mapping(value, "metadata"), mapping(value, "spec")
    annotations, selector = mapping(metadata, "annotations"), mapping(spec, "clusterSelector")
    resources = (one for one in sequence(spec.get("resources")) if isinstance(one, dict))
    return ResourceSet(
        key=ObjectKey(
            group=ADDONS_GROUP,
            kind=RESOURCE_SET_KIND,
            namespace=text(metadata.get("namespace")),
            name=text(metadata.get("name")),
        ),
        owner=text(annotations.get(OWNER_ANNOTATION)),
        selector=LabelSelector.read(selector) or LabelSelector(),
        selector_data=selector,
        strategy=text(spec.get("strategy")) or "ApplyOnce",
        resources=tuple((text(one.get("kind")), text(one.get("name"))) for one in resources),
        registration_name=text(annotations.get(REGISTRATION_NAME_ANNOTATION)),
    )


class Coverage:
    """Which main sets reach a Cluster; asked for ten thousand Clusters, so indexed."""

    def __init__(self, sets: Iterable[ResourceSet]) -> None:
        """Index the sets: by the one Cluster they are for, by a label that they ask for, or by namespace."""
        self._by_cluster: dict[tuple[str, str], list[ResourceSet]] = {}
        self._by_label: dict[tuple[str, str, str], list[ResourceSet]] = {}
        self._by_namespace: dict[str, list[ResourceSet]] = {}
        for one in sets:
            namespace, anchors = one.key.namespace, one.selector.anchors
            if one.cluster:
                self._by_cluster.setdefault((namespace, one.cluster), []).append(one)
            elif not anchors:
                self._by_namespace.setdefault(namespace, []).append(one)
            for anchor in () if one.cluster else anchors:
                self._by_label.setdefault((namespace, *anchor), []).append(one)

    def of(self, cluster: Cluster) -> list[ResourceSet]:
        """Return the sets that reach a Cluster, by the labels it carries on the server."""
        labels = cluster.live_labels
        others = list(self._by_namespace.get(cluster.namespace, ()))
        if self._by_label:
            for label in labels.items():
                others += self._by_label.get((cluster.namespace, *label), ())
        own = self._by_cluster.get(cluster.key, ())
        return [*own, *(one for one in others if one.matches(labels))]
