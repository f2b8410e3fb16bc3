"""Under which name and labels Clusters register; with PerCluster legal, unique over the fleet, and stable.

The agent accepts 60 characters, the ManagedCluster CRD 30 (clusternet v0.18.1, `pkg/agent/options` and
`manifests/crds`); the stricter one counts. Name and labels reach Clusternet at the first registration only.
"""

from __future__ import annotations

from krm_fn.base import full_name, sha256_hex, some
from krm_fn.clusters import Naming
from krm_fn.krm.results import ERROR, WARNING, Related, about
from krm_fn.kube.labels import dns_label_error, label_value_error
from krm_fn.surface import CLUSTER_NAME_LABEL, NAMESPACE_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Part
    from krm_fn.krm.results import Result
    from krm_fn.model import Cluster, Config

    ClusterKey = tuple[str, str]  # namespace and name

MAX_NAME = 30
DEFAULT_PREFIX = "clusternet-cluster"  # the agent's own, v0.12 to v0.18
LEFT_OUT = "left out: spec.guard.onInvalidCluster is Skip"
_LABEL = f"metadata.labels.{CLUSTER_NAME_LABEL}"
_PLACES = 3  # of Clusters that share a name, in one message
_HASH = 8  # 32 bits: with 10,000 shortened names that also share their first 21 characters, 1 % for any clash


def shared_labels(config: Config, namespace: str) -> Mapping[str, str]:
    """Return the labels under which the Clusters of a namespace register with `mode: Shared`.

    Agents that choose their names themselves can't be told apart otherwise; with the namespace `status` can count them.
    """
    return {**config.identity.labels, **({NAMESPACE_LABEL: namespace} if namespace else {})}


def shared_name(config: Config) -> str:
    """Return the shape of the names that agents choose with `mode: Shared`: a prefix and five random characters."""
    return f"{config.identity.name_prefix or DEFAULT_PREFIX}-xxxxx"


# --- PerCluster ------------------------------------------------------------------------------------------------------


def assign(parts: Sequence[Part], held: Mapping[str, ClusterKey], taken: Mapping[str, tuple[ClusterKey, str]]) -> None:
    """Give every Cluster of PerCluster configs its name; report or leave out those that can't have one.

    Args:
        parts: The configs; `namings`, `skipped` and `results` are filled in.
        held: The Cluster that earlier output registered under each name: it keeps the name before others.
        taken: Clusters that configs outside this run register, by name, each with that config's owner id.
    """
    per_cluster = [part for part in parts if part.config.per_cluster]
    claims: dict[str, list[tuple[ClusterKey, Part]]] = {}
    for part in per_cluster:
        for cluster in part.matched:
            naming = part.namings[cluster.key] = register(part.config, cluster)
            for reason, field in naming.errors:
                _refuse(part, cluster, reason, field)
            if not naming.errors:
                claims.setdefault(naming.name, []).append((cluster.key, part))
    for name, claimants in sorted(claims.items()):
        if len({key for key, _ in claimants}) > 1:
            _refuse_clash(name, sorted(claimants, key=lambda one: (one[0], one[1].config.owner)), held.get(name))
    for part in per_cluster:
        for key, naming in part.namings.items():
            holder = taken.get(naming.name)
            if holder is not None and holder[0] != key and key not in part.skipped and not naming.errors:
                _refuse(
                    part,
                    naming.cluster,
                    f"Cluster {full_name(*holder[0])} of ClusternetCAPIConfig {holder[1]} registers as {naming.name!r} too; make"
                    " the names differ, for example with {namespace} in spec.identity.nameTemplate",
                )


def _refuse_clash(name: str, claimants: Sequence[tuple[ClusterKey, Part]], holder: ClusterKey | None) -> None:
    """Refuse a name that several Clusters would have, in one result.

    Where all their configs leave such Clusters out, the one that registered under the name before the others keeps it.
    """
    skip = all(part.config.guard.skips for _, part in claimants)
    for key, part in claimants if skip else ():
        if key != holder:
            part.skipped[key] = f"{len(claimants)} Clusters would all register as {name!r}"
    left = f"; {'all but ' + full_name(*holder) if holder else 'all'} are {LEFT_OUT}" if skip else ""
    first, part = claimants[0]
    titles = some([full_name(*key) for key, _ in claimants])
    message = (
        f"Clusters {titles} would all register as {name!r}; make the names differ, for example with {{namespace}} in"
        f" spec.identity.nameTemplate{left}"
    )
    others = [one.namings[key].cluster for key, one in claimants[1:]]
    severity = WARNING if skip else ERROR
    related = tuple(Related.at(one.title, one.place("metadata.name")) for one in others[:_PLACES])
    cluster = part.namings[first].cluster
    part.results.append(
        about(cluster, message, rule="cluster", severity=severity, field="metadata.name", related=related)
    )


