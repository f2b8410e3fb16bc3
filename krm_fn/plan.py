"""The Plan: everything decided about one input, once, for every reader.

Pure: no I/O, no clock, no environment. The KRM function, `render`, `plan`, `manifests` and the guards all read the same
Plan, so nothing is decided twice. It joins the rooms below it; what came before it is `against`'s to compare.
"""

from __future__ import annotations

from krm_fn import management
from krm_fn.agent import payload
from krm_fn.agent.manifests import Registration
from krm_fn.base.digest import sha256_hex
from krm_fn.base.records import Record
from krm_fn.clusters import capi, selection
from krm_fn.clusters import naming as names
from krm_fn.earlier import guard, overlap, read
from krm_fn.krm.results import ERROR, INFO, WARNING, Faults, ResourceRef, Result, has_errors, tagged
from krm_fn.model import Verdict
from krm_fn.outputs import carriers, registration, resource_set
from krm_fn.surface import CLUSTER_NAME_LABEL, RESOURCE_SET_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.clusters.naming import Naming
    from krm_fn.clusters.selection import Selection
    from krm_fn.earlier.read import Earlier
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, Token

# capi#9843: 200 clusters with three sets each made the controller's memory grow beyond its limit.
MANY_SETS = 500

_KIND_ORDER = {"Secret": 0, "ExternalSecret": 1, "ConfigMap": 2, "ClusterResourceSet": 3}


class Request(Record):
    """What there is to plan for.

    Attributes:
        configs: The configs to render, with their tokens beside them in `tokens`.
        others: Further configs in the input; they count for overlaps and names only.
        items: The whole input, for the management cluster's own objects.
        inventory: What the input holds.
        baseline: What an earlier rendered tree holds; None where none was given.
    """

    configs: tuple[Config, ...]
    tokens: tuple[Token, ...]
    others: tuple[Config, ...]
    items: Sequence[Item]
    inventory: Inventory
    baseline: Inventory | None = None


class Plan(Record):
    """What is to be done and why.

    Attributes:
        generated: The objects to emit, ordered.
        labelled: Labels to set on the user's own items, by position.
        revised: New values of the user's own items, by position.
        verdicts: One for each config and Cluster, ordered by config, namespace and name.
        results: Everything to say, errors first. With an error in it nothing may be emitted.
    """

    generated: tuple[Generated, ...]
    labelled: Mapping[int, Mapping[str, str]]
    revised: Mapping[int, Mapping[str, Any]]
    verdicts: tuple[Verdict, ...]
    results: tuple[Result, ...]


class _Part:
    """One config on its way through the rooms."""

    def __init__(self, config: Config, token: Token, chosen: Selection) -> None:
        self.config = config
        self.token = token
        self.selection = chosen
        self.namings: dict[tuple[str, str], Naming] = {}
        self.skipped: dict[tuple[str, str], str] = {}
        self.generated: list[Generated] = []
        self.results: list[Result] = []

    @property
    def served(self) -> list[Cluster]:
        """The Clusters that it reaches and can serve."""
        return [cluster for cluster in self.selection.matched if cluster.key not in self.skipped]


def make(request: Request) -> Plan:
    """Decide everything about an input."""
    inventory = request.inventory
    parts = [
        _Part(config, token, selection.select(config, inventory.clusters, inventory.namespaces))
        for config, token in zip(request.configs, request.tokens, strict=True)
    ]
    earlier = read.read(tuple(one) for one in inventory.owned)
    baseline = None if request.baseline is None else read.read(tuple(one) for one in request.baseline.owned)
    results = [*_cluster_faults(request), *(result for part in parts for result in part.selection.faults)]
    others = [
        (other, selection.select(other, inventory.clusters, inventory.namespaces).matched)
        for other in request.others
        if other.mode != "Check"
    ]
    _name(parts, [one for one in (earlier, baseline) if one is not None])
    _refuse_names_of_others(parts, others, earlier)
    for part in parts:
        if not has_errors(results):  # a Cluster that can't be read might be the one that matches
            part.results += guard.check_counts(part.config, len(part.served), len(inventory.clusters))
        part.results += _selector_warnings(part, inventory)
        try:
            part.generated = list(_generate(part))
        except Faults as found:
            part.results += found.results
        part.results += _against(part, earlier, baseline, request)
        part.results += _counts(part)
    results += _overlaps(parts, request, others, earlier)
    revised: dict[int, Mapping[str, Any]] = {}
    for part in parts:
        review = management.review(request.items, part.config)
        results += part.results + list(review.results)
        results += [
            _edited_twice(request.items[position], part.config)
            for position, value in review.revised.items()
            if revised.setdefault(position, value) != value
        ]
    generated = [new for part in parts for new in part.generated]
    sets = sum(new.key.kind == RESOURCE_SET_KIND for new in generated)
    if sets > MANY_SETS:
        results.append(_many_sets(sets))
    return Plan(
        generated=tuple(sorted(generated, key=_output_order)),
        labelled={
            naming.cluster.item: {CLUSTER_NAME_LABEL: naming.cluster.name}
            for part in parts
            if part.config.mode != "Check"
            for naming in part.namings.values()
            if naming.needs_label and naming.cluster.key not in part.skipped
        },
        revised=revised,
        verdicts=tuple(verdict for part in parts for verdict in _verdicts(part)),
        results=tuple(ordered(results)),
    )


