"""Conflicts within one input: configs that reach the same Cluster, names that are taken, output of earlier steps of the pipeline.

kustomize renames objects (namePrefix, nameSuffix, hashes), but neither the labels by which a ClusterResourceSet finds its
Cluster nor the names in its `spec.resources`, and an outer layer may delete or patch a carrier. Cluster API skips what is
missing and reports success, so nothing else would show it.
"""

from __future__ import annotations

from krm_fn.base import full_name, late, some
from krm_fn.earlier import Coverage
from krm_fn.krm.results import WARNING, Related, Result, about
from krm_fn.kube.raw import mapping, text
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    DEPLOYER_TOKEN_KEY,
    DEPLOYMENT_KEY,
    EXTERNAL_SECRET_KIND,
    HUB_NAME,
    HUB_NAMESPACE,
    IDENTITY_KEY,
    OWNER_ANNOTATION,
    RBAC_KEY,
    REGISTRATION_KEY,
    RESOURCE_SET_KIND,
    RESOURCE_SET_TYPE,
    agent_of,
    identity_maps_of,
    registrations_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from krm_fn.clusters import Inventory, Owned, Part
    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.earlier import Output
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, ObjectKey

    Reached = tuple[Config, Sequence[Cluster]]
    Place = tuple[str, str, str]  # kind, namespace and name

_CARRIERS = ("Secret", "ConfigMap")
_HASH = late(r"-[a-z0-9]{10}\Z")  # what kustomize's generators append
_HASHED = "a ClusterResourceSet is not renamed with it: set generatorOptions.disableNameSuffixHash"
_KEEP = "keep one in each namespace with matching Clusters"
_SHOWN = 3
_SELECTOR = "spec.clusterSelector"
_DISCOVERY = "spec.hub.discoverySecret"
_NAME = "spec.clusterResourceSet.name"
_REMEDY = (
    "Cluster API skips what is missing and reports success. Run the function in the outermost layer, or have kustomize"
    " rename the references too (examples/kustomization/name-references.yaml)"
)


def check(parts: Sequence[Part], others: Sequence[Reached], output: Output, inventory: Inventory) -> Iterator[Result]:
    """Report what two configs would both do; a config in mode Check owns nothing, so it conflicts with nothing."""
    rendered = [part for part in parts if part.renders]
    reached: list[Reached] = [(part.config, part.matched) for part in rendered]
    if rendered:
        reached += others
    known = {config.owner for config, _ in reached}
    strangers = [one for one in output.main_sets if one.owner not in known]
    yield from shared_clusters(reached)
    yield from same_targets([(config, inventory.unseen(config)) for config, _ in reached])
    if strangers:
        yield from already_served(rendered, strangers)
        yield from stranded(strangers, {cluster.key for cluster in inventory.clusters})
    yield from name_clashes(rendered, inventory)


# --- configs and names -----------------------------------------------------------------------------------------------


def shared_clusters(reached: Sequence[Reached]) -> Iterator[Result]:
    """Report every pair of configs that reach one Cluster: two agents of one name would fight over it.

    Configs count that are rendered now, and others in the input.
    """
    first: dict[tuple[str, str], Config] = {}
    pairs: dict[tuple[str, str], tuple[Config, Config, list[Cluster]]] = {}
    for config, clusters in sorted(reached, key=lambda one: one[0].owner):
        for cluster in clusters:
            other = first.setdefault(cluster.key, config)
            if other is not config:
                pairs.setdefault((other.owner, config.owner), (other, config, []))[2].append(cluster)
    for _, (one, other, clusters) in sorted(pairs.items(), key=lambda pair: pair[0]):
        message = (
            f"ClusternetCAPIConfigs {one.owner} and {other.owner} both reach {_clusters(clusters)}; make their"
            " clusterSelectors (or namespaces) disjoint"
        )
        related = (
            Related.at(one.owner, one.place(_SELECTOR)),
            Related.at(f"Cluster {clusters[0].title}", clusters[0].place()),
        )
        yield about(other, message, rule="overlap", field=_SELECTOR, related=related)


def same_targets(targets: Sequence[tuple[Config, Sequence[str]]]) -> Iterator[Result]:
    """Report configs that serve one namespace with one selector: without Clusters to look at, that much is certain.

    Each config comes with the namespaces that it serves without a Cluster of the input there.
    """
    ordered = sorted(targets, key=lambda target: target[0].owner)
    for at, (one, namespaces) in enumerate(ordered):
        for other, others in ordered[at + 1 :] if namespaces else ():
            shared = sorted(set(namespaces) & set(others))
            if shared and one.cluster_selector == other.cluster_selector:
                message = (
                    f"ClusternetCAPIConfigs {one.owner} and {other.owner} both serve namespace {some(shared, _SHOWN)} with"
                    " the same clusterSelector; make their selectors (or namespaces) disjoint"
                )
                related = (Related.at(one.owner, one.place(_SELECTOR)),)
                yield about(other, message, rule="overlap", field=_SELECTOR, related=related)


