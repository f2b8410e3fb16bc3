"""A Plan and a status report as data for programs, in JSON and YAML of one shape, which is public (docs/plan.md, docs/status.md)."""

from __future__ import annotations

from krm_fn.surface import API_VERSION
from krm_fn.views import plan_shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.earlier.effects import Effect
    from krm_fn.krm.results import Result
    from krm_fn.model import ObjectKey
    from krm_fn.status.report import ClusterState, Reason, Report
    from krm_fn.views.plan_shown import Shown


def plan_data(view: Shown) -> dict[str, Any]:
    """Return a Plan; keys are always there, empty where there is nothing."""
    happens = view.happens
    found: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Plan",
        "summary": {
            "clusters": len({one.cluster.key for one in view.verdicts}),
            "registering": len({one.cluster.key for one in view.registered}),
            "hidden": view.hidden,
            "objects": len(view.generated),
            "errors": len(view.errors),
            "warnings": len(view.warnings),
        },
        "configs": [
            {
                "name": config.owner,
                "parentURL": config.parent_url,
                "agentImage": config.agent["image"],
                "agentVersion": str(config.agent.version),
                "identityMode": config.identity.mode,
                "tokenSource": config.token.kind,
            }
            for config in view.configs
        ],
        "clusters": [_verdict(one, happens.get(one.cluster.title, [])) for one in view.verdicts],
        "objects": [{**_key(new.key), "config": new.owner} for new in view.generated],
        "results": [_result(one) for one in view.results],
    }
    if view.comparison is not None:
        comparison = view.comparison
        found["comparison"] = {
            "added": [_key(key) for key in comparison.added],
            "changed": [_key(key) for key in comparison.changed],
            "removed": [_key(key) for key in comparison.removed],
            "unchanged": comparison.unchanged,
            "knowsClusters": comparison.knows_clusters,
            "effects": [_effect(one) for one in comparison.effects],
            "diffs": [
                {"objects": [_key(key) for key in change.keys], "diff": list(change.diff)}
                for change in comparison.changes
            ],
        }
    return found


def _result(one: Result) -> dict[str, Any]:
    """Return a result as hosts get it, and its line and column, for which their specification has no field."""
    found = one.as_data()
    if one.line is not None and one.file_path:
        found["file"] = {**found["file"], "line": one.line, "column": one.column}  # type: ignore[dict-item]
    return found


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "code": one.code,
        "message": f"{plan_shown.headline(one)}.",
        "cost": f"{cost}." if (cost := plan_shown.cost(one)) else "",
        "field": one.field,
        "before": one.before,
        "after": one.after,
        "objects": list(one.objects),
        "clusters": list(one.clusters),
    }


def _verdict(one: Verdict, happens: list[str]) -> dict[str, Any]:
    return {
        "namespace": one.cluster.namespace,
        "name": one.cluster.name,
        "config": one.config,
        "registers": one.matched,
        "code": one.code,
        "rule": one.rule,
        "clusterResourceSet": one.resource_set,
        "registrationName": one.registration_name,
        "registrationLabels": dict(one.registration_labels),
        "effects": happens,
        "file": one.cluster.origin["file_path"],
    }


def _key(key: ObjectKey) -> dict[str, str]:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


def status_data(report: Report) -> dict[str, Any]:
    """Return a whole report; keys are always there, unknown times are null."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusternetStatus",
        "summary": {
            "clusters": len(report.clusters),
            "ok": len(report.clusters) - len(report.failing),
            "failing": len(report.failing),
            "missing": report.missing,
            "parentSeen": report.parent,
        },
        "clusters": [_cluster(one) for one in report.clusters],
        "sharedNames": [
            {
                "prefix": one.prefix,
                "namespace": one.namespace,
                "clusters": one.clusters,
                "managedClusters": one.managed,
                "ready": one.ready,
                "missing": one.missing,
            }
            for one in report.pools
        ],
        "leftOver": [
            {
                "side": one.side,
                "kind": one.kind,
                "namespace": one.namespace,
                "name": one.name,
                "message": one.message,
                "commands": list(one.commands),
            }
            for one in report.orphans
        ],
        "notes": [_reason(one) for one in report.notes],
    }


def _cluster(one: ClusterState) -> dict[str, Any]:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "apiVersion": one.api_version,
        "phase": one.phase,
        "deleting": one.deleting,
        "ok": one.ok,
        "lacking": one.lacking,
        "selectedBy": list(one.resource_sets),
        "delivered": one.delivered,
        "registered": one.registered,
        "evidence": one.evidence,
        "registrationName": one.registration_name,
        "lastSeen": _time(one.last_seen),
        "resources": [
            {
                "clusterResourceSet": delivery.resource_set,
                "kind": delivery.kind,
                "name": delivery.name,
                "state": delivery.state,
                "lastApplied": _time(delivery.time),
                "hash": delivery.digest,
            }
            for delivery in one.deliveries
        ],
        "reasons": [_reason(reason) for reason in one.reasons],
    }


def _reason(one: Reason) -> dict[str, Any]:
    return {"code": one.code, "severity": one.severity, "message": one.message, "remedy": list(one.remedy)}


def _time(seconds: int | None) -> str | None:
    from krm_fn.status.report import stamp  # noqa: PLC0415 - a Plan has no times, and does not pay for this

    return None if seconds is None else stamp(seconds)
