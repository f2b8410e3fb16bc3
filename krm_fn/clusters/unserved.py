"""Clusters that nothing can be decided about: with errors, twice in the input, or without the namespace that is needed.

One that no config can reach, however its errors are corrected, can't change the output. It is reported as a warning,
so that a template or a leftover somewhere in a repository stops no run.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, WARNING, Related, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.clusters.selection import Fleet
    from krm_fn.model import Cluster, Config

_SHOWN = 10
_UNREACHED = " (a warning only: no config of this run can reach this Cluster)"
_LEFT_OUT = " (left out: spec.guard.onInvalidCluster is Skip)"
_NOT_COUNTED = (
    " (not counted: spec.guard.onInvalidCluster is Skip; a shared selector can't leave it out, so Cluster API delivers to it"
    " once its labels match on the server)"
)


def review(configs: Sequence[Config], inventory: Inventory, fleet: Fleet) -> Iterator[Result]:
    """Report such Clusters.

    Args:
        configs: The configs of this run.
        inventory: What the input holds.
        fleet: Its readable Clusters.
    """
    unreached = 0
    for one in inventory.unreadable:
        reached = [
            config
            for config in configs
            if one.may_match(config.cluster_selector)
            and (one.namespace is None or not fleet.namespace_reason(config, one.namespace))
        ]
        severity, addition = ERROR, ""
        if not reached:
            unreached += 1
            severity, addition = WARNING, _UNREACHED
            if unreached > _SHOWN:
                continue
        elif all(config.guard.on_invalid_cluster == "Skip" for config in reached):
            shared = any(not config.per_cluster for config in reached)
            severity, addition = WARNING, _NOT_COUNTED if shared else _LEFT_OUT
        yield from (result.replace(severity=severity, message=result.message + addition) for result in one.results)
    if unreached > _SHOWN:
        message = f"{unreached - _SHOWN} more Clusters that no config of this run can reach have errors"
        yield Result(message=message, severity=WARNING, tags=tagged(rule="cluster"))
    for copies in inventory.duplicates:
        yield _duplicate(copies, reached=any(fleet.reaches(config, one) for config in configs for one in copies))
    for config in configs:
        if config.namespace_selector is not None:
            yield from (_no_namespace(config, one) for one in fleet.clusters if not one.namespace)


def _duplicate(copies: Sequence[Cluster], *, reached: bool) -> Result:
    times = "twice" if len(copies) == len(("first", "second")) else f"{len(copies)} times"
    more = f" ({_SHOWN} of its places are given)" if len(copies) > _SHOWN else ""
    first, *others = copies
    return Result(
        message=(
            f"Cluster {first.title} appears {times} in the input{more}: remove all but one, or, where they belong to"
            f" different overlays, build those with kustomize{'' if reached else _UNREACHED}"
        ),
        severity=ERROR if reached else WARNING,
        related=tuple(Related.at("again", one.place()) for one in others[: _SHOWN - 1]),
        tags=tagged(rule="duplicate-cluster"),
        **first.place(),
    )


def _no_namespace(config: Config, cluster: Cluster) -> Result:
    reached = config.cluster_selector.matches(cluster.live_labels)
    message = (
        f"Cluster {cluster.name} has no namespace, so spec.namespaceSelector of {config.owner} can't be applied;"
        f" give it metadata.namespace, or use no namespaceSelector{'' if reached else _UNREACHED}"
    )
    severity = ERROR if reached else WARNING
    return Result(
        message=message,
        severity=severity,
        related=(Related.at("namespaceSelector", config.place("spec.namespaceSelector")),),
        tags=tagged(rule="namespace-needed"),
        **cluster.place("metadata.namespace"),
    )