def _refuse(part: Part, cluster: Cluster, reason: str, field: str = "") -> None:
    """Report a Cluster that can't be served, or leave it out where the guard says so."""
    skip = part.config.guard.skips
    if skip:
        part.skipped[cluster.key] = reason
        reason += f" ({LEFT_OUT})"
    part.results.append(refusal(cluster, reason, WARNING if skip else ERROR, field))


def refusal(cluster: Cluster, reason: str, severity: str = ERROR, field: str = "") -> Result:
    """Report that a Cluster can't be registered."""
    message = f"Cluster {cluster.title} can't be registered: {reason}"
    fix: dict[str, Any] = {}
    if field == _LABEL:
        wrong = cluster.live_labels.get(CLUSTER_NAME_LABEL)
        fix = {"fix": f'{CLUSTER_NAME_LABEL}: "{cluster.name}"', "current": wrong, "proposed": cluster.name}
    return about(cluster, message, rule="cluster", severity=severity, field=field, **fix)


def register(config: Config, cluster: Cluster) -> Naming:
    """Give one Cluster its name and labels under a config with `mode: PerCluster`."""
    name = _name(config, cluster)
    errors = tuple(_errors(config, cluster, name))
    return Naming(cluster=cluster, name=name, labels=_labels(config, cluster), errors=errors)


def _labels(config: Config, cluster: Cluster) -> dict[str, str]:
    """Return the labels of the future ManagedCluster: static ones, overridden by those of the Cluster.

    Both are legal: `config` and `capi.read` refuse others.
    """
    copied = {key: cluster.live_labels[key] for key in config.identity.label_keys if key in cluster.live_labels}
    return dict(sorted({**config.identity.labels, **copied}.items()))


def _errors(config: Config, cluster: Cluster, name: str) -> Iterator[tuple[str, str]]:
    """Say why a Cluster can't register under a name, or be found by its own name as a label; each with its field, if any."""
    if reason := dns_label_error(name, MAX_NAME):
        yield f"its registration name {name!r} (from {config.identity.name_template!r}) {reason}", ""
    if "{namespace}" in config.identity.name_template and not cluster.namespace:
        yield "it has no namespace, which spec.identity.nameTemplate uses; give it metadata.namespace", ""
    found = cluster.live_labels.get(CLUSTER_NAME_LABEL)
    if found == cluster.name:
        return
    if found is not None:
        reason = f"its label {CLUSTER_NAME_LABEL} is {found!r}, but its name is {cluster.name!r}; correct or remove the label"
        yield reason, _LABEL
    elif cluster.local:
        reason = (
            f"it is local-config and lacks the label by which its ClusterResourceSet finds it; add"
            f" '{CLUSTER_NAME_LABEL}: {cluster.name}' to metadata.labels where it is deployed from, and here"
        )
        yield reason, ""
    else:
        if reason := label_value_error(cluster.name):
            yield f"its name can't be the value of label {CLUSTER_NAME_LABEL}: it {reason}", ""
        if not config.cluster_selector.matches({**cluster.live_labels, CLUSTER_NAME_LABEL: cluster.name}):
            reason = (
                f"PerCluster gives it the label {CLUSTER_NAME_LABEL}, with which spec.clusterSelector no longer matches it;"
                " select by another label"
            )
            yield reason, ""


def _name(config: Config, cluster: Cluster) -> str:
    """Fill the template; too long a name keeps its beginning and ends in a hash of the Cluster's full name.

    The hash covers namespace and name alone, so the result does not change when other Clusters come or go.
    """
    name = config.identity.name_template.replace("{namespace}", cluster.namespace).replace("{name}", cluster.name)
    if len(name) <= MAX_NAME:
        return name
    digest = sha256_hex(f"{cluster.namespace}/{cluster.name}/{name}".encode())[:_HASH]
    return name[: MAX_NAME - _HASH - 1].rstrip("-.") + "-" + digest