def _clusters(clusters: Sequence[Cluster]) -> str:
    return f"Cluster{'s' if len(clusters) > 1 else ''} {some([cluster.title for cluster in clusters], _SHOWN)}"


def name_clashes(parts: Sequence[Part], inventory: Inventory) -> Iterator[Result]:
    """Report generated names that are taken: by another config, or by an object that is not ours."""
    configs = {part.config.owner: part.config for part in parts}
    owned = {one.key: one for one in inventory.owned}
    made: dict[ObjectKey, str] = {}
    both: dict[tuple[str, str], list[ObjectKey]] = {}
    theirs: dict[tuple[str, str], list[Owned]] = {}
    for new in (new for part in parts for new in part.generated):
        first, before, item = made.setdefault(new.key, new.owner), owned.get(new.key), inventory.occupied.get(new.key)
        if first != new.owner:
            both.setdefault((first, new.owner), []).append(new.key)
        if before is not None and before.owner != new.owner:
            theirs.setdefault((before.owner, new.owner), []).append(before)
        if item is not None:
            config = configs[new.owner]
            field, remedy = _NAME, f"Set another spec.clusterResourceSet.name in {config.owner}"
            if _for_discovery(new.key):
                field, remedy = _DISCOVERY, f"Remove {_DISCOVERY} from {config.owner}"
            message = (
                f"{new.key.title} is already in the input and was not generated by this function, which does not overwrite it."
                f" {remedy}, or remove that object"
            )
            related = (Related.at(config.owner, config.place(field)),)
            yield about(item, message, rule="name-clash", field="metadata.name", related=related)
    for (first, second), keys in both.items():
        field, remedy = _NAME, f"set another spec.clusterResourceSet.name in {second}"
        if all(map(_for_discovery, keys)):
            field, remedy = _DISCOVERY, f"only one config may set {_DISCOVERY}"
        shown = some([key.title for key in keys], _SHOWN)
        message = f"ClusternetCAPIConfigs {first} and {second} would both make {shown}; {remedy}"
        related = (Related.at(first, configs[first].place(field)),)
        yield about(configs[second], message, rule="name-clash", field=field, related=related)
    for (owner, mine), objects in theirs.items():
        titles = [one.key.title for one in objects]
        field, remedy = _NAME, f"Set another spec.clusterResourceSet.name in {mine}"
        if all(_for_discovery(one.key) for one in objects):
            field, remedy = _DISCOVERY, f"Only one config may set {_DISCOVERY}"
        message = (
            f"{some(titles, _SHOWN)} in the input {'was' if len(titles) == 1 else 'were'} made by ClusternetCAPIConfig"
            f" {owner}; {mine} can't take it over. {remedy}, or, if {owner} was"
            f" renamed to {mine}, change the annotation {OWNER_ANNOTATION} of its output or remove that output first"
        )
        related = (Related.at(titles[0], objects[0].item.place()),)
        yield about(configs[mine], message, rule="name-clash", field=field, related=related)


def _for_discovery(key: ObjectKey) -> bool:
    """Return whether an object is the hub's Secret, whose name is fixed."""
    return (key.kind, key.namespace, key.name) == ("Secret", HUB_NAMESPACE, HUB_NAME)


# --- output of earlier steps -----------------------------------------------------------------------------------------


def already_served(parts: Iterable[Part], strangers: Sequence[ResourceSet]) -> Iterator[Result]:
    """Report Clusters of this run that configs of an earlier step already serve; `strangers` are their main sets."""
    coverage = Coverage(strangers)
    for part in parts:
        found: dict[str, dict[tuple[str, str], Cluster]] = {}
        names: dict[str, set[str]] = {}
        for cluster in part.matched:
            for one in coverage.of(cluster):
                found.setdefault(one.owner, {})[cluster.key] = cluster
                names.setdefault(one.owner, set()).add(one.name)
        for owner, reached in sorted(found.items()):
            several = len(names[owner]) > 1  # with PerCluster, one for each Cluster
            message = (
                f"ClusternetCAPIConfig {part.config.owner} reaches {_clusters([*reached.values()])}, which"
                f" ClusterResourceSet{'s' if several else ''} {some(sorted(names[owner]), _SHOWN)} of ClusternetCAPIConfig"
                f" {owner} already serve{'' if several else 's'}; make their clusterSelectors disjoint, or remove that"
                " config's output"
            )
            yield about(part.config, message, rule="overlap", field=_SELECTOR)


