"""`mode: Check`: whether the ClusterResourceSets that an earlier step made still find what they refer to.

kustomize renames objects (namePrefix, nameSuffix, hashes), but not the names in `spec.resources` of a ClusterResourceSet,
and an outer layer may delete or patch a carrier. Cluster API skips what is missing and reports success, so nothing else
would show it.
"""

from __future__ import annotations

from krm_fn.clusters import resource_set
from krm_fn.krm.results import about
from krm_fn.kube.raw import mapping, text
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
    identity_map_of,
    registration_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from krm_fn.clusters.inventory import Owned
    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result

    Place = tuple[str, str, str]  # kind, namespace and name

_REMEDY = (
    "Cluster API skips what is missing and reports success. Run the function in the outermost layer, or have kustomize"
    " rename the references too (examples/kustomization/name-references.yaml)"
)


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
            present.add(("Secret", namespace, text(one.item.value(), "spec", "target", "name")))
    users = {("Secret", name) for name in kept}
    results: list[Result] = []
    for one in owned:
        if one.key.kind == RESOURCE_SET_KIND:
            results += _check_set(one, ours, present, users)
    return list(dict.fromkeys(results))


def _check_set(
    one: Owned, ours: Mapping[Place, Owned], present: set[Place], users: set[tuple[str, str]]
) -> Iterator[Result]:
    """Check what one set refers to: objects that we made, others that are in the input, and `users`, which may be absent."""
    namespace = one.key.namespace
    references = resource_set.read(one.item.value()).resources
    generated = _generated(references) - users
    for kind, name in references:
        carrier = ours.get((kind, namespace, name))
        if carrier is not None:
            reason = _damage(carrier)
            if reason:
                message = f"{kind} {name}, which {one.key.title} refers to, {reason}"
                yield about(carrier.item, message, rule="broken-carrier")
        elif (kind, namespace, name) not in present:
            renamed = [other for of, where, other in ours if (of, where) == (kind, namespace) and name in other]
            if renamed or (kind, name) in generated:
                found = f"; {kind} {renamed[0]} of the same namespace looks like it, renamed" if renamed else ""
                message = f"{one.key.title} refers to {kind} {name}, which is not in the input{found}. {_REMEDY}"
                yield about(one.item, message, rule="broken-reference", field="spec.resources")


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
    names = {last}
    for per_cluster in (False, True):
        names |= {
            registration_of(n, per_cluster=per_cluster),
            identity_map_of(n, own_set=False, per_cluster=per_cluster),
        }
    return {(kind, name) for kind, name in references if name in names}


def _damage(carrier: Owned) -> str:
    """Say what keeps Cluster API from applying a carrier of ours; empty if nothing."""
    value = carrier.item.value()
    wanted = {RBAC_KEY, DEPLOYMENT_KEY}
    if carrier.key.kind == "Secret":
        wanted = {REGISTRATION_KEY}
        if value.get("type") != RESOURCE_SET_TYPE:
            return f"is no longer of type {RESOURCE_SET_TYPE}, and Cluster API applies no other: remove what changes it"
    elif AGENT_NAMESPACE_ANNOTATION in carrier.item.annotations:
        wanted = {IDENTITY_KEY, DEPLOYER_TOKEN_KEY}
    missing = sorted(wanted - mapping(value, "data").keys())
    return f"has lost its {' and '.join(missing)}: remove what changes it" if missing else ""
