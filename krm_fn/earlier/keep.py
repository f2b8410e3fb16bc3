"""Secrets and ConfigMaps of the user's own that Cluster API would delete along with the sets that this run replaces.

A ClusterResourceSet becomes an owner of everything that it applies, and garbage collection deletes an object with its last
owner. On real control planes (Cluster API v1.14.2) an object without another owner was gone in under 2 s, while a new set
became an owner after about 3 s.
"""

from __future__ import annotations

from krm_fn.krm.results import WARNING, Result, tagged
from krm_fn.surface import RESOURCE_SET_KIND
from krm_fn.tokens import FIELD, sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from krm_fn.earlier import Earlier
    from krm_fn.model import Config, Generated

    Reference = tuple[str, str]  # kind and name

_SHOWN = 3


def check(config: Config, before: Earlier, generated: Sequence[Generated]) -> list[Result]:
    """Warn of every such object, with the step that keeps it.

    Args:
        config: The config.
        before: Earlier output of this config.
        generated: Its new objects.
    """
    kept = {
        (one.kind, one.name): "spec.clusterResourceSet.extraResources" for one in config.resource_set.extra_resources
    }
    secret = sources.kept_secret(config.token)
    if secret:
        kept["Secret", secret] = FIELD
    if not kept:
        return []
    lost: dict[Reference, list[str]] = {}
    owners = _owners((one.key.namespace, one.key.name, one.resources) for one in before.sets)
    for (namespace, reference), new in _owners(_sets(generated)).items():
        old = owners.get((namespace, reference), set())
        if reference in kept and old and not old & new:
            lost.setdefault(reference, []).append(namespace)
    return [
        _result(config, reference, kept[reference], sorted(namespaces))
        for reference, namespaces in sorted(lost.items())
    ]


def _sets(generated: Sequence[Generated]) -> Iterator[tuple[str, str, Sequence[Reference]]]:
    for new in generated:
        if new.key.kind == RESOURCE_SET_KIND:
            references = [(one["kind"], one["name"]) for one in new.value["spec"]["resources"]]
            yield new.key.namespace, new.key.name, references


def _owners(sets: Iterable[tuple[str, str, Sequence[Reference]]]) -> dict[tuple[str, Reference], set[str]]:
    """Return the names of the sets that refer to an object, by its namespace and reference."""
    found: dict[tuple[str, Reference], set[str]] = {}
    for namespace, name, references in sets:
        for reference in references:
            found.setdefault((namespace, reference), set()).add(name)
    return found


def _result(config: Config, reference: Reference, field: str, namespaces: Sequence[str]) -> Result:
    kind, name = reference
    where = ", ".join(namespaces[:_SHOWN])
    more = f" and {len(namespaces) - _SHOWN} more" if len(namespaces) > _SHOWN else ""
    place = f" (namespace{'s' if len(namespaces) > 1 else ''} {where}{more})" if where else ""
    in_namespace = f" -n {namespaces[0]}" if namespaces[0] else ""
    return Result(
        message=(
            f"{kind} {name}{place} would be deleted with the ClusterResourceSets that own it, which this render replaces."
            " To keep it, apply this render without pruning; wait until"
            f" `kubectl get {kind.lower()} {name}{in_namespace} -o jsonpath='{{.metadata.ownerReferences[*].name}}'` lists a"
            " new set, in each namespace; then prune (docs/immutable-fields.md)"
        ),
        severity=WARNING,
        tags=tagged(rule="owners-replaced"),
        **config.place(field),
    )