def ordered(results: Sequence[Result]) -> list[Result]:
    """Order results: errors, warnings, the rest, each in the order found; what is said twice is said once."""
    rank = {ERROR: 0, WARNING: 1}
    return sorted(dict.fromkeys(results), key=lambda one: rank.get(one.severity, 2))


def _output_order(new: Generated) -> tuple[str, int, str]:
    return (new.key.namespace, _KIND_ORDER[new.key.kind], new.key.name)


# --- names -----------------------------------------------------------------------------------------------------------


def _name(parts: Sequence[_Part], before: Sequence[Earlier]) -> None:
    """Give every Cluster of PerCluster configs its name; those that can't have one are faults, or left out."""
    for part in parts:
        if part.config.per_cluster:
            for cluster in part.selection.matched:
                naming = names.register(part.config, cluster)
                part.namings[cluster.key] = naming
                for reason in naming.faults:
                    _refuse(part, cluster, reason)
            for earlier in before:
                new = {key: naming.name for key, naming in part.namings.items()}
                for key, reason in read.renames(part.config, earlier.of(part.config.owner), new):
                    part.results.append(_cluster_result(part.namings[key].cluster, reason, ERROR))
    by_owner = {part.config.owner: part for part in parts}
    holders = {name: key for earlier in before for name, key in earlier.registration_names.items()}
    claims = [
        (part.config.owner, naming)
        for part in parts
        for key, naming in part.namings.items()
        if key not in part.skipped and not naming.faults
    ]
    for name, claimants in names.clashes(claims).items():
        titles = " and ".join(naming.cluster.title for _, naming in claimants)
        for owner, naming in claimants:
            part = by_owner[owner]
            if part.config.guard.on_invalid_cluster == "Skip" and holders.get(name) == naming.cluster.key:
                continue  # it registered under this name before the others came
            _refuse(
                part,
                naming.cluster,
                f"Clusters {titles} would all register as {name!r}; make the names differ, with {{namespace}} in"
                " spec.identity.nameTemplate for instance",
            )


def _refuse_names_of_others(
    parts: Sequence[_Part], others: Sequence[tuple[Config, Sequence[Cluster]]], earlier: Earlier
) -> None:
    """Refuse names under which Clusters of configs that are not rendered now register.

    Those configs are further ones in the input, or have left their output there in an earlier step of the pipeline.
    """
    rendered = {part.config.owner for part in parts}
    holders = {
        one.registration_name: ((one.key.namespace, one.cluster), one.owner)
        for one in earlier.sets
        if one.registration_name and one.owner not in rendered
    }
    for other, clusters in others:
        if other.per_cluster:
            holders |= {names.register(other, cluster).name: (cluster.key, other.owner) for cluster in clusters}
    for part in parts:
        for key, naming in part.namings.items():
            held = holders.get(naming.name)
            if held is None or held[0] == key or key in part.skipped or naming.faults:
                continue
            (namespace, name), owner = held
            title = f"{namespace}/{name}" if namespace else name
            _refuse(
                part,
                naming.cluster,
                f"Cluster {title} of ClusternetCAPIConfig {owner} registers as {naming.name!r} too; make the names differ,"
                " with {namespace} in spec.identity.nameTemplate for instance",
            )


def _refuse(part: _Part, cluster: Cluster, reason: str) -> None:
    """Report a Cluster that can't be served, or leave it out where the guard says so."""
    skip = part.config.guard.on_invalid_cluster == "Skip"
    if skip:
        part.skipped[cluster.key] = reason
        reason += " (left out: spec.guard.onInvalidCluster is Skip)"
    part.results.append(_cluster_result(cluster, reason, WARNING if skip else ERROR))