def stranded(sets: Iterable[ResourceSet], clusters: set[tuple[str, str]]) -> Iterator[Result]:
    """Warn of PerCluster sets of an inner layer whose one Cluster is gone: a namePrefix came in between.

    So the function belongs in the outermost layer (docs/hosts/kustomize.md). Without Clusters in the input, this can't be known.
    """
    for one in sets:
        if clusters and one.cluster and (one.namespace, one.cluster) not in clusters:
            message = (
                f"{one.key.title}, made by ClusternetCAPIConfig {one.owner} in an earlier step, is for Cluster"
                f" {one.cluster}, which is not in the input; a namePrefix or nameSuffix after the function does this. Run it"
                " in the outermost layer"
            )
            yield Result(message=message, severity=WARNING, rule="stranded")


def broken_references(output: Output, items: Iterable[Item], kept: Iterable[str]) -> Iterator[Result]:
    """Report references of ClusterResourceSets that lead nowhere, and carriers that Cluster API would refuse: `mode: Check`.

    Objects that are neither ours nor in the input may be the user's; `kept` names Secrets that configs leave to the user.
    """
    ours = {(one.key.kind, one.key.namespace, one.key.name): one for one in output.owned}
    present = {(one.kind, one.namespace, one.name) for one in items if not one.group and one.kind in _CARRIERS}
    for (kind, namespace, _), external in ours.items():
        if kind == EXTERNAL_SECRET_KIND:
            present.add(("Secret", namespace, text(external.item.value(), "spec", "target", "name")))
    users = {("Secret", name) for name in kept}
    for one in output.all_sets:
        namespace, generated = one.namespace, _generated(one) - users
        for kind, name in one.resources:
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
                    place = ours[RESOURCE_SET_KIND, namespace, one.name].item
                    yield about(place, message, rule="broken-reference", field="spec.resources")


def _generated(one: ResourceSet) -> set[tuple[str, str]]:
    """Return the references that we always make an object for; the others may be the user's.

    The agent's ConfigMap is the last one, and its name begins with N, from which the names of the other carriers follow.
    """
    if not one.delivers_agent:
        return set(one.resources)
    last = one.resources[-1][1]
    n = last.removesuffix(agent_of("", one.cluster))
    names = (last, *registrations_of(n), *identity_maps_of(n))
    return {(kind, name) for kind, name in one.resources if name in names}


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


# --- resources that users keep ---------------------------------------------------------------------------------------


def extra_resources(config: Config, items: Sequence[Item], namespaces: Sequence[str]) -> Iterator[Result]:
    """Report extra resources that the input holds under another name, in another namespace, or of a wrong type.

    The user may keep an object anywhere, so one that is not in the input is no error; one that is there under nearly the
    right name most likely is. `namespaces` are those of the config's ClusterResourceSets.
    """
    for index, extra in enumerate(config.resource_set.extra_resources):
        kind, name = extra["kind"], extra["name"]
        found = {
            (item.namespace, item.name): item
            for item in items
            if item.kind == kind and not item.group and _is_near(item.name, name)
        }
        for namespace in namespaces:
            item = found.get((namespace, name))
            if item is not None and kind == "Secret" and item.value().get("type") != RESOURCE_SET_TYPE:
                message = (
                    f"Secret {full_name(namespace, name)} (spec.clusterResourceSet.extraResources) must be of type"
                    f" {RESOURCE_SET_TYPE}: a ClusterResourceSet applies no other"
                )
                yield about(item, message, rule="extra-resource", field="type")
        missing = [namespace for namespace in namespaces if (namespace, name) not in found]
        if found and missing:
            hashed = any(one != name for _, one in found)
            message = (
                f"{kind} {name} (spec.clusterResourceSet.extraResources) is not in the input"
                f"{f' in namespace {some(missing, _SHOWN)}' if missing[0] else ''}, but"
                f" {some([full_name(*key) for key in sorted(found)], _SHOWN)} is; {_HASHED if hashed else _KEEP}. Cluster API"
                " skips what is missing, and reports success"
            )
            field = f"spec.clusterResourceSet.extraResources[{index}]"
            yield about(config, message, rule="extra-resource", severity=WARNING, field=field)


def _is_near(name: str, wanted: str) -> bool:
    return name == wanted or (name.startswith(wanted) and bool(_HASH.match(name[len(wanted) :])))
