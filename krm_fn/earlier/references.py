"""`mode: Check`: whether the ClusterResourceSets that an earlier step made still find what they refer to.

kustomize renames objects (namePrefix, nameSuffix, hashes), but not the names in `spec.resources` of a ClusterResourceSet,
and an outer layer may delete or patch a carrier. Cluster API skips what is missing and reports success, so nothing else
would show it.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.krm.results import Result, tagged
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    DEPLOYER_TOKEN_KEY,
    DEPLOYMENT_KEY,
    EXTERNAL_SECRET_KIND,
    IDENTITY_KEY,
    RBAC_KEY,
    REGISTRATION_KEY,
    RESOURCE_SET_KIND,
    RESOURCE_SET_TYPE,
    agent_of,
    identity_of,
    registration_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from krm_fn.clusters.inventory import Owned
    from krm_fn.krm.items import Item

    Place = tuple[str, str, str]  # kind, namespace and name

_IDENTITY_KEYS = {IDENTITY_KEY, DEPLOYER_TOKEN_KEY}
_AGENT_KEYS = {RBAC_KEY, DEPLOYMENT_KEY}
_REMEDY = (
    "Cluster API skips what is missing and reports success. Run the function in the outermost layer, or have kustomize"
    " rename the references too (examples/kustomization/name-references.yaml)"
)


class _Carriers(Record):
    """What the input holds that a set could refer to.

    Attributes:
        present: Every Secret and ConfigMap, and what an ExternalSecret of ours makes.
        ours: Those of them that we made, by place.
        kept: Names of Secrets that the user keeps outside of the input.
    """

    present: frozenset[Place]
    ours: dict[Place, Owned]
    kept: frozenset[str]


def check(owned: Sequence[Owned], items: Iterable[Item], kept: Iterable[str]) -> list[Result]:
    """Report references that lead nowhere, and carriers that Cluster API would refuse.

    `kept` names the Secrets that configs of this run leave to the user.
    """
    ours = {(one.key.kind, one.key.namespace, one.key.name): one for one in owned}
    present = {
        (item.kind, item.namespace, item.name)
        for item in items
        if not item.group and item.kind in {"Secret", "ConfigMap"}
    }
    for (kind, namespace, _), one in ours.items():
        if kind == EXTERNAL_SECRET_KIND:
            target = one.item.value().get("spec", {}).get("target", {})
            present.add(("Secret", namespace, str(target.get("name"))))
    carriers = _Carriers(present=frozenset(present), ours=ours, kept=frozenset(kept))
    results: list[Result] = []
    for one in owned:
        if one.key.kind == RESOURCE_SET_KIND:
            results += _check_set(one, carriers)
    return list(dict.fromkeys(results))


def _check_set(resource_set: Owned, carriers: _Carriers) -> Iterator[Result]:
    namespace = resource_set.key.namespace
    references = _references(resource_set.item)
    generated = _generated(references) - {("Secret", name) for name in carriers.kept}
    for kind, name in references:
        carrier = carriers.ours.get((kind, namespace, name))
        if carrier is not None:
            reason = _damage(carrier)
            if reason:
                message = f"{kind} {name}, which {resource_set.key.title} refers to, {reason}"
                yield Result(message=message, tags=tagged(rule="broken-carrier"), **carrier.item.place())
            continue
        if (kind, namespace, name) in carriers.present:
            continue
        renamed = [
            one.key.name
            for one in carriers.ours.values()
            if one.key.kind == kind and one.key.namespace == namespace and name in one.key.name
        ]
        if renamed or (kind, name) in generated:
            found = f"; {kind} {renamed[0]} of the same namespace looks like it, renamed" if renamed else ""
            message = f"{resource_set.key.title} refers to {kind} {name}, which is not in the input{found}. {_REMEDY}"
            yield Result(
                message=message, tags=tagged(rule="broken-reference"), **resource_set.item.place("spec.resources")
            )


def _references(item: Item) -> list[tuple[str, str]]:
    spec = item.value().get("spec")
    resources = spec.get("resources") if isinstance(spec, dict) else None
    return [
        (str(one.get("kind")), str(one.get("name")))
        for one in (resources if isinstance(resources, list) else ())
        if isinstance(one, dict)
    ]


def _generated(references: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the references that we always make an object for; the others may be the user's.

    The agent's ConfigMap is the last one, and its name holds N, from which the names of the other carriers follow.
    """
    if len(references) == 1:
        return set(references)  # the identity set
    last = references[-1][1] if references else ""
    n, found, _ = last.partition(agent_of(""))
    if not found:
        return set()
    names = {
        f"{n}{suffix}" for suffix in (registration_of("", per_cluster=False), registration_of("", per_cluster=True))
    }
    names |= {identity_of(n), f"{n}.identity", last}
    return {(kind, name) for kind, name in references if name in names}


def _damage(carrier: Owned) -> str:
    """Say what keeps Cluster API from applying a carrier of ours; empty if nothing."""
    value = carrier.item.value()
    wanted = _AGENT_KEYS
    if carrier.key.kind == "Secret":
        wanted = {REGISTRATION_KEY}
        if value.get("type") != RESOURCE_SET_TYPE:
            return f"is no longer of type {RESOURCE_SET_TYPE}, and Cluster API applies no other: remove what changes it"
    elif AGENT_NAMESPACE_ANNOTATION in carrier.item.annotations:
        wanted = _IDENTITY_KEYS
    data = value.get("data")
    missing = sorted(wanted - set(data if isinstance(data, dict) else ()))
    return f"has lost its {' and '.join(missing)}: remove what changes it" if missing else ""
