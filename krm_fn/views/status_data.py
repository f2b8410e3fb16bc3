"""A status report as JSON-like data; the shape is public surface (docs/status.md)."""

from __future__ import annotations

from krm_fn.status.report import stamp
from krm_fn.surface import API_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.status.report import ClusterState, Reason, Report

KIND = "ClusternetStatus"


def as_data(report: Report) -> dict[str, Any]:
    """Return the whole report; keys are always there, unknown times are null."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
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
    return None if seconds is None else stamp(seconds)
