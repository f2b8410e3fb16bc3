"""Who is registered: from names on the parent cluster to Clusters on the management cluster, each with its evidence.

Only the workload cluster knows what ties a ManagedCluster to a Cluster (`spec.clusterId` is the UID of a Lease there). So a
name that a Cluster was given is proof; names that agents choose are counted, per namespace or by their prefix.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from krm_fn.base import Record, count, some
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import reasons_registration, report
from krm_fn.status.report import Pool, Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from krm_fn.status.objects import Managed, Request
    from krm_fn.status.scene import Case, Scene

# clusternet v0.18.1 `pkg/agent`: k8s.io/apimachinery `rand.String(5)`, an alphabet without vowels and look-alikes
_RANDOM = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\Z")
_UNTOLD = frozenset({report.NO, report.EARLIER, report.COUNTED})
_NAMED = 2  # candidates, and commands, that are shown before "or N others"


class Judged(Record):
    """Everything about registrations."""

    cases: tuple[Case, ...]  # each with its verdict
    pools: tuple[Pool, ...]
    notes: tuple[Reason, ...]  # what concerns no single Cluster
    strangers: tuple[Managed, ...]  # that no Cluster accounts for
    doubtful: frozenset[str]  # names of Clusters that may be registered under a name that nothing here tells


def chosen_prefix(name: str) -> str:
    """Return the prefix of a name that an agent may have chosen; "" for any other name."""
    found = _RANDOM.search(name)
    return name[: found.start()] if found else ""


def judge(scene: Scene, cases: Sequence[Case]) -> Judged:
    """Find out for each Cluster whether it is registered, and how that is known."""
    named = [_by_name(scene, case) for case in cases]
    if not scene.parent:
        return Judged(cases=tuple(named), pools=(), notes=(), strangers=(), doubtful=frozenset())
    names = {case.name for case in named if case.name}
    rest = [one for one in scene.managed if one.name not in names]
    before = _given_before(scene, named, rest)
    chosen = [one for one in rest if one.origin or chosen_prefix(one.name)]
    shared = _Shared(
        scene, [case for case in named if case.prefix and _open(case) and case.cluster.title not in before], chosen
    )
    surplus = shared.surplus()
    for case in named:
        title = case.cluster.title
        if case.name and _open(case) and title not in before:
            before[title] = surplus.get(case.cluster.namespace) or surplus.get("") or ()
    found = []
    for case in named:
        earlier = before.get(case.cluster.title)
        found.append(_earlier(case, earlier) if earlier else shared.verdict(case))
    kept = {one.name for managed in before.values() for one in managed}
    keeping = sum(1 for managed in before.values() if managed)
    notes = shared.notes()
    if keeping > len(kept):
        keepers = [case for case in named if before.get(case.cluster.title)]
        notes.append(_short_of_names(keeping, sorted(kept), _leases(scene, keepers)))
    counted = {pool.prefix for pool in shared.pools}
    strangers = [one for one in rest if not (one.name in kept or one.origin or chosen_prefix(one.name) in counted)]
    lost = (case.cluster.name for case in found if case.has_agent and case.registered in _UNTOLD)
    return Judged(
        cases=tuple(found),
        pools=tuple(shared.pools),
        notes=(*notes, *_others(scene, strangers)),
        strangers=tuple(strangers),
        doubtful=frozenset(lost),
    )


def _open(case: Case) -> bool:
    """Return whether an agent should have registered a Cluster, and the name that it has now does not tell."""
    return case.has_agent and case.registered in {report.NO, report.UNKNOWN} and not case.requests


def _given_before(scene: Scene, cases: Sequence[Case], rest: Sequence[Managed]) -> dict[str, Sequence[Managed]]:
    """Find the Clusters that report under a name which they were given earlier: their own, or with the namespace."""
    odd = {one.name: one for one in rest if not one.origin and not chosen_prefix(one.name) and scene.alive(one)}
    asked = [case.cluster for case in cases if _open(case)]
    times = Counter(one.name for one in asked)
    found: dict[str, Sequence[Managed]] = {}
    for one in asked:
        known = odd.get(f"{one.namespace}-{one.name}") or (odd.get(one.name) if times[one.name] == 1 else None)
        if known is not None:
            found[one.title] = [known]
    return found


def _earlier(case: Case, before: Sequence[Managed]) -> Case:
    said = " or ".join(one.name for one in before[:_NAMED])
    others = f" or {len(before) - _NAMED} others" if len(before) > _NAMED else ""
    seen = tuple(before) if len(before) == 1 else ()
    return case.replace(registered=report.EARLIER, evidence=f"registered earlier as {said}{others}", known=seen)


def _by_name(scene: Scene, case: Case) -> Case:
    """Judge a Cluster by the name that it was given, as far as that goes."""
    registered, evidence = report.NO, f"no ManagedCluster is called {case.name}"
    if not case.agents:
        evidence = "nothing selects it"
    elif not scene.parent:
        registered, evidence = report.UNKNOWN, "the parent was not looked at"
    elif not case.name and case.has_agent:
        registered, evidence = report.UNKNOWN, "its agent chooses the name"
    elif not case.name:
        evidence = "no agent is delivered"
    elif case.managed:
        alive = scene.alive(case.managed[0])
        registered = report.YES if alive else report.NOT_READY
        evidence = f"registered (by name) as {case.managed[0].title}{'' if alive else ', and does not report'}"
    elif case.requests and not case.requests[0].result:
        registered, evidence = report.PENDING, f"its request {case.requests[0].name} is not answered"
    return case.replace(registered=registered, evidence=evidence)


def doubts(case: Case, judged: Judged) -> Iterator[Reason]:
    """Say of one Cluster that it may be among those that are missing, and what tells whether it is."""
    pools = [one for one in judged.pools if one.prefix == case.prefix and one.namespace in {"", case.cluster.namespace}]
    if case.registered == report.COUNTED and any(one.missing for one in pools):
        yield Reason(
            code=report.SHORT,
            message=f"{case.evidence}: this one may be among those that are not registered",
            remedy=_leases(case.scene, [case]),
            severity=WARNING,
        )
    if case.registered == report.EARLIER and any(note.code == report.SHORT_OF_NAMES for note in judged.notes):
        yield Reason(
            code=report.SHORT_OF_NAMES,
            message=f"{case.evidence}, or not at all: fewer such names report than Clusters keep one",
            remedy=_leases(case.scene, [case]),
            severity=WARNING,
        )


def _leases(scene: Scene, cases: Sequence[Case]) -> tuple[str, ...]:
    """Return the step that tells a workload cluster's id, with the command for the first of them."""
    first = min(cases, key=lambda case: case.cluster.title)
    others = ", and likewise for the others" if len(cases) > 1 else ""
    return (
        f"compare spec.clusterId of the ManagedClusters with what this prints for {first.cluster.title}{others}",
        scene.commands.lease(first.cluster, scene.agent_namespace(first.agents[0])),
    )


