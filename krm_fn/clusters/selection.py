"""Clusters x selectors: what a config reaches, filled in on its way through a Plan, and the rule that decided about a Cluster.

Two hundred configs over ten thousand Clusters are two million decisions, so only those that matched are kept; why a
Cluster is left out is worked out where somebody asks (`verdicts`).
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.krm.results import INFO, Result, tagged
from krm_fn.surface import NAMESPACE_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.model import Cluster, Config, Generated, Token

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
DEFAULT_PREFIX = "clusternet-cluster"  # the agent's own, v0.12 to v0.18


class Naming(Record):
    """How one Cluster registers, or why it can't.

    Attributes:
        cluster: The Cluster.
        name: Its registration name.
        labels: Labels of its future ManagedCluster.
        needs_label: Whether the Cluster object has to be given `cluster.x-k8s.io/cluster-name`.
        errors: Why it can't be served; empty if it can.
    """

    cluster: Cluster
    name: str
    labels: Mapping[str, str]
    needs_label: bool = False
    errors: tuple[str, ...] = ()


class Part:
    """One config, filled in by the steps of a Plan.

    Attributes:
        config: The config.
        token: Its registration token.
        matched: The Clusters that it reaches, by namespace and name.
        namespaces: Those that it serves whether or not the input has a matching Cluster there.
        namings: With PerCluster, how each of them registers.
        skipped: Those that are left out, each with the reason.
        generated: Its objects.
        results: What there is to report about it.
    """

    def __init__(
        self, config: Config, token: Token, matched: tuple[Cluster, ...], namespaces: tuple[str, ...] = ()
    ) -> None:
        """Begin with what the config reaches."""
        self.config = config
        self.token = token
        self.matched = matched
        self.namespaces = namespaces
        self.namings: dict[tuple[str, str], Naming] = {}
        self.skipped: dict[tuple[str, str], str] = {}
        self.generated: list[Generated] = []
        self.results: list[Result] = []

    @property
    def served(self) -> list[Cluster]:
        """The Clusters that it reaches and can serve."""
        return [cluster for cluster in self.matched if cluster.key not in self.skipped]

    @property
    def renders(self) -> bool:
        """Whether its objects are written; with `mode: Check` it owns nothing and conflicts with nothing."""
        return self.config.mode != "Check"


def shared_labels(config: Config, namespace: str) -> Mapping[str, str]:
    """Return the labels under which the Clusters of a namespace register with `mode: Shared`.

    Agents that choose their names themselves can't be told apart otherwise; with the namespace `status` can count them.
    """
    return {**config.identity.labels, **({NAMESPACE_LABEL: namespace} if namespace else {})}


def shared_name(config: Config) -> str:
    """Return the shape of the names that agents choose with `mode: Shared`: a prefix and five random characters."""
    return f"{config.identity.name_prefix or DEFAULT_PREFIX}-xxxxx"


class Fleet:
    """The Clusters and Namespaces of one input, for any number of configs to select from."""

    def __init__(self, inventory: Inventory) -> None:
        self.clusters = sorted(inventory.clusters, key=lambda one: one.key)
        self._namespaces = inventory.namespaces
        self._held: set[str] = {one.namespace for one in self.clusters}
        self._held.update(one.namespace for one in inventory.unreadable if one.namespace is not None)
        self._reasons: dict[tuple[int, str], str] = {}
        self._selected = 0
        self._by_label: dict[tuple[str, str], list[Cluster]] | None = None

    def select(self, config: Config) -> tuple[Cluster, ...]:
        """Return the Clusters that a config reaches, by namespace and name."""
        selector = config.cluster_selector
        return tuple(
            cluster
            for cluster in self._candidates(config)
            if not self.namespace_reason(config, cluster.namespace) and selector.matches(cluster.live_labels)
        )

    def targets(self, config: Config) -> tuple[str, ...]:
        """Return the namespaces that a config serves whether or not the input has a matching Cluster there."""
        if not config.serve_empty_namespaces:
            return config.namespaces
        empty = (name for name in sorted(self._namespaces) if name not in self._held)
        return tuple(name for name in empty if not self.namespace_reason(config, name))

    def unseen(self, config: Config) -> tuple[str, ...]:
        """Return the namespaces that a config serves without any Cluster of the input there to judge by."""
        return tuple(name for name in self.targets(config) if name not in self._held)

    def reaches(self, config: Config, cluster: Cluster) -> bool:
        """Return whether a config reaches a Cluster."""
        return not self.namespace_reason(config, cluster.namespace) and config.cluster_selector.matches(
            cluster.live_labels
        )

    def counts(self, part: Part, *, alone: bool) -> list[Result]:
        """Report how many Clusters of each namespace a config registers.

        Args:
            part: The config.
            alone: Whether it is the only one; if not, namespaces that it neither reaches nor names are left out.
        """
        config = part.config
        totals: dict[str, int] = {}
        for cluster in self.clusters:
            if cluster.namespace or config.namespace_selector is None:
                totals[cluster.namespace] = totals.get(cluster.namespace, 0) + 1
        matched: dict[str, int] = dict.fromkeys((*part.namespaces, *(totals if alone else ())), 0)
        for cluster in part.served:
            matched[cluster.namespace] = matched.get(cluster.namespace, 0) + 1
        return [
            Result(
                message=f"{config.owner}: {number} of {totals.get(namespace, 0)} Clusters register"
                + (f" in namespace {namespace}" if namespace else ""),
                severity=INFO,
                tags=tagged(rule="count"),
            )
            for namespace, number in sorted(matched.items())
        ]

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
        if not config.namespaces and config.namespace_selector is None:
            return ""
        reason = self._reasons.get((id(config), namespace))
        if reason is None:
            reason = _namespace_reason(config, namespace, self._namespaces)
            self._reasons[id(config), namespace] = reason
        return reason


def _namespace_reason(config: Config, namespace: str, known: Mapping[str, Mapping[str, str]]) -> str:
    if config.namespaces:
        return "" if namespace in config.namespaces else f"namespace {namespace or '(none)'} is not in spec.namespaces"
    selector = config.namespace_selector
    if selector is None:
        return ""
    if not namespace:
        return "it has no namespace for spec.namespaceSelector to look at"
    labels = {**known.get(namespace, {}), NAMESPACE_NAME_LABEL: namespace}
    missed = selector.first_failure(labels)
    if missed and namespace not in known:
        return f"namespace {namespace}: {missed} (its Namespace object is not in the input)"
    return f"namespace {namespace}: {missed}" if missed else ""