def _cluster_result(cluster: Cluster, reason: str, severity: str) -> Result:
    return Result(
        message=f"Cluster {cluster.title} can't be registered: {reason}",
        severity=severity,
        resource_ref=_ref(cluster),
        file_path=cluster.file_path,
        file_index=cluster.file_index,
        tags=tagged(rule="cluster"),
    )


def _ref(cluster: Cluster) -> ResourceRef:
    return ResourceRef(api_version=cluster.api_version, kind="Cluster", name=cluster.name, namespace=cluster.namespace)


def _cluster_faults(request: Request) -> list[Result]:
    """Return the faults of Clusters that could not be read; a warning where every config leaves such Clusters out."""
    skip = bool(request.configs) and all(one.guard.on_invalid_cluster == "Skip" for one in request.configs)
    return [
        one.replace(severity=WARNING, message=one.message + " (left out: spec.guard.onInvalidCluster is Skip)")
        if skip and ("rule", "duplicate-cluster") not in one.tags
        else one
        for one in request.inventory.faults
    ]


# --- objects ---------------------------------------------------------------------------------------------------------


def _generate(part: _Part) -> Iterator[Generated]:
    """Yield the objects of one config."""
    config, token = part.config, part.token
    by_namespace: dict[str, list[Cluster]] = {namespace: [] for namespace in config.namespaces}
    for cluster in part.served:
        by_namespace.setdefault(cluster.namespace, []).append(cluster)
    if config.hub.discovery_secret and token.secret is not None:
        yield _discovery_secret(config, token)
    if not by_namespace:
        return
    identity_values = payload.identity_values(config.agent)
    registration_values: dict[str, str] = {}
    if token.secret is not None:
        registration_values = payload.registration_values(config.agent, config.parent_url, token.secret.reveal())
    checksum = _checksum(config, registration_values)
    agent = payload.AgentPayload(config.agent)
    secret = registration.secret_name(config)
    for namespace, clusters in sorted(by_namespace.items()):
        version = resource_set.api_version(config, clusters)
        yield carriers.identity_map(config, namespace, identity_values)
        carrier = registration.carrier(config, namespace, registration_values)
        if carrier is not None:
            yield carrier
        identity_set = resource_set.identity_set(config, namespace, version)
        if identity_set is not None:
            yield identity_set
        if not config.per_cluster:
            shared = Registration(name_prefix=config.identity.name_prefix, labels=config.identity.labels)
            yield carriers.agent_map(config, namespace, agent.values(shared, checksum))
            yield resource_set.main_set(config, namespace, version, registration=secret)
            continue
        for cluster in clusters:
            naming = part.namings[cluster.key]
            values = agent.values(Registration(name=naming.name, labels=naming.labels), checksum)
            own = {"cluster": cluster.name, "registration_name": naming.name}
            yield carriers.agent_map(config, namespace, values, **own)
            yield resource_set.main_set(config, namespace, version, registration=secret, **own)


def _discovery_secret(config: Config, token: Token) -> Generated:
    from krm_fn.hub.discovery import discovery_secret as content  # noqa: PLC0415 - for those who keep hub discovery
    from krm_fn.outputs.discovery import discovery_secret  # noqa: PLC0415

    return discovery_secret(config, content(config, token))


def _checksum(config: Config, registration_values: Mapping[str, str]) -> str:
    """Return what makes pods roll when the registration changes.

    The agent reads URL and token from environment variables, which a running pod never sees change. A token that lives
    outside is not known here, so a change of it does not roll the pods (docs/tokens.md).
    """
    text = "".join(registration_values.values()) or f"{config.token.kind} {config.parent_url}"
    return sha256_hex(text.encode())[:32]


# --- checks that need more than one room -----------------------------------------------------------------------------


def _selector_warnings(part: _Part, inventory: Inventory) -> list[Result]:
    config = part.config
    return [
        Result(
            message=f"spec.clusterSelector of {config.owner} looks at {key}: {reason}",
            severity=WARNING,
            field="spec.clusterSelector",
            file_path=config.file_path,
            tags=tagged(rule="live-label"),
        )
        for key in config.cluster_selector.keys
        if (reason := capi.live_key_warning(key, inventory.clusters)) and inventory.clusters
    ]


def _against(part: _Part, earlier: Earlier, baseline: Earlier | None, request: Request) -> list[Result]:
    """Compare one config with what came before it, where there is anything to compare or to say about it."""
    config = part.config
    limited = config.guard.max_removed is not None or config.guard.max_removed_percent is not None
    if not (earlier.sets or baseline or limited or config.token.existing_secret):
        return []
    from krm_fn.earlier import check  # noqa: PLC0415 - a first run has nothing to compare with

    return check.check(
        check.Now(
            config=config,
            served=tuple(part.served),
            generated=tuple(part.generated),
            inventory=request.inventory,
            baseline=request.baseline,
        ),
        earlier,
        baseline,
    )


