"""Verdicts on Clusters, each with the rule that decided, and the Clusters that nothing can be decided about.

Verdicts are for `plan`, `manifests` and `--verbose`. The other Clusters have errors, are in the input twice, lack a
namespace, or are misspelt. One that no config can reach, however its errors are corrected, can't change the output: it is
reported as a warning, so that a template or a leftover somewhere in a repository stops no run.
"""

from __future__ import annotations

from krm_fn.base import Record, nearest
from krm_fn.clusters import capi
from krm_fn.clusters.naming import LEFT_OUT, shared_labels, shared_name
from krm_fn.krm.results import ERROR, INFO, WARNING, Errors, Related, Result, about
from krm_fn.kube.secrets import quoted
from krm_fn.surface import CLUSTER_GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Inventory, Part
    from krm_fn.clusters.capi import Unreadable
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config

MATCHED, LABELS, INVALID = "matched", "labels", "invalid"  # codes of verdicts
_SHOWN = 10
_UNREACHED = " (a warning only: no config of this run can reach this Cluster)"
_NOT_COUNTED = (
    " (not counted: spec.guard.onInvalidCluster is Skip; a shared selector can't leave it out, so Cluster API delivers to it"
    " once its labels match on the server)"
)


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
            file_path=self.cluster.origin["file_path"],
            file_index=self.cluster.origin["file_index"],
            rule="verdict",
        )


def decided(inventory: Inventory, parts: Sequence[Part], *, of: str = "") -> list[Verdict]:
    """Return what was decided about each Cluster, by config, namespace and name.

    A Cluster that some config registers has the verdicts of those configs. One that none registers has the verdict of
    the config that came nearest.

    With `of`, the title of a Cluster, what every config decided about that one.
    """
    reached: dict[tuple[str, str], list[int]] = {}
    for at, part in enumerate(parts):
        for cluster in part.served:
            reached.setdefault(cluster.key, []).append(at)
    found: list[list[Verdict]] = [[] for _ in parts]
    for cluster in inventory.clusters if parts else ():
        if of and cluster.title != of:
            continue
        for at in range(len(parts)) if of else reached.get(cluster.key) or [_nearest(inventory, parts, cluster)]:
            found[at].append(_verdict(inventory, parts[at], cluster))
    return [verdict for verdicts in found for verdict in verdicts]


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
    if cluster.key in part.skipped:
        code, rule = INVALID, part.skipped[cluster.key]
    if code != MATCHED:
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
    """Return the code of a verdict, and the requirement that decided, with what was seen instead where it failed."""
    reason = inventory.namespace_reason(config, cluster.namespace)
    if reason:
        return ("namespace-labels" if config.namespace_selector is not None else "namespace-not-listed"), reason
    missed = config.cluster_selector.first_failure(cluster.live_labels)
    return (LABELS, missed) if missed else (MATCHED, str(config.cluster_selector))


# --- Clusters that nothing can be decided about ----------------------------------------------------------------------


def unserved(configs: Sequence[Config], inventory: Inventory) -> Iterator[Result]:
    """Report such Clusters of an input, given the configs of this run."""
    unreached = 0
    for one in inventory.unreadable:
        reached = [config for config in configs if inventory.may_reach(config, one)]
        severity, addition = ERROR, ""
        if not reached:
            unreached += 1
            severity, addition = WARNING, _UNREACHED
            if unreached > _SHOWN:
                continue
        elif all(config.guard.skips for config in reached):
            shared = any(not config.per_cluster for config in reached)
            severity, addition = WARNING, _NOT_COUNTED if shared else f" ({LEFT_OUT})"
        yield from (result.replace(severity=severity, message=result.message + addition) for result in one.results)
    if unreached > _SHOWN:
        message = f"{unreached - _SHOWN} more Clusters that no config of this run can reach have errors"
        yield Result(message=message, severity=WARNING, rule="cluster")
    for copies in inventory.duplicates:
        yield _duplicate(copies, reached=any(inventory.reaches(config, one) for config in configs for one in copies))
    asked = [one for one in inventory.odd_namespaces if any(_is_asked(config, one, inventory) for config in configs)]
    yield from (result for one in asked for result in one.results)
    for config in configs:
        if config.namespace_selector is not None:
            yield from (_no_namespace(config, one) for one in inventory.clusters if not one.namespace)


def _is_asked(config: Config, odd: Unreadable, inventory: Inventory) -> bool:
    """Return whether a wrong label of a Namespace decides if a config serves Clusters that it selects there."""
    selector = config.namespace_selector
    if selector is None or not odd.may_match(selector) or not (odd.open or odd.unsure.intersection(selector.keys)):
        return False
    held = [one for one in inventory.clusters if one.namespace == odd.namespace]
    empty = not held and config.serve_empty_namespaces
    return empty or any(config.cluster_selector.matches(one.live_labels) for one in held)


