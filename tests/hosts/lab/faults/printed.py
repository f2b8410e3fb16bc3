"""Where each command that `status` prints is run: for each reason with a command, the faults whose tests run it as printed.

`tests/unit/status/test_commands.py` holds this table against the code, so that no command comes without a situation.
"""

from __future__ import annotations

# A reason's code (of what is left over: the function that finds it), and the method of `Commands` that makes the command.
RUN_BY: dict[tuple[str, str], tuple[str, ...]] = {
    ("no-match", "label_cluster"): ("label-missing",),
    ("paused", "unpause"): ("paused",),
    ("namespace-terminating", "describe_namespace"): ("ends-first",),
    ("gate", "dump_manager"): ("gate-off",),
    ("not-reconciled", "dump_manager"): ("never-looked-at",),
    ("not-reconciled", "manager"): ("never-looked-at",),
    ("not-reconciled", "manager_log"): ("never-looked-at",),
    ("watch-filter", "label_sets"): ("watch-filter",),
    ("infrastructure", "describe"): ("not-provisioned",),
    ("control-plane", "describe"): ("not-initialized",),
    ("unreachable", "describe"): ("never-reachable", "went-away", "change-waits"),
    ("unreachable", "manager_log"): ("without-probe",),
    ("wrong-secret-type", "delete"): ("wrong-type",),
    ("not-applied", "manager_log"): ("immutable-field", "admission"),
    ("not-applied", "retry"): ("immutable-field", "admission"),
    ("outdated", "retry"): ("manager-down",),
    ("outdated", "manager"): ("manager-down",),
    ("outdated", "manager_log"): ("manager-down",),
    ("waiting", "retry"): ("refused-binding",),
    ("waiting", "manager"): ("refused-binding",),
    ("waiting", "manager_log"): ("refused-binding",),
    ("not-registered", "pods"): ("not-registered",),
    ("request-refused", "delete_request"): ("denied", "denied-of-many"),
    ("lost", "pods"): ("silent",),
    ("not-ready", "pods"): ("trouble",),
    ("not-all-registered", "lease"): ("one-missing",),
    ("earlier-names", "lease"): ("earlier-names",),
    ("_resource_sets", "delete_set"): ("hub-set",),
    ("_hub_maps", "delete"): ("hub-set",),
    ("_registration", "remove"): ("orphan", "rebuilt-long-ago", "on-its-way-out", "emptied"),
    ("_requests", "delete_request"): ("old-request",),
    ("no-clusters", "dump_clusters"): ("notes",),
    ("no-bindings", "dump_clusters"): ("notes",),
    ("no-payloads", "dump_payloads"): ("notes",),
    ("no-parent", "dump_parent"): ("notes",),
}
NOTES = "notes"  # not a fault: what is missing among dumps; `check_notes` of the matrix