def _overlaps(
    parts: Sequence[_Part],
    request: Request,
    others: Sequence[tuple[Config, Sequence[Cluster]]],
    earlier: Earlier,
) -> list[Result]:
    """Report two hands on one thing; a config in mode Check owns nothing, so it is in nobody's way."""
    inventory = request.inventory
    rendered = [part for part in parts if part.config.mode != "Check"]
    reached: list[tuple[Config, Sequence[Cluster]]] = [(part.config, part.selection.matched) for part in rendered]
    if rendered:
        reached += others
    results = overlap.shared_clusters(reached)
    if not inventory.clusters:
        results += overlap.same_targets([config for config, _ in reached])
    known = {config.owner for config, _ in reached}
    strangers = [one for one in earlier.main_sets if one.owner not in known]
    coverage = read.Coverage(strangers)
    for part in rendered:
        results += overlap.foreign_sets(
            part.config,
            part.selection.matched,
            lambda cluster: ((one.owner, one.key.name) for one in coverage.of(cluster)),
        )
    owned = {one.key: one.owner for one in inventory.owned}
    generated = [new for part in rendered for new in part.generated]
    results += overlap.name_clashes(generated, owned, inventory.occupied)
    return results + overlap.stranded(
        [(one.key, one.owner) for one in earlier.main_sets if one.cluster and one.owner not in known],
        [(one.key.namespace, one.cluster) for one in earlier.main_sets if one.cluster and one.owner not in known],
        {cluster.key for cluster in inventory.clusters},
    )


def _edited_twice(item: Item, config: Config) -> Result:
    return Result(
        message=(
            f"{item.kind} {item.name} would be set up in another way by ClusternetCAPIConfig {config.owner} than by one"
            " before it; give both the same spec.hub.kubeconfigSecretRef, or only one of them"
        ),
        resource_ref=item.ref(),
        field="spec.hub.kubeconfigSecretRef",
        file_path=item.file_path,
        file_index=item.file_index,
        tags=tagged(rule="edited-twice"),
    )


def _many_sets(count: int) -> Result:
    return Result(
        message=(
            f"{count} ClusterResourceSets are a load for Cluster API's controllers (kubernetes-sigs/cluster-api#9843);"
            " give the manager more memory, or use identity.mode: Shared"
        ),
        severity=WARNING,
        tags=tagged(rule="many-resource-sets"),
    )


# --- what is said ----------------------------------------------------------------------------------------------------


def _counts(part: _Part) -> list[Result]:
    """Say how many Clusters register in each namespace."""
    config = part.config
    seen: dict[str, list[int]] = {namespace: [0, 0] for namespace in config.namespaces}
    for choice in part.selection.choices:
        count = seen.setdefault(choice.cluster.namespace, [0, 0])
        count[1] += 1
        count[0] += choice.matched and choice.cluster.key not in part.skipped
    results = [
        Result(
            message=(
                f"{config.owner}: {matched} of {total} Clusters register"
                + (f" in namespace {namespace}" if namespace else "")
            ),
            severity=INFO,
            tags=tagged(rule="count"),
        )
        for namespace, (matched, total) in sorted(seen.items())
    ]
    if config.identity.labels or config.identity.label_keys:
        results.append(
            Result(
                message=(
                    f"{config.owner}: labels and names reach Clusternet when a cluster first registers; later changes"
                    " have to be made on the ManagedCluster"
                ),
                severity=INFO,
                field="spec.identity",
                tags=tagged(rule="first-registration"),
            )
        )
    return results


def _verdicts(part: _Part) -> Iterator[Verdict]:
    """Yield what was decided about each Cluster."""
    config = part.config
    for choice in part.selection.choices:
        cluster = choice.cluster
        if not choice.matched:
            yield Verdict(cluster=cluster, config=config.owner, matched=False, code=choice.code, rule=choice.rule)
            continue
        skipped = part.skipped.get(cluster.key)
        if skipped is not None:
            yield Verdict(cluster=cluster, config=config.owner, matched=False, code="invalid", rule=skipped)
            continue
        naming = part.namings.get(cluster.key)
        yield Verdict(
            cluster=cluster,
            config=config.owner,
            matched=True,
            code=choice.code,
            rule=choice.rule,
            resource_set=config.set_of(cluster),
            registration_name=names.shared_name(config) if naming is None else naming.name,
            registration_labels=config.identity.labels if naming is None else naming.labels,
        )
