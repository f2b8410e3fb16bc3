"""Guards against the commit that removes everything: how many Clusters there must be. `removed` counts how many go."""

from __future__ import annotations

from krm_fn.base import nearest
from krm_fn.krm.results import ERROR, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.selection import Part
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config


def check(parts: Sequence[Part], items: Sequence[Item], clusters: Sequence[Cluster]) -> Sequence[Result]:
    """Apply the counts of every config; where one fails, a misspelt object is the cause, and returned in their place."""
    counts = [(part, _counts(part, clusters)) for part in parts]
    if any(found for _, found in counts):
        from krm_fn.clusters import misspelt  # noqa: PLC0415 - for errors only

        slips = misspelt.review(items)
        if slips:
            return slips
    for part, found in counts:
        part.results += found
    return ()


def _counts(part: Part, fleet: Sequence[Cluster]) -> list[Result]:
    """Apply `allowNoClusters` and `minClusters`."""
    config, matched, total = part.config, len(part.served), len(fleet)
    results = []
    if total == 0:
        needs = [
            name
            for name, used in (
                ("identity.mode: PerCluster", config.per_cluster),
                ("guard.minClusters", config.guard.min_clusters is not None),
                ("identity.labelKeys", bool(config.identity.label_keys)),
            )
            if used
        ]
        if needs:
            results.append(
                result(
                    config,
                    f"the input has no Cluster, but {' and '.join(needs)} of {config.owner} can't be evaluated without one;"
                    " run the function as a transformer over the Clusters (a generator sees no resources)",
                    "",
                )
            )
    short = config.guard.min_clusters is not None and matched < config.guard.min_clusters and total
    if short and matched == 0:
        results.append(_no_match(config, fleet))
    elif short:
        results.append(
            result(
                config,
                f"{config.owner} reaches {matched} of {total} Clusters, fewer than guard.minClusters"
                f" ({config.guard.min_clusters}); correct spec.clusterSelector or lower the guard",
                "minClusters",
            )
        )
    if matched == 0 and not results and not config.guard.allow_no_clusters and not part.namespaces:
        results.append(_no_match(config, fleet))
    return results


def _no_match(config: Config, fleet: Sequence[Cluster]) -> Result:
    """Report that a config reaches no Cluster, and the label that was most likely meant."""
    seen = f"none of the {len(fleet)} Clusters in the input matches" if fleet else "the input has no Cluster for"
    seen = "the one Cluster in the input does not match" if len(fleet) == 1 else seen
    message = f"{seen} clusterSelector {config.cluster_selector} of {config.owner}"
    remedy = "list spec.namespaces, or set spec.guard.allowNoClusters: true if no Cluster is meant to match"
    if config.guard.min_clusters:
        remedy = f"or lower guard.minClusters ({config.guard.min_clusters})"
    field, fix = "spec.clusterSelector", ""
    if any(config.cluster_selector.matches(one.live_labels) for one in fleet):
        message += f" in a namespace that it serves; correct the namespaces, {remedy}"
    else:
        meant = next(filter(None, (_meant(*pair, fleet) for pair in config.cluster_selector.match_labels)), None)
        if meant is None:
            message += f"; correct the selector, {remedy}"
        else:
            key, near, value = meant
            field, fix = f"{field}.matchLabels.{key}", f'{near}: "{value}"'
            message += f": did you mean {near}={value}? If not, {remedy.removeprefix('or ')}"
    return Result(
        message=message,
        fix=fix,
        tags=tagged(rule="guard-allowNoClusters"),
        **config.place(field),
    )


def _meant(key: str, value: str, fleet: Sequence[Cluster]) -> tuple[str, str, str] | None:
    """Return a label that no Cluster has, by its key, and key and value of the one nearest to it that some have."""
    labels = [one.live_labels for one in fleet]
    if any(one.get(key) == value for one in labels):
        return None
    values = {one[key] for one in labels if key in one}
    if values:
        near = values.pop() if len(values) == 1 else nearest(value, values)
        return (key, key, near) if near else None
    near = nearest(key, {one for each in labels for one in each})
    return (key, near, value) if near and any(one.get(near) == value for one in labels) else None


def result(config: Config, message: str, field: str, severity: str = ERROR) -> Result:
    """Report what a field of `guard` found; "" for `allowNoClusters`, which is not given."""
    return Result(
        message=message,
        severity=severity,
        tags=tagged(rule=f"guard-{field or 'no-clusters'}"),
        **config.place(f"spec.guard.{field}" if field else "spec"),
    )