def _duplicate(copies: Sequence[Cluster], *, reached: bool) -> Result:
    times = "twice" if len(copies) == len(("first", "second")) else f"{len(copies)} times"
    more = f" ({_SHOWN} of these places are shown)" if len(copies) > _SHOWN else ""
    first, *others = copies
    message = (
        f"Cluster {first.title} appears {times} in the input{more}: remove all but one, or, where they belong to"
        f" different overlays, build those with kustomize{'' if reached else _UNREACHED}"
    )
    related = tuple(Related.at("again", one.place()) for one in others[: _SHOWN - 1])
    return about(first, message, rule="duplicate-cluster", severity=ERROR if reached else WARNING, related=related)


def _no_namespace(config: Config, cluster: Cluster) -> Result:
    reached = config.cluster_selector.matches(cluster.live_labels)
    message = (
        f"Cluster {cluster.name} has no namespace, so spec.namespaceSelector of {config.owner} can't be applied;"
        f" give it metadata.namespace, or use no namespaceSelector{'' if reached else _UNREACHED}"
    )
    return about(
        cluster,
        message,
        rule="namespace-needed",
        severity=ERROR if reached else WARNING,
        field="metadata.namespace",
        related=(Related.at("namespaceSelector", config.place("spec.namespaceSelector")),),
    )


# --- objects that were most likely meant as a Cluster, or as a Namespace with labels ---------------------------------

# What a server knows in metadata, and what Cluster API's group has besides Clusters: neither is a slip.
_METADATA = frozenset({
    "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
    "generation", "labels", "managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink", "uid",
})  # fmt: skip
_KINDS = frozenset({"Cluster", "ClusterClass"})
_MOST = 2  # letters that a misspelt kind has more or less


def misspelt(items: Sequence[Item]) -> list[Result]:
    """Report such objects, each at the field that is wrong and with what was meant.

    Looked for only where a guard fails: then such a slip is the cause. Otherwise an unknown kind is not our concern.
    """
    return [slip for item in items if (slip := _slip(item)) is not None]


def _slip(item: Item) -> Result | None:
    kind, group = quoted(item.kind), item.group
    if group == CLUSTER_GROUP and item.kind not in _KINDS and _near(item.kind, "Cluster"):
        return _meant(item, "kind", f'{CLUSTER_GROUP} has no kind "{kind}"', "Cluster", kind)
    if item.api_version == "v1" and item.kind != "Namespace" and _near(item.kind, "Namespace"):
        return _meant(item, "kind", f'v1 has no kind "{kind}"', "Namespace", kind)
    if item.kind == "Cluster" and group != CLUSTER_GROUP and (not group or nearest(group, (CLUSTER_GROUP,))):
        version, served = item.api_version.rpartition("/")[2], capi.served()
        right = f"{CLUSTER_GROUP}/{version if group or version in served else served[-1]}"
        found = quoted(item.api_version)
        return _meant(item, "apiVersion", f'no Cluster has apiVersion "{found}"', right, found)
    return _key(item)


def _key(item: Item) -> Result | None:
    """Report a key at the top of an object, or in its metadata."""
    cluster = item.kind == "Cluster" and item.group == CLUSTER_GROUP
    if not cluster and (item.kind != "Namespace" or item.group):
        return None
    try:
        value = item.value()
    except Errors:
        return None
    metadata = value.get("metadata")
    inside = isinstance(metadata, dict)
    holder: dict[str, Any] = metadata if isinstance(metadata, dict) else value
    prefix = "metadata." if inside else ""
    for right in ("name", "namespace", "labels") if inside else ("metadata",):
        near = nearest(right, [key for key in holder if key not in _METADATA and key not in {"spec", "status"}])
        if right not in holder and near and (cluster or right != "namespace"):
            said = f"{item.kind} {item.name}: {prefix}{quoted(near)} is not a known field"
            return _meant(item, prefix + near, said, right)
    if inside and cluster and "labels" in value and "labels" not in holder:
        message = f"Cluster {item.name}: labels is not below metadata: indent it there"
        return about(item, message, rule="unknown-field", field="labels")
    return None


def _meant(item: Item, field: str, said: str, right: str, found: str | None = None) -> Result:
    """Report a field whose value was found; without one its key is wrong."""
    message = f"{said}: did you mean {right}?"
    if found is None:
        return about(item, message, rule="unknown-field", field=field, fix=f"{right}:")
    return about(item, message, rule="kind", field=field, fix=f"{field}: {right}", current=found, proposed=right)


def _near(kind: str, right: str) -> bool:
    return abs(len(kind) - len(right)) <= _MOST and nearest(kind, (right,)) == right