def _short_of_names(keeping: int, names: Sequence[str], leases: tuple[str, ...]) -> Reason:
    return Reason(
        code=report.SHORT_OF_NAMES,
        message=f"{count(keeping, 'Cluster')} were given a name after their agents had chosen one, which they keep, and of such "
        f"names only {len(names)} report: {some(names)}; some of these Clusters may not be registered",
        remedy=leases,
        severity=WARNING,
    )


def _others(scene: Scene, strangers: Sequence[Managed]) -> list[Reason]:
    """Name the ManagedClusters that report and that no Cluster accounts for; they are alive, so not left over."""
    found = [one.title for one in strangers if scene.alive(one)]
    if not found or not scene.clusters:
        return []
    message = (
        f"{count(len(found), 'ManagedCluster')} of other names report to the parent: {some(found)}; they were registered by "
        "hand, from another management cluster, or under an earlier name, since a registration keeps its first name"
    )
    return [Reason(code="others", message=message, severity=INFO)]


class _Shared:
    """Clusters whose agents choose their names, and the ManagedClusters that can be theirs."""

    def __init__(self, scene: Scene, cases: Sequence[Case], rest: Sequence[Managed]) -> None:
        self.scene = scene
        self._cases: dict[tuple[str, str], list[Case]] = defaultdict(list)  # by prefix and namespace
        for case in cases:
            self._cases[case.prefix, case.cluster.namespace].append(case)
        self._labelled: dict[str, list[Managed]] = defaultdict(list)  # by namespace
        self._chosen: dict[str, list[Managed]] = defaultdict(list)  # by prefix
        for one in rest:
            (self._labelled[one.origin] if one.origin else self._chosen[chosen_prefix(one.name)]).append(one)
        self.pools: list[Pool] = []
        self._pool_of: dict[tuple[str, str], Pool] = {}
        self._count()

    def _count(self) -> None:
        """Make the pools: one per namespace, but one per prefix for what only the prefix tells."""
        registered_ids = {one.cluster_id for one in self.scene.managed}
        self._open = [one for one in self.scene.requests if one.cluster_id not in registered_ids]
        for prefix in sorted({prefix for prefix, _ in self._cases}):
            namespaces = sorted(namespace for found, namespace in self._cases if found == prefix)
            apart = [one for one in namespaces if self._labelled[one] or not self._chosen[prefix]]
            together = [one for one in namespaces if one not in apart]
            spare = len(self._alive(self._chosen[prefix]))
            if together:
                self._add(prefix, "", together, self._chosen[prefix])
                spare = max(0, spare - sum(len(self._cases[prefix, one]) for one in together))
            for namespace in apart:
                spare -= self._add(prefix, namespace, [namespace], self._labelled[namespace], spare)

    def _add(
        self, prefix: str, namespace: str, namespaces: Sequence[str], managed: Sequence[Managed], spare: int = 0
    ) -> int:
        """Add a pool; return how many it takes of the `spare` ones, of which only the prefix tells whose they are."""
        clusters, ready = sum(len(self._cases[prefix, one]) for one in namespaces), len(self._alive(managed))
        taken = min(max(0, clusters - ready), spare)
        pool = Pool(
            prefix=prefix,
            namespace=namespace,
            clusters=clusters,
            managed=len(managed),
            ready=ready,
            missing=max(0, clusters - ready) - taken,
        )
        self.pools.append(pool)
        self._pool_of.update({(prefix, one): pool for one in namespaces})
        return taken

    def surplus(self) -> dict[str, list[Managed]]:
        """Return the ManagedClusters that report and that these Clusters don't need, by namespace ("" where unknown)."""
        found: dict[str, list[Managed]] = {}
        for namespace, managed in self._labelled.items():
            alive = self._alive(managed)
            needed = sum(len(cases) for (_, one), cases in self._cases.items() if one == namespace)
            if len(alive) > needed:
                found[namespace] = alive
        for prefix, managed in sorted(self._chosen.items()):
            alive = self._alive(managed)
            needed = sum(
                max(0, len(cases) - len(self._alive(self._labelled[namespace])))
                for (one, namespace), cases in self._cases.items()
                if one == prefix
            )
            if len(alive) > needed:
                found.setdefault("", []).extend(alive)
        return found

    def verdict(self, case: Case) -> Case:
        """Judge a Cluster by the numbers of its namespace or prefix."""
        pool = self._pool_of.get((case.prefix, case.cluster.namespace))
        if pool is None or not case.has_agent:
            return case
        there = pool.clusters - pool.missing
        bare = there - min(pool.ready, pool.clusters)  # registered before agents told their namespace
        evidence = f"{there} of {pool.clusters} {_whose(pool)} report{f' ({bare} by the prefix)' if bare else ''}"
        if pool.missing < pool.clusters:
            return case.replace(registered=report.COUNTED, evidence=evidence)
        waiting = self._asking(pool)
        if waiting and len(waiting) >= pool.clusters and not any(one.result for one in waiting):
            return case.replace(registered=report.PENDING, evidence=evidence, requests=tuple(waiting[:1]))
        silent = self._silent(pool)
        if len(silent) >= pool.clusters:
            mine = tuple(silent) if pool.clusters == 1 else ()
            return case.replace(registered=report.NOT_READY, evidence=evidence, managed=mine)
        refused = tuple(one for one in waiting if one.result)[:1]
        return case.replace(registered=report.NO, evidence=evidence, requests=refused)

    def notes(self) -> list[Reason]:
        """Report where Clusters are missing, and what the parent has instead of them."""
        found = []
        for pool in self.pools:
            if not pool.missing or pool.clusters == 1:  # what is missing of one Cluster is said there
                continue
            found += [reasons_registration.unanswered(self.scene, one) for one in self._asking(pool)]
            silent = [f"{one.title} ({self.scene.heard(one)})" for one in self._silent(pool)]
            found += [_silence(pool, silent)] if silent else []
            cases = [case for key, one in self._pool_of.items() if one is pool for case in self._cases[key]]
            found.append(_missing(pool, _leases(self.scene, cases)))
        return found

    def _alive(self, managed: Iterable[Managed]) -> list[Managed]:
        return [one for one in managed if self.scene.alive(one)]

    def _silent(self, pool: Pool) -> list[Managed]:
        known = self._labelled[pool.namespace] if pool.namespace else self._chosen[pool.prefix]
        return [one for one in known if not self.scene.alive(one)]

    def _asking(self, pool: Pool) -> list[Request]:
        """Return the requests that led to no ManagedCluster and can be of a pool's Clusters."""
        return [
            one
            for one in self._open
            if (one.origin == pool.namespace if one.origin else chosen_prefix(one.cluster_name) == pool.prefix)
        ]


def _whose(pool: Pool) -> str:
    return "of this namespace" if pool.namespace else f"called {pool.prefix}-xxxxx"


def _silence(pool: Pool, silent: Sequence[str]) -> Reason:
    place = f"of namespace {pool.namespace}" if pool.namespace else f"called {pool.prefix}-xxxxx"
    return Reason(
        code="lost",
        message=f"{count(len(silent), 'ManagedCluster')} {place} stopped reporting: {some(silent)}",
        remedy=("look at the agents",),
        severity=ERROR,
    )


def _missing(pool: Pool, leases: tuple[str, ...]) -> Reason:
    """Say how many Clusters of a pool can't be registered, whichever they are."""
    place = f"in namespace {pool.namespace}" if pool.namespace else f"that register as {pool.prefix}-xxxxx"
    return Reason(
        code=report.SHORT,
        message=f"{pool.missing} of the {count(pool.clusters, 'Cluster')} with an agent {place} "
        f"{'is' if pool.missing == 1 else 'are'} not registered: only {pool.ready} report; which is which only the workload "
        "clusters know, since agents choose the name (identity.mode Shared)",
        remedy=(
            *leases,
            "with identity.mode PerCluster every Cluster has a name of its own",
        ),
    )
