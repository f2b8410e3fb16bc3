"""What was decided about each Cluster and by which rule, for those who ask: `plan`, `manifests` and `--verbose`."""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.clusters.naming import shared_labels, shared_name
from krm_fn.krm.results import INFO, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from krm_fn.clusters.inventory import Inventory, Part
    from krm_fn.model import Cluster, Config


class Verdict(Record):
    """What one config decided about one Cluster, and by which rule.

    Attributes:
        rule: The requirement that matched or that did not, in kubectl's selector syntax, or another short reason.
        code: Machine-readable reason: `matched`, `labels`, `namespace-labels`, `namespace-not-listed`, `invalid`.
        resource_set: Name of the ClusterResourceSet that delivers the agent; "" when not matched.
        registration_name: Name under which it registers; with Shared the prefix followed by `-xxxxx`; "" if not matched.
        registration_labels: Labels of the future ManagedCluster.
    """

    cluster: Cluster
    config: str
    matched: bool
    code: str
    rule: str
    resource_set: str = ""
    registration_name: str = ""
    registration_labels: Mapping[str, str] = {}

    def result(self) -> Result:
        """Return it as a result, for `--verbose`."""
        said = (
            f"registers as {self.registration_name} through ClusterResourceSet {self.resource_set} ({self.rule})"
            if self.matched
            else f"is left out: {self.rule}"
        )
        return Result(
            message=f"{self.config}: Cluster {self.cluster.title} {said}",
            severity=INFO,
            file_path=self.cluster.file_path,
            file_index=self.cluster.file_index,
            tags=tagged(rule="verdict"),
        )


def decided(
    inventory: Inventory, parts: Sequence[Part], *, of: str = "", renamed: Mapping[tuple[str, str], str] | None = None
) -> list[Verdict]:
    """Return what was decided about each Cluster, by config, namespace and name.

    A Cluster that some config registers has the verdicts of those configs. One that none registers has the verdict of
    the config that came nearest.

    Args:
        inventory: The Clusters.
        parts: The configs.
        of: Title of a Cluster: what every config decided about that one.
        renamed: Names that ClusterResourceSets got after the function had run, by namespace and name.
    """
    found: list[tuple[int, Verdict]] = []
    chosen = [cluster for cluster in inventory.clusters if not of or cluster.title == of]
    reached: dict[tuple[str, str], list[int]] = {}
    for at, part in enumerate(parts):
        for cluster in part.matched:
            if cluster.key not in part.skipped:
                reached.setdefault(cluster.key, []).append(at)
    for cluster in chosen:
        here = range(len(parts)) if of else reached.get(cluster.key)
        if here is not None:
            found += [(at, _verdict(inventory, parts[at], cluster)) for at in here]
        elif parts:
            nearest = _nearest(inventory, parts, cluster)
            found.append((nearest, _verdict(inventory, parts[nearest], cluster)))
    verdicts = [verdict for _, verdict in sorted(found, key=lambda one: one[0])]
    if not renamed:
        return verdicts
    keys = [(one.cluster.namespace, one.resource_set) for one in verdicts]
    return [one.replace(resource_set=renamed.get(key, key[1])) for key, one in zip(keys, verdicts, strict=True)]


def _nearest(inventory: Inventory, parts: Sequence[Part], cluster: Cluster) -> int:
    """Return the config that came nearest to registering a Cluster: it tried, or only the labels are missing."""
    for at, part in enumerate(parts):
        if cluster.key in part.skipped:
            return at
    for at, part in enumerate(parts):
        if not inventory.namespace_reason(part.config, cluster.namespace):
            return at
    return 0


def _verdict(inventory: Inventory, part: Part, cluster: Cluster) -> Verdict:
    config = part.config
    code, rule = _decide(inventory, config, cluster)
    skipped = part.skipped.get(cluster.key)
    if skipped is not None:
        code, rule = "invalid", skipped
    if code != "matched":
        return Verdict(cluster=cluster, config=config.owner, matched=False, code=code, rule=rule)
    naming = part.namings.get(cluster.key)
    return Verdict(
        cluster=cluster,
        config=config.owner,
        matched=True,
        code=code,
        rule=rule,
        resource_set=config.set_of(cluster),
        registration_name=shared_name(config) if naming is None else naming.name,
        registration_labels=shared_labels(config, cluster.namespace) if naming is None else naming.labels,
    )


def _decide(inventory: Inventory, config: Config, cluster: Cluster) -> tuple[str, str]:
    """Return why a Cluster is or is not reached.

    Returns:
        A code (`matched`, `labels`, `namespace-labels`, `namespace-not-listed`), and the requirement that decided, in
        kubectl's syntax, with what was seen instead where it failed.
    """
    reason = inventory.namespace_reason(config, cluster.namespace)
    if reason:
        return ("namespace-labels" if config.namespace_selector is not None else "namespace-not-listed"), reason
    missed = config.cluster_selector.first_failure(cluster.live_labels)
    return ("labels", missed) if missed else ("matched", str(config.cluster_selector))
