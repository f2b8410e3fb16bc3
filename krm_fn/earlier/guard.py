"""Guards against the commit that removes everything: how many Clusters there must be, and how many may go.

What is counted: Clusters, where the earlier tree holds Cluster objects; pairs of namespace and ClusterResourceSet, where
it does not (a tree of generated objects only, or kpt's own earlier output, whose Clusters are already gone).
"""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.krm.results import WARNING, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.model import Config

_SHOWN = 10


class Before(Record):
    """What an earlier tree covered.

    Attributes:
        unit: `clusters` or `pairs`.
        members: Titles of the Clusters or pairs, sorted.
        source: `--baseline` or `the earlier output in the input`.
    """

    unit: str
    members: tuple[str, ...]
    source: str


class Removal(Record):
    """What a render takes away."""

    before: int
    removed: tuple[str, ...]
    unit: str


def removal(before: Before, now: Sequence[str]) -> Removal:
    """Compare an earlier tree with what the config covers now, both as titles."""
    return Removal(before=len(before.members), removed=tuple(sorted(set(before.members) - set(now))), unit=before.unit)


def over_limit(config: Config, found: Removal) -> bool:
    """Tell whether more would go than `guard.maxRemovedClusters` allows; a share is of what was there before."""
    count = len(found.removed)
    if config.guard.max_removed_percent is not None:
        return count * 100 > config.guard.max_removed_percent * found.before
    return config.guard.max_removed is not None and count > config.guard.max_removed


def check_removed(config: Config, before: Before | None, now: Sequence[str]) -> list[Result]:
    """Apply `guard.maxRemovedClusters`; a limit that nothing was there to compare with is a warning."""
    limit = _limit(config)
    if not limit:
        return []
    if before is None:
        return [
            _result(
                config,
                f"guard.maxRemovedClusters ({limit}) was not evaluated: neither a --baseline nor the input holds earlier"
                f" output of {config.owner} to compare with",
                "maxRemovedClusters",
                WARNING,
            )
        ]
    found = removal(before, now)
    if not over_limit(config, found):
        return []
    what = "Clusters" if found.unit == "clusters" else "pairs of namespace and ClusterResourceSet"
    shown = ", ".join(found.removed[:_SHOWN])
    more = len(found.removed) - _SHOWN
    return [
        _result(
            config,
            f"{len(found.removed)} of {found.before} {what} would no longer be served by {config.owner}, more than"
            f" guard.maxRemovedClusters ({limit}) allows, against {before.source}: {shown}"
            f"{f' and {more} more' if more > 0 else ''}. If that is meant, raise spec.guard.maxRemovedClusters in the same"
            " commit",
            "maxRemovedClusters",
        )
    ]


def check_counts(config: Config, matched: int, total: int) -> list[Result]:
    """Apply `allowNoClusters` and `minClusters`.

    Args:
        config: The config.
        matched: How many Clusters it reaches.
        total: How many Clusters the input has.
    """
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
                _result(
                    config,
                    f"the input has no Cluster, but {' and '.join(needs)} of {config.owner} can't be decided without;"
                    " run the function as a transformer over the Clusters (a generator sees no resources)",
                    "",
                )
            )
    if config.guard.min_clusters is not None and matched < config.guard.min_clusters and total:
        results.append(
            _result(
                config,
                f"{config.owner} reaches {matched} of {total} Clusters, fewer than guard.minClusters"
                f" ({config.guard.min_clusters}); correct spec.clusterSelector or lower the guard",
                "minClusters",
            )
        )
    if matched == 0 and not results and not config.guard.allow_no_clusters and not config.namespaces:
        seen = f"none of the {total} Clusters in the input matches" if total else "the input has no Cluster for"
        results.append(
            _result(
                config,
                f"{seen} clusterSelector {config.cluster_selector} of {config.owner}; correct the selector, list"
                " spec.namespaces, or set spec.guard.allowNoClusters: true if that is meant",
                "allowNoClusters",
            )
        )
    return results


def _limit(config: Config) -> str:
    if config.guard.max_removed_percent is not None:
        return f"{config.guard.max_removed_percent}%"
    return "" if config.guard.max_removed is None else str(config.guard.max_removed)


def _result(config: Config, message: str, field: str, severity: str = "error") -> Result:
    return Result(
        message=message,
        severity=severity,
        field=f"spec.guard.{field}" if field else "spec",
        file_path=config.file_path,
        tags=tagged(rule=f"guard-{field or 'no-clusters'}"),
    )
