"""Where each command that `status` prints is run, and what it shows there.

For each reason with a command: the faults whose tests run it as printed, and for a command that looks something up the words
that the reader is sent there to see. `tests/unit/status/test_commands.py` holds this table against the code, so that no
command comes without a situation.
"""

from __future__ import annotations

import re

NOTES = "notes"  # not a fault: what is missing among dumps; `check_notes` of the matrix
_DONE = ""  # it changes something, or its test holds what it prints

# A reason's code (of what is left over: the function that finds it), and the method of `Commands` that makes the command.
RUN_BY: dict[tuple[str, str], dict[str, str]] = {
    ("no-match", "label_cluster"): {"label-missing": _DONE},
    ("paused", "unpause"): {"paused": _DONE},
    ("namespace-terminating", "describe_namespace"): {"ends-first": "failed calling webhook"},
    ("gate", "dump_manager"): {"gate-off": _DONE},
    ("not-reconciled", "dump_manager"): {"never-looked-at": _DONE},
    ("not-reconciled", "manager"): {"never-looked-at": "1/1"},
    ("not-reconciled", "manager_log"): {"never-looked-at": "never-looked-at-policy"},
    ("watch-filter", "label_sets"): {"watch-filter": _DONE},
    ("infrastructure", "describe"): {
        "not-provisioned": "LabCluster status.",
        "no-infrastructure-object": "LabCluster does not exist",
    },
    ("control-plane", "describe"): {"not-initialized": "Control plane not yet initialized"},
    ("unreachable", "describe"): {
        "never-reachable": "ProbeFailed",
        "went-away": "Remote connection probe failed",
        "change-waits": "Remote connection probe failed",
    },
    ("unreachable", "manager_log"): {"without-probe": "connection refused"},
    ("wrong-secret-type", "delete"): {"wrong-type": _DONE},
    ("not-applied", "manager_log"): {"immutable-field": "field is immutable", "admission": "admission-policy"},
    ("not-applied", "retry"): {"immutable-field": _DONE, "admission": _DONE},
    ("outdated", "retry"): {"manager-down": _DONE},
    ("outdated", "manager"): {"manager-down": "0/1"},
    ("outdated", "manager_log"): {"manager-down": "manager-down"},
    ("waiting", "retry"): {"refused-binding": _DONE},
    ("waiting", "manager"): {"refused-binding": "1/1"},
    ("waiting", "manager_log"): {"refused-binding": "refused-binding-policy"},
    ("not-registered", "pods"): {"not-registered": "pod/clusternet-agent-"},
    ("request-refused", "delete_request"): {"denied": _DONE, "denied-of-many": _DONE},
    ("lost", "pods"): {"silent": "pod/clusternet-agent-"},
    ("not-ready", "pods"): {"trouble": "pod/clusternet-agent-"},
    ("not-all-registered", "lease"): {"one-missing": _DONE},
    ("earlier-names", "lease"): {"earlier-names": _DONE},
    ("_resource_sets", "delete_set"): {"hub-set": _DONE},
    ("_hub_maps", "delete"): {"hub-set": _DONE},
    ("_registration", "remove"): dict.fromkeys(("orphan", "rebuilt-long-ago", "on-its-way-out", "emptied"), _DONE),
    ("_requests", "delete_request"): {"old-request": _DONE},
    ("no-clusters", "dump_clusters"): {NOTES: _DONE},
    ("no-bindings", "dump_clusters"): {NOTES: _DONE},
    ("no-payloads", "dump_payloads"): {NOTES: _DONE},
    ("no-parent", "dump_parent"): {NOTES: _DONE},
}

# The methods whose commands look something up, and how such a command is told from others.
READING = {
    "describe": re.compile(r" describe clusters\."),
    "describe_namespace": re.compile(r" describe namespace "),
    "manager": re.compile(r" get deployments\.apps .*[^l]$"),  # without -o yaml
    "manager_log": re.compile(r" logs deployment/"),
    "pods": re.compile(r" get pods,events$"),
}


def reading(command: str) -> str:
    """The method of `Commands` that made a command which looks something up; empty for any other."""
    return next((method for method, pattern in READING.items() if pattern.search(command)), "")
