"""Who is registered: from names on the parent cluster to Clusters on the management cluster, each with its evidence.

Only the workload cluster knows what ties a ManagedCluster to a Cluster (`spec.clusterId` is the UID of a Lease there). So a
name that a Cluster was given is proof; names that agents choose are counted, per namespace or by their prefix.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from itertools import accumulate

from krm_fn.base import Record
from krm_fn.status import report
from krm_fn.status.report import Pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from krm_fn.status.objects import Managed, Request
    from krm_fn.status.scene import Case, Scene

    # ManagedClusters by what they have in common: those that report, and those that are silent
    Reports = defaultdict[str, tuple[list[Managed], list[Managed]]]

# clusternet v0.18.1 `pkg/agent`: k8s.io/apimachinery `rand.String(5)`, an alphabet without vowels and look-alikes
_RANDOM = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\Z")
_NAMED = 2  # candidates that are named before "or N others"


class Group(Record):
    """Clusters whose registrations can only be counted, and what the parent has that can be theirs."""

    pool: Pool
    cases: Sequence[Case]
    silent: Sequence[Managed]
    asking: Sequence[Request]  # that led to no ManagedCluster

    def judge(self) -> None:
        """Judge the Clusters by their numbers."""
        pool, asking = self.pool, self.asking
        there = pool.clusters - pool.missing
        bare = there - min(pool.ready, pool.clusters)  # registered before agents told their namespace
        whose = "of this namespace" if pool.namespace else f"called {pool.prefix}-xxxxx"
        for case in self.cases:
            case.evidence = f"{there} of {pool.clusters} {whose} report{f' ({bare} by the prefix)' if bare else ''}"
            if pool.missing < pool.clusters:
                case.registered = report.COUNTED
                case.uncertain = bool(pool.missing)
            elif len(asking) >= pool.clusters and not any(one.result for one in asking):
                case.registered, case.requests = report.PENDING, asking[:1]
            elif len(self.silent) >= pool.clusters:
                case.registered, case.managed = report.NOT_READY, self.silent if pool.clusters == 1 else ()
            else:
                case.registered, case.requests = report.NO, [one for one in asking if one.result][:1]


class Judged(Record):
    """What is known about registrations, beside the verdict on each Cluster."""

    groups: tuple[Group, ...] = ()
    kept: tuple[Case, ...] = ()  # Clusters that keep an earlier name
    kept_names: frozenset[str] = frozenset()  # that report, and that one of these may have
    strangers: tuple[Managed, ...] = ()  # that no Cluster accounts for


def chosen_prefix(name: str) -> str:
    """Return the prefix of a name that an agent may have chosen; "" for any other name."""
    found = _RANDOM.search(name)
    return name[: found.start()] if found else ""


def judge(scene: Scene, cases: Sequence[Case]) -> Judged:
    """Find out for each Cluster whether it is registered, and how that is known: it is added to the cases."""
    for case in cases:
        case.registered, case.evidence = _by_name(case)
    if not scene.parent:
        return Judged()
    names = {case.name for case in cases if case.name}
    rest = [one for one in scene.managed if one.name not in names]
    kept = _given_before(scene, cases, rest)
    groups, spare = _count(scene, [case for case in cases if case.prefix and _open(case) and case not in kept], rest)
    named = {one.name for (one,), _ in kept.values()}
    spares = {namespace: _Spare(found) for namespace, found in spare.items()}
    for case in cases:
        several = spares.get(case.cluster.namespace) or spares.get("")
        if several and case.name and _open(case) and case not in kept:
            found, number = several.possible(case)
            if number:
                kept[case] = found, number
    named.update(name for several in spares.values() for name in several.names())
    for group in groups:
        group.judge()
    for case, before in kept.items():
        _keep(case, *before, uncertain=len(kept) > len(named))
    counted = {group.pool.prefix for group in groups}
    return Judged(
        groups=tuple(groups),
        kept=tuple(kept),
        kept_names=frozenset(named),
        strangers=tuple(
            one for one in rest if not (one.name in named or one.origin or chosen_prefix(one.name) in counted)
        ),
    )


def _keep(case: Case, before: Sequence[Managed], number: int, *, uncertain: bool) -> None:
    """Judge a Cluster that keeps an earlier name, of which there are so many and `before` has the first."""
    others = f" or {number - _NAMED} others" if number > _NAMED else ""
    case.registered = report.EARLIER
    case.evidence = f"registered earlier as {' or '.join(one.name for one in before)}{others}"
    case.known = before if number == 1 else ()
    case.uncertain = uncertain


def _by_name(case: Case) -> tuple[str, str]:  # noqa: PLR0911 - one per verdict
    """Return the verdict on a Cluster by the name that it was given, as far as that goes, and its evidence."""
    if not case.agents:
        return report.NO, "nothing selects it"
    if not case.scene.parent:
        return report.UNKNOWN, "the parent was not looked at"
    if not case.name:
        return (
            (report.UNKNOWN, "its agent chooses the name") if case.has_agent else (report.NO, "no agent is delivered")
        )
    if case.managed:
        evidence = f"registered (by name) as {case.managed[0].title}"
        if case.scene.alive(case.managed[0]):
            return report.YES, evidence
        if not _begins_anew(case):
            return report.NOT_READY, f"{evidence}, but does not report"
        known = {one.cluster_id for one in case.managed}
        case.requests = [one for one in case.requests if one.cluster_id not in known]
    if case.requests and not case.requests[0].result:
        return report.PENDING, f"its request {case.requests[0].name} is not answered"
    return report.NO, f"no ManagedCluster {'of its own ' if case.managed else ''}is called {case.name}"


def _begins_anew(case: Case) -> bool:
    """Return whether the cluster was rebuilt: it asks for itself, or is younger than the last sign of its earlier registration."""
    last = case.managed[0]
    known = {one.cluster_id for one in case.managed}
    newest = case.requests[0] if case.requests else None
    if newest is not None and newest.cluster_id not in known and (newest.created or 0) > (last.created or 0):
        return True
    since = _since(case)
    return since is not None and last.created is not None and max(last.created, last.last_seen or 0) < since


def _since(case: Case) -> int | None:
    """Return when a Cluster was made. One that was moved or restored is older than it says: its Binding came along."""
    recorded = (entry.time for found in (case.binding or {}).values() for entry in found.values())
    return min((time for time in (case.cluster.created, *recorded) if time is not None), default=None)


def _open(case: Case) -> bool:
    """Return whether an agent should have registered a Cluster, and the name that it has now does not tell."""
    return case.has_agent and case.registered in {report.NO, report.UNKNOWN} and not case.requests


class _Spare:
    """ManagedClusters that report and that no other Cluster needs, in the order in which they were made.

    Ten thousand Clusters may each have any of ten thousand such names, so no list is made for each.
    """

    def __init__(self, found: Sequence[Managed]) -> None:
        dated = [(one.created, one.name, one) for one in found if one.created is not None]
        dated.sort(key=lambda one: one[:2])
        self._dated = [one for _, _, one in dated]
        self._times = [time for time, _, _ in dated]
        self._undated = [one for one in found if one.created is None]
        self._ends = [0] * (len(dated) + 1)  # how many windows begin there, less those that end there
        self._asked = False

    def possible(self, case: Case) -> tuple[Sequence[Managed], int]:
        """Return those that may be a Cluster's own, the first of them and their number.

        They are no older than the Cluster, and no newer than the agent that has the Cluster's name.
        """
        since = _since(case)
        delivered = [one.time for one in case.deliveries if one.time is not None]
        low, high = 0, len(self._dated)
        if since is not None and delivered:
            low, high = bisect_left(self._times, since), bisect_right(self._times, max(delivered))
        high = max(low, high)
        self._ends[low] += 1
        self._ends[high] -= 1
        self._asked = True
        first = (*self._undated[:_NAMED], *self._dated[low : min(high, low + _NAMED)])[:_NAMED]
        return first, len(self._undated) + high - low

    def names(self) -> list[str]:
        """Return the names that were possible for any Cluster."""
        covered = zip(self._dated, accumulate(self._ends), strict=False)
        return [one.name for one in self._undated if self._asked] + [one.name for one, windows in covered if windows]


def _given_before(
    scene: Scene, cases: Sequence[Case], rest: Sequence[Managed]
) -> dict[Case, tuple[Sequence[Managed], int]]:
    """Find the Clusters that report under a name which they were given earlier: their own, or with the namespace."""
    odd = {one.name: one for one in rest if not one.origin and not chosen_prefix(one.name) and scene.alive(one)}
    asked = [case for case in cases if _open(case)]
    times = Counter(case.cluster.name for case in asked)
    found: dict[Case, tuple[Sequence[Managed], int]] = {}
    for case in asked:
        name = case.cluster.name
        known = odd.get(f"{case.cluster.namespace}-{name}") or (odd.get(name) if times[name] == 1 else None)
        if known is not None:
            found[case] = [known], 1
    return found


# --- names that agents choose ----------------------------------------------------------------------------------------


def _count(
    scene: Scene, cases: Sequence[Case], managed: Sequence[Managed]
) -> tuple[list[Group], Mapping[str, list[Managed]]]:
    """Group Clusters whose agents choose their names: per namespace, or per prefix where only that is known.

    Returns the ManagedClusters as well that report and that these Clusters don't need, by namespace ("" where unknown).
    """
    needed = Counter(case.cluster.namespace for case in cases)
    members: dict[tuple[str, str], list[Case]] = defaultdict(list)  # by prefix and namespace
    for case in cases:
        members[case.prefix, case.cluster.namespace].append(case)
    labelled: Reports = defaultdict(lambda: ([], []))
    chosen: Reports = defaultdict(lambda: ([], []))
    for one in managed:
        prefix = chosen_prefix(one.name)
        if one.origin or prefix:
            reports = labelled[one.origin] if one.origin else chosen[prefix]
            reports[not scene.alive(one)].append(one)
    registered = {one.cluster_id for one in scene.managed}
    unmet = [one for one in scene.requests if one.cluster_id not in registered]
    groups = []
    for prefix in sorted({prefix for prefix, _ in members}):
        namespaces = sorted(namespace for found, namespace in members if found == prefix)
        apart = [one for one in namespaces if any(labelled[one]) or not any(chosen[prefix])]
        together = [case for one in namespaces if one not in apart for case in members[prefix, one]]
        spare = max(0, len(chosen[prefix][0]) - len(together))
        parts = [("", together, chosen[prefix])] if together else []
        parts += [(one, members[prefix, one], _own(prefix, one, members, labelled[one])) for one in apart]
        for namespace, among, (ready, silent) in parts:
            lacking = max(0, len(among) - len(ready))
            taken = min(lacking, spare) if namespace else 0  # registered before agents told their namespace
            spare -= taken
            pool = Pool(
                prefix=prefix,
                namespace=namespace,
                clusters=len(among),
                managed=len(ready) + len(silent),
                ready=len(ready),
                missing=lacking - taken,
            )
            asking = [
                one
                for one in unmet
                if (one.origin == namespace if one.origin else chosen_prefix(one.cluster_name) == prefix)
            ]
            groups.append(Group(pool=pool, cases=among, silent=silent, asking=asking))
    spare_names = {one: ready for one, (ready, _) in labelled.items() if len(ready) > needed[one]}
    for prefix, (ready, _) in sorted(chosen.items()):
        wanted = (max(0, len(found) - len(labelled[one][0])) for (own, one), found in members.items() if own == prefix)
        if len(ready) > sum(wanted):
            spare_names[""] = spare_names.get("", []) + ready
    return groups, spare_names


def _own(
    prefix: str,
    namespace: str,
    members: Mapping[tuple[str, str], Sequence[Case]],
    found: tuple[list[Managed], list[Managed]],
) -> tuple[list[Managed], list[Managed]]:
    """Leave out what Clusters of the same namespace need whose agents choose names with another prefix, as another config says."""
    needed = {one: len(cases) for (one, where), cases in members.items() if where == namespace and one != prefix}
    ready = []
    for one in found[0]:
        other = chosen_prefix(one.name)
        if needed.get(other, 0) > 0:
            needed[other] -= 1
        else:
            ready.append(one)
    return ready, [one for one in found[1] if chosen_prefix(one.name) not in needed]
