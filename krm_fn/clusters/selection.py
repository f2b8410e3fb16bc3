"""Clusters x selectors: which Clusters a config reaches, each with the rule that decided."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.krm.results import Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from krm_fn.model import Cluster, Config

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"


class Choice(Record):
    """One Cluster and what the selectors say of it.

    Attributes:
        code: `matched`, `labels`, `namespace-labels` or `namespace-not-listed`.
        rule: The requirement that decided, in kubectl's syntax, with what was seen instead where it failed.
    """

    cluster: Cluster
    matched: bool
    code: str
    rule: str


class Selection(Record):
    """All choices of one config, ordered by namespace and name, and the faults met."""

    choices: tuple[Choice, ...]
    faults: tuple[Result, ...] = ()

    @property
    def matched(self) -> tuple[Cluster, ...]:
        """The Clusters that the config reaches."""
        return tuple(choice.cluster for choice in self.choices if choice.matched)


def select(config: Config, clusters: Iterable[Cluster], namespaces: Mapping[str, Mapping[str, str]]) -> Selection:
    """Decide for every Cluster whether the config reaches it.

    Args:
        config: Its `namespaces` or `namespace_selector`, and its `cluster_selector`, are applied in this order.
        clusters: Any order.
        namespaces: Labels of the Namespace objects of the input, by name.
    """
    by_namespace: dict[str, str] = {}  # namespace -> why its Clusters are left out; "" if they are not
    choices, faults = [], []
    matched_rule = str(config.cluster_selector)
    for cluster in sorted(clusters, key=lambda one: one.key):
        if not cluster.namespace and config.namespace_selector is not None:
            faults.append(_no_namespace(config, cluster))
            continue
        reason = by_namespace.get(cluster.namespace)
        if reason is None:
            reason = by_namespace[cluster.namespace] = _namespace_reason(config, cluster.namespace, namespaces)
        if reason:
            code = "namespace-labels" if config.namespace_selector is not None else "namespace-not-listed"
            choices.append(Choice(cluster=cluster, matched=False, code=code, rule=reason))
            continue
        missed = config.cluster_selector.first_failure(cluster.live_labels)
        choices.append(
            Choice(cluster=cluster, matched=False, code="labels", rule=missed)
            if missed
            else Choice(cluster=cluster, matched=True, code="matched", rule=matched_rule)
        )
    return Selection(choices=tuple(choices), faults=tuple(faults))


def _namespace_reason(config: Config, namespace: str, known: Mapping[str, Mapping[str, str]]) -> str:
    if config.namespaces:
        return "" if namespace in config.namespaces else f"namespace {namespace or '(none)'} is not in spec.namespaces"
    selector = config.namespace_selector
    if selector is None:
        return ""
    labels = {**known.get(namespace, {}), NAMESPACE_NAME_LABEL: namespace}
    missed = selector.first_failure(labels)
    if missed and namespace not in known:
        return f"namespace {namespace}: {missed} (its Namespace object is not in the input)"
    return f"namespace {namespace}: {missed}" if missed else ""


def _no_namespace(config: Config, cluster: Cluster) -> Result:
    return Result(
        message=(
            f"Cluster {cluster.name} has no namespace, so spec.namespaceSelector of {config.owner} can't be applied;"
            " give it metadata.namespace, or use no namespaceSelector"
        ),
        field="metadata.namespace",
        file_path=cluster.file_path,
        file_index=cluster.file_index,
        tags=tagged(rule="namespace-needed"),
    )
