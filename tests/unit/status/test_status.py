from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from krm_fn import status
from krm_fn.status import dump, report
from krm_fn.status.commands import Commands
from krm_fn.views import status_text
from krm_fn.views.data import status_data
from tests.support import live
from tests.support.live import Fleet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Config
    from krm_fn.status.report import ClusterState, Report

NOW = 1795428000  # 2026-11-23T10:00:00Z
# the last one does not exist: a version needs nothing here as long as its status has the shape of v1beta2's
VERSIONS = pytest.mark.parametrize("version", [live.V1BETA1, live.V1BETA2, "v1beta3"])


def evaluate(*objects: live.Object, **asked: Any) -> Report:
    found = dump.read([("dump", json.dumps(live.listed(*objects)).encode())])
    return status.evaluate(found, NOW, **asked)


def one(found: Report, title: str = "team-a/web-1") -> ClusterState:
    return next(cluster for cluster in found.clusters if cluster.title == title)


def codes(cluster: ClusterState) -> list[str]:
    return [reason.code for reason in cluster.reasons]


def said(cluster: ClusterState, code: str) -> str:
    return next(reason.message for reason in cluster.reasons if reason.code == code)


def set_condition(fleet: Fleet, name: str, reason: str) -> None:
    """Let the controller say why a set is not applied."""
    (at,) = [position for position, found in enumerate(fleet.sets) if found["metadata"]["name"] == name]
    bare = {key: value for key, value in fleet.sets[at].items() if key != "status"}
    fleet.sets[at] = live.live_set(bare, reason=reason, message="Please check controller logs for errors")


# --- all is well -------------------------------------------------------------------------------------------------


@VERSIONS
def test_a_registered_fleet_is_ok(version: str) -> None:
    found = evaluate(*Fleet(version=version).everything)
    assert found.ok
    assert [(each.delivered, each.registered, each.reasons) for each in found.clusters] == [("yes", "yes", ())] * 2
    assert found.orphans == ()
    assert found.notes == ()


def test_every_resource_is_listed_with_its_set_and_time() -> None:
    cluster = one(evaluate(*Fleet().everything))
    assert [(each.resource_set, each.kind, each.name, each.state) for each in cluster.deliveries] == [
        ("clusternet-identity", "ConfigMap", "clusternet-identity", "applied"),
        ("clusternet.web-1", "Secret", "clusternet.registration", "applied"),
        ("clusternet.web-1", "ConfigMap", "clusternet-agent.web-1", "applied"),
    ]
    assert {each.time for each in cluster.deliveries} == {1795162561}


def test_the_name_comes_from_the_agents_flag_where_the_annotation_is_gone() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ClusterResourceSet", "clusternet.web-1")["metadata"]["annotations"].pop(
        "fn.clusternet.io/registration-name"
    )
    assert one(evaluate(*fleet.everything)).registration_name == "web-1"


def test_an_apply_once_config_keeps_everything_in_one_set() -> None:
    fleet = Fleet(names=("web-1",), found=live.config(mode="Shared", strategy="ApplyOnce"))
    cluster = one(evaluate(*fleet.everything))
    assert cluster.delivered == "yes"
    assert cluster.resource_sets == ("clusternet",)


@pytest.mark.parametrize("strategy", ["Reconcile", "ApplyOnce"])
@pytest.mark.parametrize("mode", ["Shared", "PerCluster"])
def test_commands_look_for_the_agent_in_its_own_namespace(mode: str, strategy: str) -> None:
    found = live.config(mode=mode, strategy=strategy)
    agent = found.agent.replace(fields={**found.agent.fields, "namespace": "edge-system"})
    fleet = Fleet(names=("web-1",), found=found.replace(agent=agent))
    (reason,) = one(evaluate(*fleet.management, *fleet.payloads, parent=True)).reasons
    assert reason.code == "not-registered"
    assert "-n edge-system get pods" in reason.remedy[-1]


def test_the_order_of_the_input_does_not_matter() -> None:
    objects = Fleet().everything
    assert evaluate(*objects) == evaluate(*objects[::-1])


def test_without_the_parent_registration_is_unknown_and_no_error() -> None:
    found = evaluate(*Fleet().management, *Fleet().payloads)
    assert {each.registered for each in found.clusters} == {"unknown"}
    assert found.ok
    assert [note.code for note in found.notes] == ["no-parent"]


def test_with_an_empty_parent_nothing_is_registered() -> None:
    found = evaluate(*Fleet().management, *Fleet().payloads, parent=True)
    assert {each.registered for each in found.clusters} == {"no"}
    assert codes(found.clusters[0]) == ["not-registered"]
    assert not found.ok


def test_an_empty_list_among_the_dumps_is_asked_about() -> None:
    inputs = [("a", live.as_json(*Fleet().management)), ("b", live.as_json())]
    found = status.evaluate(dump.read(inputs), NOW)
    assert "add --parent" in next(note.message for note in found.notes if note.code == "no-parent")


def test_without_our_secrets_that_is_said_and_bindings_count() -> None:
    found = evaluate(*Fleet().management, *Fleet().parent)
    assert [note.code for note in found.notes] == ["no-payloads"]
    assert found.ok


def test_a_dump_without_bindings_says_that_it_may_be_incomplete() -> None:
    kept = [each for each in Fleet().everything if each["kind"] != "ClusterResourceSetBinding"]
    found = evaluate(*kept)
    assert [(note.code, note.severity) for note in found.notes] == [("no-bindings", "info")]
    assert codes(one(found)) == ["waiting"]


def test_bindings_without_any_set_tell_that_the_server_took_sets() -> None:
    kept = [each for each in Fleet().everything if each["kind"] != "ClusterResourceSet"]
    assert codes(one(evaluate(*kept))) == ["no-resource-set"]


@pytest.mark.parametrize("names", [("web-1", "web-2"), ("web-2", "web-1")])
def test_clusters_and_sets_of_both_versions_may_be_mixed(names: tuple[str, str]) -> None:
    older, newer = (
        Fleet(version=version, names=(name,)) for version, name in zip((live.V1BETA1, live.V1BETA2), names, strict=True)
    )
    found = evaluate(*older.everything, *newer.everything)
    assert (found.ok, found.notes, found.orphans) == (True, (), ())


def test_a_dump_without_clusters_says_so() -> None:
    found = evaluate(*Fleet().sets)
    assert "no-clusters" in [note.code for note in found.notes]


def test_resource_sets_of_other_tools_are_none_of_ours() -> None:
    calico = live.live_set(
        {
            "apiVersion": "addons.cluster.x-k8s.io/v1beta2",
            "kind": "ClusterResourceSet",
            "metadata": {"name": "calico", "namespace": "team-a"},
            "spec": {
                "clusterSelector": {"matchLabels": {"clusternet.io/register": "true"}},
                "resources": [{"kind": "ConfigMap", "name": "calico"}],
            },
        }
    )
    assert evaluate(*Fleet().everything, calico) == evaluate(*Fleet().everything)


# --- selected ----------------------------------------------------------------------------------------------------


def unlabelled(**labels: str) -> live.Object:
    return live.cluster("team-a", "db-1", labels={"cluster.x-k8s.io/cluster-name": "db-1", **labels})


def test_the_nearest_selector_and_the_missing_label_are_named() -> None:
    cluster = one(evaluate(*Fleet().everything, unlabelled()), "team-a/db-1")
    assert codes(cluster) == ["no-match"]
    assert said(cluster, "no-match").endswith(
        "the nearest is clusternet-identity: clusternet.io/register=true: the label is absent"
    )
    assert cluster.reasons[0].remedy[1] == (
        "kubectl -n team-a label --overwrite clusters.cluster.x-k8s.io db-1 clusternet.io/register=true"
    )


def test_a_wrong_value_of_the_label_is_shown() -> None:
    cluster = one(evaluate(*Fleet().everything, unlabelled(**{"clusternet.io/register": "no"})), "team-a/db-1")
    assert said(cluster, "no-match").endswith("clusternet.io/register=true: the label is 'no'")


def test_a_set_made_for_the_cluster_is_nearer_than_one_for_all() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["labels"] = {"clusternet.io/register": "true"}
    fleet.drop("ClusterResourceSet", "clusternet-identity")
    assert "the nearest is clusternet.web-1: cluster.x-k8s.io/cluster-name=web-1: the label is absent" in said(
        one(evaluate(*fleet.everything)), "no-match"
    )


def test_a_cluster_that_wears_anothers_name_is_shown_the_set_that_selects_it() -> None:
    fleet = Fleet(names=("web-1",))
    stranger = live.cluster("team-a", "odd", labels={"cluster.x-k8s.io/cluster-name": "web-1"})
    assert one(evaluate(*fleet.everything, stranger), "team-a/odd").resource_sets == ("clusternet.web-1",)


def test_per_cluster_without_its_set_has_to_be_rendered_again() -> None:
    new = live.cluster("team-a", "new-1")
    cluster = one(evaluate(*Fleet().everything, new), "team-a/new-1")
    assert codes(cluster) == ["no-resource-set"]
    assert "selected by clusternet-identity" in said(cluster, "no-resource-set")


def test_sets_of_other_namespaces_are_pointed_out() -> None:
    lone = live.cluster("team-z", "db-1")
    cluster = one(evaluate(*Fleet().everything, lone), "team-z/db-1")
    assert "team-z has no ClusterResourceSet" in said(cluster, "no-resource-set")
    assert "those in team-a select in their own namespace only" in said(cluster, "no-resource-set")


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param({}, id="empty"),
        pytest.param({"matchExpressions": [{"key": "env", "operator": "Near"}]}, id="unknown-operator"),
        pytest.param({"matchExpressions": [{"operator": "Exists"}]}, id="no-key"),
    ],
)
def test_a_selector_that_selects_nothing_is_no_match(selector: dict[str, object]) -> None:
    fleet = Fleet(names=("web-1",), found=live.config(mode="Shared"))
    for found in fleet.sets:
        found["spec"]["clusterSelector"] = selector
    assert "it selects nothing" in said(one(evaluate(*fleet.management)), "no-match")


def test_expressions_count_and_need_a_change_by_hand() -> None:
    fleet = Fleet(names=("web-1",), found=live.config(mode="Shared"))
    expression = {"key": "env", "operator": "In", "values": ["prod", "test", 5]}
    for found in fleet.sets:
        found["spec"]["clusterSelector"] = {"matchExpressions": [expression]}
    cluster = one(evaluate(*fleet.management))
    assert "env in (prod,test): the label is absent" in said(cluster, "no-match")
    assert not any(step.startswith("kubectl") for step in cluster.reasons[0].remedy)


def test_two_agents_of_two_configs_are_an_error() -> None:
    first, second = Fleet(found=live.config("one")), Fleet(found=live.config("two", owner="eu"))
    cluster = one(evaluate(*first.everything, *second.sets, *second.payloads))
    assert "2 ClusterResourceSets deliver an agent: one.web-1 (of config fleet), two.web-1 (of config eu)" in said(
        cluster, "two-agents"
    )
    assert "make the clusterSelectors of eu and fleet disjoint" in cluster.reasons[0].remedy[0]
    assert not cluster.ok


def test_the_hubs_own_set_beside_ours_is_a_warning() -> None:
    hub = live.hub_objects("team-a")
    fleet = Fleet(names=("web-1",))
    fleet.bindings = [live.binding("team-a", "web-1", [*fleet.sets, hub[2]], [*fleet.payloads, *hub[:2]])]
    cluster = one(evaluate(*fleet.everything, *hub))
    assert codes(cluster) == ["two-agents"]
    assert cluster.ok


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        pytest.param(("v1.6.3", "MachinePool=true,ClusterResourceSet=false"), "is off in", id="off"),
        pytest.param(("v1.6.3", '"ClusterResourceSet=true"'), "the quotes in --feature-gates are part", id="in quotes"),
        pytest.param(("v1.12.0", "ClusterResourceSet=true"), "no longer knows it and exits", id="removed"),
    ],
)
def test_the_managers_gate_is_looked_at_where_it_was_dumped(manager: tuple[str, str], expected: str) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    assert expected in said(one(evaluate(live.manager(*manager), *fleet.management, *fleet.payloads)), "gate")


@pytest.mark.parametrize(
    "manager",
    [("v1.6.3", "ClusterResourceSet=true"), ("v1.9.0", ""), ("v1.12.0", "MachinePool=true"), ("latest", "")],
    ids=" ".join,
)
def test_a_manager_with_the_right_gate_is_no_reason(manager: tuple[str, str]) -> None:
    assert evaluate(live.manager(*manager), *Fleet().everything).ok


def test_other_deployments_and_odd_arguments_say_nothing() -> None:
    odd = live.manager("v1.6.3", "ClusterResourceSet=false")
    odd["spec"]["template"]["spec"]["containers"][0]["args"] = "--feature-gates"
    other = live.manager("v1.6.3", "ClusterResourceSet=false")
    other["metadata"]["name"] = "capd-controller-manager"
    assert evaluate(odd, other, *Fleet().everything).ok


def test_payloads_without_any_set_mean_that_the_server_refused_them() -> None:
    fleet = Fleet(names=("web-1",))
    cluster = one(evaluate(*fleet.clusters, *fleet.payloads))
    assert codes(cluster) == ["gate", "no-resource-set"]
    assert "the server refuses them" in said(cluster, "gate")


def test_a_set_that_nobody_looked_at_is_named() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    for found in fleet.sets:
        del found["status"], found["metadata"]["finalizers"]
    assert codes(one(evaluate(*fleet.everything))) == ["not-reconciled"]


# --- delivered ---------------------------------------------------------------------------------------------------


@VERSIONS
def test_nothing_is_delivered_before_the_infrastructure(version: str) -> None:
    fleet = Fleet(names=("web-1",), version=version)
    fleet.clusters, fleet.bindings = [live.cluster("team-a", "web-1", version, ready=False)], []
    cluster = one(evaluate(*fleet.management, *fleet.payloads))
    assert codes(cluster) == ["infrastructure"]
    assert "phase Provisioning" in said(cluster, "infrastructure")
    assert "load balancer" in said(cluster, "infrastructure").lower() or "LoadBalancer" in said(
        cluster, "infrastructure"
    )


@VERSIONS
@pytest.mark.parametrize("connected", [True, False])
def test_a_part_of_a_cluster_that_is_not_there_is_to_be_created_and_no_second_reason(
    version: str,
    connected: bool,  # noqa: FBT001
) -> None:
    fleet = Fleet(names=("web-1",), version=version)
    fleet.clusters, fleet.bindings = [live.cluster("team-a", "web-1", version, ready=False)], []
    status = fleet.clusters[0]["status"]
    conditions = status["v1beta2"]["conditions"] if version == live.V1BETA1 else status["conditions"]
    found = next(one for one in conditions if one["type"] == "InfrastructureReady")
    found.update(status="False", reason="ObjectDoesNotExist", message="Metal3Cluster does not exist")
    live.probe(fleet.clusters[0], "Remote connection not established yet")
    if connected:
        next(one for one in conditions if one["type"] == "RemoteConnectionProbe")["status"] = "True"
    cluster = one(evaluate(*fleet.management, *fleet.payloads))
    assert codes(cluster) == ["infrastructure"]
    assert "(ObjectDoesNotExist: Metal3Cluster does not exist)" in said(cluster, "infrastructure")
    assert ("can't reach the API server" in said(cluster, "infrastructure")) is not connected
    assert cluster.reasons[0].remedy[0].startswith("create the object that spec.infrastructureRef names")


def test_a_cluster_without_status_counts_as_not_ready() -> None:
    fleet = Fleet(names=("web-1",))
    del fleet.clusters[0]["status"]
    fleet.bindings = []
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["infrastructure"]


def test_the_phase_counts_where_no_field_tells() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["status"] = {"phase": "Provisioned"}
    fleet.bindings = []
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["waiting"]


@VERSIONS
def test_a_secret_of_the_wrong_type_is_named(version: str) -> None:
    fleet = Fleet(names=("web-1",), version=version)
    fleet.of("Secret", "clusternet.registration")["type"] = "Opaque"
    fleet.bindings = []
    set_condition(fleet, "clusternet.web-1", "WrongSecretType")
    cluster = one(evaluate(*fleet.management, *fleet.payloads))
    assert codes(cluster) == ["wrong-secret-type"]
    assert "Secret clusternet.registration has type Opaque" in said(cluster, "wrong-secret-type")


@VERSIONS
def test_a_wrong_type_is_known_from_the_condition_without_the_secret(version: str) -> None:
    fleet = Fleet(names=("web-1",), version=version)
    fleet.bindings = []
    set_condition(fleet, "clusternet.web-1", "WrongSecretType")
    cluster = one(evaluate(*fleet.management))
    assert "a Secret of the ClusterResourceSet is not of type" in said(cluster, "wrong-secret-type")


def test_a_missing_configmap_is_found_although_the_set_says_applied() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.drop("ConfigMap", "clusternet-agent.web-1")
    fleet.bindings = [fleet.binding("web-1")]
    cluster = one(evaluate(*fleet.management, *fleet.payloads))
    assert codes(cluster) == ["missing-resource"]
    assert "reports the ClusterResourceSet as applied all the same" in said(cluster, "missing-resource")


def test_a_configmap_that_went_missing_later_is_found_too() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.drop("ConfigMap", "clusternet-identity")
    assert codes(one(evaluate(*fleet.everything))) == ["missing-resource"]


def test_a_missing_secret_is_reported_from_the_binding() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.drop("Secret", "clusternet.registration")
    fleet.bindings = [fleet.binding("web-1")]
    assert said(one(evaluate(*fleet.everything)), "missing-resource").startswith("Secret clusternet.registration")


def test_a_secret_that_is_not_ours_may_be_absent_from_the_dump() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.drop("Secret", "clusternet.registration")
    assert evaluate(*fleet.everything).ok


def test_a_value_under_32_bytes_is_named_by_its_key() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ConfigMap", "clusternet-agent.web-1")["data"]["50-extra.yaml"] = "# short"
    live.resource(fleet.bindings[0], "clusternet-agent.web-1", "ConfigMap").update(applied=False, hash="")
    cluster = one(evaluate(*fleet.everything))
    assert codes(cluster) == ["short-value"]
    assert "key 50-extra.yaml: shorter than 32 bytes" in said(cluster, "short-value")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("kind: Secret\napiVersion: v1\nmetadata: {name: [a}\n", "30: invalid YAML at line 3", id="yaml"),
        pytest.param("--- {kind: Secret, apiVersion: v1}: x: y\n  and: more\n", "30: invalid YAML", id="one-line"),
        pytest.param(
            "kind: Secret\nmetadata: {name: without-a-version}\n", "document 1 is not an object", id="no-version"
        ),
        pytest.param("# only a comment, which is long enough to be read\n", "30: no object in it", id="comment"),
        pytest.param("[1, 2, 3]                                        ", "document 1 is not an object", id="list"),
        pytest.param('"\\' + "x" * 40, "30: invalid YAML", id="escape"),
    ],
)
def test_an_unparsable_payload_is_named_by_key_and_line(content: str, expected: str) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ConfigMap", "clusternet-agent.web-1")["data"]["30"] = content
    live.resource(fleet.bindings[0], "clusternet-agent.web-1", "ConfigMap").update(applied=False, hash="")
    cluster = one(evaluate(*fleet.everything))
    assert codes(cluster) == ["unparsable"]
    assert expected in said(cluster, "unparsable")


@pytest.mark.parametrize("value", ["", "REDACTED", "UkVEQUNURUQ=", "<hidden, 512 bytes>", None])
def test_a_secret_whose_value_was_hidden_in_the_dump_counts_as_the_binding_says(value: str | None) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("Secret", "clusternet.registration")["data"] = {} if value is None else {"20-registration.yaml": value}
    assert one(evaluate(*fleet.everything)).reasons == ()
    fleet.bindings = []
    assert codes(one(evaluate(*fleet.everything))) == ["waiting"]


def test_a_secret_that_is_no_text_is_unparsable() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("Secret", "clusternet.registration")["data"] = {"a": base64.b64encode(b"\xff" * 40).decode()}
    fleet.bindings = []
    assert "not UTF-8 text" in said(one(evaluate(*fleet.management, *fleet.payloads)), "unparsable")


def test_a_secret_that_is_no_base64_is_too_short() -> None:
    fleet = Fleet(names=("web-1",))
    own = fleet.of("Secret", "clusternet.registration")
    own["data"] = {"a": "é=not base64"}
    own["metadata"] = {"name": "clusternet.registration", "namespace": "team-a"}
    fleet.bindings = []
    assert "short-value" in codes(one(evaluate(*fleet.management, *fleet.payloads)))


def test_a_paused_set_applies_nothing() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    fleet.of("ClusterResourceSet", "clusternet.web-1")["metadata"]["annotations"]["cluster.x-k8s.io/paused"] = "true"
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["paused"]


@pytest.mark.parametrize("by", ["field", "annotation"])
def test_a_paused_cluster_is_not_set_up_any_further(by: str) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    (cluster,) = fleet.clusters = [live.cluster("team-a", "web-1", ready=False)]
    if by == "field":
        cluster["spec"]["paused"] = True
    else:
        cluster["metadata"].setdefault("annotations", {})["cluster.x-k8s.io/paused"] = ""
    assert codes(one(evaluate(*fleet.everything)))[:2] == ["paused", "infrastructure"]


def test_a_paused_cluster_that_is_set_up_is_delivered_to() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["spec"]["paused"] = True
    assert one(evaluate(*fleet.everything)).reasons == ()


def test_what_the_workload_cluster_refused_is_named_without_the_sets_condition() -> None:
    fleet = Fleet(names=("web-1",))
    live.resource(fleet.bindings[0], "clusternet-agent.web-1", "ConfigMap").update(applied=False)
    set_condition(fleet, "clusternet.web-1", "InternalError")
    cluster = one(evaluate(*fleet.everything))
    assert codes(cluster) == ["not-applied"]
    assert "refused ConfigMap clusternet-agent.web-1 (last tried 2026-11-20" in said(cluster, "not-applied")
    assert "InternalError" not in said(cluster, "not-applied")


@VERSIONS
def test_an_api_server_that_never_answered_leaves_an_empty_binding(version: str) -> None:
    fleet = Fleet(names=("web-1",), version=version)
    live.probe(fleet.clusters[0], "Remote connection not established yet")
    empty(fleet.bindings[0])
    cluster = one(evaluate(*fleet.management, *fleet.payloads))
    assert codes(cluster) == ["unreachable"]
    assert "(Remote connection not established yet)" in said(cluster, "unreachable")


def test_without_a_probe_an_empty_binding_tells_that_nothing_could_be_applied() -> None:
    fleet = Fleet(names=("web-1",))
    conditions = fleet.clusters[0]["status"]["conditions"]
    conditions[:] = [one for one in conditions if one["type"] != "RemoteConnectionProbe"]
    empty(fleet.bindings[0])
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["unreachable"]


def test_a_connected_cluster_with_an_empty_binding_is_waiting() -> None:
    fleet = Fleet(names=("web-1",))
    empty(fleet.bindings[0])
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["waiting"]


def empty(found: live.Object) -> None:
    """Leave in a Binding what is there before anything is applied."""
    for one in found["spec"]["bindings"]:
        one.pop("resources", None)


def test_an_empty_binding_of_an_unprovisioned_cluster_says_nothing() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters = [live.cluster("team-a", "web-1", ready=False)]
    empty(fleet.bindings[0])
    for found in ("clusternet-identity", "clusternet.web-1"):
        set_condition(fleet, found, "InternalError")
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["infrastructure"]


def test_an_uninitialized_control_plane_is_the_reason_before_the_way_to_it() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["status"]["initialization"]["controlPlaneInitialized"] = False
    live.probe(fleet.clusters[0], "Remote connection not established yet")
    empty(fleet.bindings[0])
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["control-plane"]


def test_a_control_plane_that_no_provider_tells_of_does_not_explain_the_missing_way_to_it() -> None:
    fleet = Fleet(names=("web-1",))
    del fleet.clusters[0]["spec"]["controlPlaneRef"]
    fleet.clusters[0]["status"]["initialization"]["controlPlaneInitialized"] = False
    live.probe(fleet.clusters[0], "Remote connection not established yet")
    empty(fleet.bindings[0])
    assert codes(one(evaluate(*fleet.management, *fleet.payloads))) == ["unreachable"]


@VERSIONS
def test_an_api_server_that_went_away_after_the_delivery_is_a_warning(version: str) -> None:
    fleet = Fleet(names=("web-1",), version=version)
    live.probe(fleet.clusters[0], "Remote connection probe failed, probe last succeeded at 2026-11-23T09:00:00Z")
    cluster = one(evaluate(*fleet.everything))
    assert [(reason.code, reason.severity) for reason in cluster.reasons] == [("unreachable", "warning")]
    assert "what is delivered stays" in said(cluster, "unreachable")
    assert cluster.ok


def test_a_change_that_an_unreachable_cluster_waits_for_is_named_with_it() -> None:
    fleet = Fleet(names=("web-1",))
    live.probe(fleet.clusters[0], "Remote connection probe failed")
    fleet.of("ConfigMap", "clusternet-agent.web-1")["data"]["40-deployment.yaml"] += "# new\n"
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.delivered, codes(cluster), cluster.ok) == ("outdated", ["unreachable"], False)
    assert "ConfigMap clusternet-agent.web-1 will be applied once it can" in said(cluster, "unreachable")


# --- what the sets' objects and records tell ---------------------------------------------------------------------


def test_a_secret_deleted_after_the_delivery_is_a_warning_and_a_stale_condition_says_nothing() -> None:
    fleet = Fleet(names=("web-1",), checksum=True)
    fleet.drop("Secret", "clusternet.registration")
    set_condition(fleet, "clusternet.web-1", "WrongSecretType")
    cluster = one(evaluate(*fleet.everything))
    assert [(reason.code, reason.severity) for reason in cluster.reasons] == [("missing-resource", "warning")]
    assert "was deleted after it had been applied" in said(cluster, "missing-resource")
    assert (cluster.delivered, cluster.ok) == ("yes", True)


def test_where_the_dump_holds_no_secret_of_ours_permission_may_be_missing() -> None:
    fleet = Fleet(names=("web-1", "web-2"), checksum=True)
    fleet.drop("Secret", "clusternet.registration")
    fleet.bindings.pop()
    found = evaluate(*fleet.everything)
    for title in ("team-a/web-1", "team-a/web-2"):
        assert "; or Secrets were not dumped, for which permission may be missing" in said(
            one(found, title), "missing-resource"
        )
    other = live.Fleet(names=("web-9",)).of("Secret", "clusternet.registration")
    other["metadata"]["namespace"] = "team-z"
    found = evaluate(*fleet.everything, other)
    assert "permission" not in said(one(found), "missing-resource") + said(
        one(found, "team-a/web-2"), "missing-resource"
    )


def test_another_cluster_of_the_set_lacks_the_deleted_secret() -> None:
    fleet = Fleet(names=("web-1", "web-2"), checksum=True)
    fleet.drop("Secret", "clusternet.registration")
    fleet.bindings.pop()
    assert codes(one(evaluate(*fleet.everything), "team-a/web-2")) == ["missing-resource"]


def test_a_set_of_another_config_that_applied_last_is_what_the_cluster_runs() -> None:
    found = moved(
        live.config("wave-1", mode="Shared", owner="wave-1"), live.config("wave-2", mode="Shared", owner="wave-2")
    )
    cluster = one(evaluate(*found))
    assert (cluster.delivered, codes(cluster), cluster.ok) == ("outdated", ["other-content"], False)
    assert "ClusterResourceSet wave-1 was applied after wave-2, so what wave-1 holds is running" in said(
        cluster, "other-content"
    )
    assert "change the agent of config wave-2" in cluster.reasons[0].remedy[0]


def test_the_same_content_from_another_set_changes_nothing() -> None:
    found = moved(
        live.config("wave-1", mode="Shared", owner="wave-1"), live.config("wave-2", mode="Shared", owner="wave-2")
    )
    agents = {one["metadata"]["name"]: one for one in found if one["kind"] == "ConfigMap"}
    agents["wave-2-agent"]["data"] = agents["wave-1-agent"]["data"]
    (bound,) = (one for one in found if one["kind"] == "ClusterResourceSetBinding")
    entries = [live.resource(bound, f"wave-{number}-agent", "ConfigMap") for number in (1, 2)]
    entries[1]["hash"] = entries[0]["hash"]
    assert evaluate(*found).ok


def moved(first: Config, second: Config) -> list[live.Object]:
    """A Cluster that the second set selects, and to which the first applied its own content last."""
    old, new = Fleet(names=("web-1",), found=first), Fleet(names=("web-1",), found=second)
    for one_set in old.sets:
        one_set["spec"]["clusterSelector"] = {"matchLabels": {"wave": "1"}}
    old.of("ConfigMap", "wave-1-agent")["data"]["40-deployment.yaml"] += "# wave 1\n"
    bound = live.binding("team-a", "web-1", [*new.sets, *old.sets], [*new.payloads, *old.payloads])
    live.resource(bound, "wave-1-agent", "ConfigMap")["lastAppliedTime"] = "2026-11-21T08:00:00Z"
    return [*new.clusters, *old.sets, *new.sets, *old.payloads, *new.payloads, bound]


def test_two_sets_of_one_config_are_a_renaming_with_its_next_step() -> None:
    old, new = Fleet(names=("web-1",), found=live.config("sel")), Fleet(names=("web-1",), found=live.config("sel-2"))
    for found in new.sets:
        found["metadata"]["creationTimestamp"] = "2026-11-22T08:00:00Z"
    bound = live.binding("team-a", "web-1", [*old.sets, *new.sets], [*old.payloads, *new.payloads])
    objects = [*old.clusters, *old.sets, *new.sets, *old.payloads, *new.payloads, *new.parent]
    cluster = one(evaluate(*objects, bound))
    assert [(reason.code, reason.severity) for reason in cluster.reasons] == [("two-sets", "info")]
    assert cluster.reasons[0].remedy[0].startswith("next, let sel.web-1 and what belongs to it be pruned")
    assert cluster.ok
    bound["spec"]["bindings"] = bound["spec"]["bindings"][:-1]
    half = one(evaluate(*objects, bound))
    assert half.reasons[0].remedy[0].startswith("wait until sel-2.web-1 is applied everywhere")


def test_a_manager_with_a_watch_filter_passes_over_sets_without_the_label() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    manager = live.manager("v1.14.2", "")
    manager["spec"]["template"]["spec"]["containers"][0]["args"].append("--watch-filter=blue")
    cluster = one(evaluate(manager, *fleet.management, *fleet.payloads))
    assert codes(cluster) == ["watch-filter"]
    assert (
        cluster.reasons[0].remedy[1].endswith("clusternet-identity clusternet.web-1 cluster.x-k8s.io/watch-filter=blue")
    )


def test_a_namespace_that_is_being_deleted_is_the_first_reason() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    namespace = live.stored({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    namespace["metadata"]["deletionTimestamp"] = live.NOW
    assert codes(one(evaluate(namespace, *fleet.everything))) == ["namespace-terminating"]


def test_of_a_namespace_that_is_being_deleted_nothing_is_told_that_follows_from_it() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.sets, fleet.bindings, fleet.managed = [], [], []
    namespace = live.stored({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    namespace["metadata"]["deletionTimestamp"] = live.NOW
    cluster = one(evaluate(namespace, *fleet.everything))
    assert (codes(cluster), cluster.ok) == (["namespace-terminating"], False)
    assert cluster.lacking == one(evaluate(namespace, *Fleet(names=("web-1",)).everything)).lacking
    assert cluster.lacking == "in a namespace that is being deleted"


def test_a_set_that_is_being_deleted_delivers_nothing() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ClusterResourceSet", "clusternet.web-1")["metadata"]["deletionTimestamp"] = live.NOW
    cluster = one(evaluate(*fleet.everything))
    assert "clusternet.web-1 is being deleted" in said(cluster, "no-resource-set")


def test_without_any_reason_it_is_waiting() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    cluster = one(evaluate(*fleet.management, *fleet.payloads))
    assert codes(cluster) == ["waiting"]
    assert "there is no ClusterResourceSetBinding" in said(cluster, "waiting")


def test_a_set_missing_from_the_binding_is_waiting() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings[0]["spec"]["bindings"].pop()
    assert "the ClusterResourceSetBinding does not list it" in said(one(evaluate(*fleet.everything)), "waiting")


def test_a_newer_content_is_outdated_on_the_cluster() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ConfigMap", "clusternet-agent.web-1")["data"]["40-deployment.yaml"] += "# new\n"
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.delivered, codes(cluster), cluster.ok) == ("outdated", ["outdated"], False)


def managed_by(*, ready: int | None) -> live.Object:
    """The Deployment of Cluster API's manager with so many replicas ready; None for one without a status."""
    found = live.manager("v1.14.2", "")
    if ready is not None:
        found["status"] = {"observedGeneration": 1, "replicas": 1, **({"readyReplicas": ready} if ready else {})}
    return found


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        pytest.param(
            0, "capi-controller-manager v1.14.2 is not running, since no replica of its Deployment is ready", id="down"
        ),
        pytest.param(1, "either the change is very recent or the manager is not running", id="up"),
        pytest.param(None, "either the change is very recent or the manager is not running", id="unknown"),
    ],
)
def test_where_its_deployment_tells_that_the_manager_is_down_that_is_why_nothing_arrives(
    ready: int | None, expected: str
) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ConfigMap", "clusternet-agent.web-1")["data"]["40-deployment.yaml"] += "# new\n"
    cluster = one(evaluate(managed_by(ready=ready), *fleet.everything))
    assert expected in said(cluster, "outdated")
    waiting = Fleet(names=("web-1",))
    waiting.bindings = []
    cluster = one(evaluate(managed_by(ready=ready), *waiting.management, *waiting.payloads))
    assert ("is not running" in said(cluster, "waiting")) is (ready == 0)


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        pytest.param(
            0,
            "nor a status. capi-controller-manager v1.14.2 is not running: no replica of its Deployment is",
            id="down",
        ),
        pytest.param(1, "Either it is new, or the server refuses what capi-controller-manager v1.14.2 writes", id="up"),
        pytest.param(
            None, "Either it is new, or capi-controller-manager v1.14.2 is not running, or the server", id="unknown"
        ),
    ],
)
def test_a_set_that_nobody_looked_at_is_told_with_what_the_managers_deployment_rules_out(
    ready: int | None, expected: str
) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    for found in fleet.sets:
        del found["status"], found["metadata"]["finalizers"]
    assert expected in said(one(evaluate(managed_by(ready=ready), *fleet.everything)), "not-reconciled")


def test_the_manager_comes_before_the_command_that_its_webhook_refuses_while_it_is_down() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.bindings = []
    _, manager, _, then, retry = one(evaluate(*fleet.management, *fleet.payloads)).reasons[0].remedy
    assert manager.startswith("kubectl get deployments.apps")
    assert "its webhook refuses this" in then
    assert "annotate --overwrite" in retry


def test_an_identity_that_changed_is_only_mentioned() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("ConfigMap", "clusternet-identity")["data"]["00-identity.yaml"] += "# new\n"
    cluster = one(evaluate(*fleet.everything))
    assert ([reason.severity for reason in cluster.reasons], codes(cluster), cluster.ok) == (
        ["info"],
        ["changed"],
        True,
    )


# --- registered --------------------------------------------------------------------------------------------------


def test_a_request_without_an_answer_is_pending() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = []
    fleet.requests = [live.request("web-1", result="")]
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.registered, codes(cluster)) == ("pending", ["request-pending"])


def test_a_refused_request_tells_why_without_any_token() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = []
    fleet.requests = [live.request("web-1", result="Denied", error=f"illegal update with {live.TOKEN}")]
    cluster = one(evaluate(*fleet.everything))
    assert cluster.registered == "no"
    assert said(cluster, "request-refused").endswith(
        "is Denied: illegal update with (hidden), without a ManagedCluster"
    )


def test_a_rebuilt_cluster_that_asks_anew_is_told_by_its_newest_request() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = [live.managed("web-1", ready="Unknown", seen="2026-11-21T08:00:00Z")]
    old, new = (
        live.request("web-1"),
        live.request("web-1", result="", identifier="ffffffff-0000-4000-8000-000000000001"),
    )
    new["metadata"]["creationTimestamp"] = "2026-11-23T08:00:00Z"
    fleet.requests = [old, new]
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.registered, codes(cluster)) == ("pending", ["request-pending"])
    assert "clusternet-ffffffff" in said(cluster, "request-pending")
    new["metadata"]["creationTimestamp"] = "2025-01-01T08:00:00Z"  # it asked before it registered
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.registered, codes(cluster)) == ("not ready", ["lost"])
    fleet.managed = []
    new["metadata"]["creationTimestamp"] = "2026-11-23T08:00:00Z"
    assert "clusternet-ffffffff" in said(one(evaluate(*fleet.everything)), "request-pending")


def test_an_approved_request_without_a_managed_cluster_is_not_registered() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = []
    assert "is Approved" in said(one(evaluate(*fleet.everything)), "request-refused")


def test_delivered_and_unknown_to_the_parent_points_to_the_agent() -> None:
    fleet = Fleet()
    fleet.managed, fleet.requests = fleet.managed[1:], fleet.requests[1:]
    assert (
        said(one(evaluate(*fleet.everything)), "not-registered")
        == "the agent is delivered, but the parent knows no web-1"
    )


@pytest.mark.parametrize(
    ("ready", "code", "expected"),
    [
        pytest.param("Unknown", "lost", "last reported 1m ago (ClusterStatusUnknown: ", id="unknown"),
        pytest.param("False", "not-ready", "reports that the cluster is not ready", id="false"),
    ],
)
def test_an_agent_in_trouble_is_not_ready(ready: str, code: str, expected: str) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = [live.managed("web-1", ready=ready)]
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.registered, cluster.ok) == ("not ready", False)
    assert expected in said(cluster, code)


def test_an_agent_that_never_reported_is_lost() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed[0]["status"] = {}
    assert said(one(evaluate(*fleet.everything)), "lost") == (
        "the agent has never reported to ManagedCluster clusternet-6b79f/web-1"
    )


@pytest.mark.parametrize(
    ("seen", "heartbeat", "expected"),
    [
        pytest.param("2026-11-23T09:52:00Z", None, "yes", id="within-nine-minutes"),
        pytest.param("2026-11-23T09:50:00Z", None, "not ready", id="after-nine-minutes"),
        pytest.param("2026-11-23T09:50:00Z", 600, "yes", id="slower-heartbeat"),
        pytest.param("yesterday", None, "not ready", id="no-time"),
    ],
)
def test_without_a_condition_the_last_report_decides(seen: str, heartbeat: int | None, expected: str) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed[0]["status"] = {"lastObservedTime": seen, "heartbeatFrequencySeconds": heartbeat}
    assert one(evaluate(*fleet.everything)).registered == expected


def test_two_clusters_of_one_name_are_an_error() -> None:
    first, second = Fleet("team-a", ("web-1",)), Fleet("team-b", ("web-1",))
    found = evaluate(*first.everything, *second.management, *second.payloads)
    assert said(one(found), "duplicate-name") == "team-b/web-1 registers under the same name, web-1"
    assert said(one(found, "team-b/web-1"), "duplicate-name").startswith("team-a/web-1 ")
    assert not found.ok


@pytest.mark.parametrize("ready", ["True", "Unknown"])
def test_a_rebuilt_cluster_leaves_an_older_registration_behind(ready: str) -> None:
    found = evaluate(*rebuilt("2026-11-20T08:00:00Z", ready=ready))
    cluster = one(found)
    assert (cluster.registered, codes(cluster), cluster.ok) == ("yes", ["rebuilt"], True)
    assert "clusternet-11111/web-1 of the same name last reported 3d ago" in said(cluster, "rebuilt")
    assert "once it has been silent for 7d" in cluster.reasons[0].remedy[0]
    assert found.orphans == ()


def test_the_older_registration_is_left_over_once_it_has_been_silent_for_long() -> None:
    (orphan,) = evaluate(*rebuilt("2026-11-15T08:00:00Z")).orphans
    assert (orphan.side, orphan.title) == ("parent", "ManagedCluster clusternet-11111/web-1")
    assert len(orphan.commands) == 4


def rebuilt(seen: str, ready: str = "Unknown") -> list[live.Object]:
    """A Cluster that registered anew three days ago, and its entry from before."""
    fleet = Fleet(names=("web-1",))
    older = live.managed("web-1", identifier="11111111-0000-4000-8000-000000000000", ready=ready, seen=seen)
    return [*fleet.everything, older]


def test_two_live_clusters_under_one_name_are_an_error() -> None:
    other = live.managed("web-1", identifier="11111111-0000-4000-8000-000000000000", namespace="clusternet-zzzzz")
    cluster = one(evaluate(*Fleet(names=("web-1",)).everything, other))
    assert "2 clusters report to the parent under the name web-1" in said(cluster, "duplicate-managed-cluster")
    assert not cluster.ok


def test_a_report_of_long_ago_counts_against_a_condition_that_nobody_updates() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = [live.managed("web-1", seen="2026-11-22T10:00:00Z")]
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.registered, codes(cluster)) == ("not ready", ["lost"])
    assert "last reported 1d ago, though the parent still calls it ready" in said(cluster, "lost")


# --- the token ---------------------------------------------------------------------------------------------------


def jwt(claims: str) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    head = part('{"alg":"RS256"}')
    return f"{head}.{part(claims)}.c2lnbmF0dXJl"


def with_token(token: str, *, registered: bool) -> list[live.Object]:
    fleet = Fleet(names=("web-1",))
    fleet.payloads = [
        one
        for one in live.rendered(fleet.config, "team-a", ["web-1"], live.V1BETA2, token)
        if one["kind"] != "ClusterResourceSet"
    ]
    fleet.bindings = [fleet.binding("web-1")]
    if not registered:
        fleet.managed, fleet.requests = [live.managed("other")], []
    return fleet.everything


def test_an_expired_jwt_keeps_a_new_cluster_out() -> None:
    cluster = one(evaluate(*with_token(jwt('{"exp": 1779000000}'), registered=False)))
    assert codes(cluster) == ["token-expired", "not-registered"]
    assert "expired on 2026-05-17: the parent refuses new agents" in said(cluster, "token-expired")


def test_an_expired_token_keeps_a_rebuilt_cluster_out_whose_entry_from_before_is_silent() -> None:
    objects = with_token(jwt('{"exp": 1779000000}'), registered=False)
    before = live.managed("web-1", ready="Unknown", seen="2026-11-18T10:00:00Z")
    before["metadata"]["creationTimestamp"] = "2026-11-01T10:00:00Z"
    found = evaluate(*objects, before, live.request("web-1"))
    cluster = one(found)
    assert (cluster.registered, codes(cluster)) == ("no", ["token-expired", "not-registered"])
    assert said(cluster, "not-registered").endswith("but on the parent no ManagedCluster of its own is called web-1")
    assert [orphan.commands for orphan in found.orphans] == []


def test_an_expired_token_does_not_hurt_a_registered_cluster() -> None:
    cluster = one(evaluate(*with_token(jwt('{"exp": 1779000000}'), registered=True)))
    assert (codes(cluster), cluster.ok) == (["token-expired"], True)


@pytest.mark.parametrize(
    "token",
    [jwt('{"exp": 1999999999}'), jwt('{"sub": "x"}'), live.TOKEN, "no token at all", ""],
    ids=["later", "never", "bootstrap", "malformed", "empty"],
)
def test_a_token_that_lives_or_tells_nothing_is_no_reason(token: str) -> None:
    assert codes(one(evaluate(*with_token(token, registered=True)))) == []


@pytest.mark.parametrize(
    ("expiration", "expected"),
    [("2026-11-01T00:00:00Z", ["token-expired"]), ("2027-01-01T00:00:00Z", []), ("soon", [])],
)
def test_the_expiration_of_a_bootstrap_secret_counts_where_it_was_dumped(expiration: str, expected: list[str]) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{live.TOKEN[:6]}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {"expiration": base64.b64encode(expiration.encode()).decode()},
    }
    assert codes(one(evaluate(*Fleet(names=("web-1",)).everything, secret))) == expected


# --- names that agents choose ------------------------------------------------------------------------------------


def shared(*managed: str, ready: str = "True", origin: str = "") -> Report:
    fleet = Fleet("team-c", ("app-1", "app-2"), found=live.config(mode="Shared", prefix="team-c"))
    found = [live.managed(name, ready=ready, origin=origin) for name in managed]
    return evaluate(*fleet.everything, *found, live.managed("other"))


@pytest.mark.parametrize(
    ("origin", "evidence"), [("", "2 of 2 called team-c-xxxxx report"), ("team-c", "2 of 2 of this namespace report")]
)
def test_shared_names_are_counted_by_namespace_where_it_is_known_and_by_prefix_where_not(
    origin: str, evidence: str
) -> None:
    found = shared("team-c-x7k2p", "team-c-b4d9z", origin=origin)
    assert {(each.registered, each.evidence, each.registration_name) for each in found.clusters} == {
        ("counted", evidence, "team-c-xxxxx")
    }
    assert found.pools == (report.Pool(prefix="team-c", namespace=origin, clusters=2, managed=2, ready=2, missing=0),)
    assert found.ok
    assert found.certain
    assert [note.code for note in found.notes] == ["others"]


@pytest.mark.parametrize(
    ("managed", "ready"),
    [
        pytest.param(("team-c-x7k2p",), "True", id="one-missing"),
        pytest.param(("team-c-x7k2p", "team-c-b4d9z"), "Unknown", id="lost"),
        pytest.param(("team-c-x7k2p", "team-c-aeiou"), "True", id="not-a-name-that-an-agent-chooses"),
        pytest.param(("team-c-x7k2p", "team-c-eu-b4d9z"), "True", id="another-prefix"),
    ],
)
def test_with_too_few_managed_clusters_not_all_are_registered(managed: tuple[str, ...], ready: str) -> None:
    found = shared(*managed, ready=ready)
    assert not found.ok
    assert "not-all-registered" in [note.code for note in found.notes]


def test_of_one_cluster_alone_it_is_not_known_whether_it_is_the_one_that_is_missing() -> None:
    fleet = Fleet("team-c", ("app-1", "app-2"), found=live.config(mode="Shared"))
    story = frozenset({"team-c/app-1"})
    alone = evaluate(*fleet.everything, live.managed("clusternet-cluster-x7k2p"), stories=story).only(story)
    assert (alone.ok, alone.certain) == (True, False)
    [reason] = alone.clusters[0].reasons
    assert (reason.code, reason.severity) == ("not-all-registered", "warning")
    assert "get secret app-1-kubeconfig" in reason.remedy[1]
    tree = status_text.tree(alone)
    assert tree.splitlines()[0].split() == ["Cluster", "team-c/app-1", "delivered", "Provisioned"]
    assert "DO NOW\n! not-all-registered: 1 of 2 called clusternet-cluster-xxxxx report: this one may" in tree
    both = [live.managed(f"clusternet-cluster-{end}") for end in ("x7k2p", "b4d9z")]
    alone = evaluate(*fleet.everything, *both, stories=story).only(story)
    assert (alone.ok, alone.certain, alone.clusters[0].reasons) == (True, True, ())


def test_of_one_cluster_alone_it_is_not_known_whether_one_of_too_few_earlier_names_is_its_own() -> None:
    fleet = Fleet()
    fleet.requests, fleet.managed = [], [live.managed("clusternet-cluster-x7k2p")]
    story = frozenset({"team-a/web-2"})
    alone = evaluate(*fleet.everything, stories=story).only(story)
    assert (codes(alone.clusters[0]), alone.ok, alone.certain) == (["earlier-names"], True, False)
    assert (
        alone.clusters[0].reasons[0].message.startswith("registered earlier as clusternet-cluster-x7k2p, or not at all")
    )


def test_one_that_registered_before_agents_told_their_namespace_still_counts() -> None:
    fleet = Fleet("team-c", ("app-1", "app-2"), found=live.config(mode="Shared", prefix="c"))
    labelled, bare = live.managed("c-x7k2p", origin="team-c"), live.managed("c-b4d9z")
    found = evaluate(*fleet.everything, labelled, bare)
    assert found.ok
    assert {each.evidence for each in found.clusters} == {"2 of 2 of this namespace report (1 by the prefix)"}
    assert not evaluate(*fleet.everything, labelled).ok


def test_a_namespace_is_not_helped_by_the_registrations_of_another() -> None:
    first = Fleet("team-c", ("app-1",), found=live.config(mode="Shared"))
    second = Fleet("team-d", ("app-1",), found=live.config(mode="Shared"))
    both = [live.managed(f"clusternet-cluster-{end}", origin="team-c") for end in ("x7k2p", "b4d9z")]
    found = evaluate(*first.everything, *second.everything, *both)
    assert [each.registered for each in found.clusters] == ["counted", "no"]
    assert codes(found.clusters[1]) == ["not-registered"]


def test_two_configs_of_a_namespace_are_not_helped_by_one_registration() -> None:
    first = Fleet("team-c", ("app-1",), found=live.config("one", mode="Shared", prefix="a", owner="one"))
    second = Fleet("team-c", ("app-2",), found=live.config("two", mode="Shared", prefix="b", owner="two"))
    for fleet, tier in ((first, "gold"), (second, "iron")):
        fleet.clusters[0]["metadata"]["labels"] = {"tier": tier}
        for each in fleet.sets:
            each["spec"]["clusterSelector"] = {"matchLabels": {"tier": tier}}
    both = [live.managed(name, origin="team-c") for name in ("b-x7k2p", "b-b4d9z")]
    found = evaluate(*first.everything, *second.everything, *both[:1])
    assert [each.registered for each in found.clusters] == ["no", "counted"]
    # one of them came from the other config and keeps its name
    assert evaluate(*first.everything, *second.everything, *both).ok


def test_the_only_request_of_a_namespace_is_the_one_of_its_only_cluster() -> None:
    fleet = Fleet("team-c", ("app-1",), found=live.config(mode="Shared"))
    asked = live.request("clusternet-cluster-x7k2p", result="", origin="team-c")
    cluster = one(evaluate(*fleet.everything, asked), "team-c/app-1")
    assert (cluster.registered, codes(cluster)) == ("pending", ["request-pending"])


def test_after_a_move_to_names_of_their_own_clusters_keep_those_that_their_agents_chose() -> None:
    fleet = Fleet()
    fleet.requests, fleet.managed = [], [live.managed(f"clusternet-cluster-{end}") for end in ("x7k2p", "b4d9z")]
    found = evaluate(*fleet.everything)
    assert {(each.registered, each.evidence) for each in found.clusters} == {
        ("earlier", "registered earlier as clusternet-cluster-b4d9z or clusternet-cluster-x7k2p")
    }
    assert (found.ok, found.certain, codes(found.clusters[0])) == (True, True, [])


def test_fewer_kept_names_than_clusters_are_a_warning_and_not_certain() -> None:
    fleet = Fleet()
    fleet.requests, fleet.managed = [], [live.managed("clusternet-cluster-x7k2p")]
    found = evaluate(*fleet.everything)
    assert [(note.code, note.severity) for note in found.notes] == [("earlier-names", "warning")]
    assert (found.ok, found.certain) == (True, False)


@pytest.mark.parametrize(
    ("created", "moved", "registered"),
    [
        pytest.param("2026-11-19T10:00:00Z", False, "no", id="older-than-the-cluster"),
        pytest.param("2026-11-21T10:00:00Z", False, "no", id="newer-than-the-agent-with-its-name"),
        pytest.param(
            "2026-11-20T08:16:01Z", True, "earlier", id="of-a-cluster-that-came-from-another-management-cluster"
        ),
    ],
)
def test_an_earlier_name_was_registered_after_the_cluster_was_made_and_before_its_agent_got_a_name(
    created: str, *, moved: bool, registered: str
) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.requests, fleet.managed = [], [live.managed("clusternet-cluster-x7k2p")]
    fleet.managed[0]["metadata"]["creationTimestamp"] = created
    if moved:
        fleet.clusters[0]["metadata"]["creationTimestamp"] = "2026-11-22T10:00:00Z"
    assert one(evaluate(*fleet.everything)).registered == registered


def test_a_name_that_other_clusters_need_is_nobodys_earlier_name() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.requests, fleet.managed = [], []
    other = Fleet("team-c", ("app-1",), found=live.config(mode="Shared"))
    found = evaluate(*fleet.everything, *other.everything, live.managed("clusternet-cluster-x7k2p"))
    assert codes(one(found)) == ["not-registered"]


@pytest.mark.parametrize("mode", ["Shared", "PerCluster"])
def test_a_cluster_keeps_the_name_that_it_was_given_before(mode: str) -> None:
    fleet = Fleet(names=("web-1",), found=live.config(mode=mode))
    fleet.requests, fleet.managed = [], [live.managed("team-a-web-1")]
    cluster = one(evaluate(*fleet.everything))
    assert (cluster.registered, cluster.evidence) == ("earlier", "registered earlier as team-a-web-1")
    assert cluster.last_seen is not None


def test_the_hubs_clusters_use_the_agents_own_prefix() -> None:
    hub = live.hub_objects("default")
    quick = live.cluster("default", "quick", live.V1BETA1, topology=True)
    bound = live.binding("default", "quick", hub[2:], hub[:2], live.V1BETA1)
    cluster = one(evaluate(quick, bound, *hub), "default/quick")
    assert (cluster.delivered, cluster.registration_name) == ("yes", "clusternet-cluster-xxxxx")


def test_a_change_that_the_hubs_set_never_brings_is_no_matter_of_a_config() -> None:
    hub = live.hub_objects("default")
    quick = live.cluster("default", "quick", live.V1BETA1, topology=True)
    bound = live.binding("default", "quick", hub[2:], hub[:2], live.V1BETA1)
    hub[0]["data"]["clusternet-agent-deploy"] += "# changed\n"
    reason = next(each for each in one(evaluate(quick, bound, *hub), "default/quick").reasons if each.code == "changed")
    assert reason.remedy == (
        "to have changes delivered, migrate from the hub, which never changes its sets (docs/migration.md)",
    )


def test_an_expired_token_of_the_hub_is_found_in_its_configmap() -> None:
    hub = live.hub_objects("default", token=jwt('{"exp": 1779000000}'))
    quick = live.cluster("default", "quick", live.V1BETA1, topology=True)
    assert "token-expired" in codes(one(evaluate(quick, *hub, live.managed("other")), "default/quick"))


# --- being deleted, unselected -----------------------------------------------------------------------------------


def test_a_cluster_that_is_being_deleted_is_no_error() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["deletionTimestamp"] = live.NOW
    fleet.bindings, fleet.managed, fleet.requests = [], [], []
    found = evaluate(*fleet.everything)
    assert found.ok
    assert codes(one(found)) == ["deleting"]


def test_unselected_clusters_can_be_left_out() -> None:
    found = evaluate(*Fleet().everything, unlabelled())
    assert not found.ok
    assert found.without_unselected().ok


# --- left over ---------------------------------------------------------------------------------------------------


LONG_AGO = "2026-06-02T03:04:05Z"


def test_a_managed_cluster_that_no_cluster_accounts_for_is_left_over() -> None:
    (orphan,) = evaluate(*Fleet().everything, live.managed("old-1", ready="Unknown", seen=LONG_AGO)).orphans
    assert (orphan.side, orphan.kind, orphan.name) == ("parent", "ManagedCluster", "old-1")
    identifier = live.cluster_id("old-1")
    assert (
        orphan.message
        == "no Cluster of this dump registers under this name; no report for 174d; if no other management cluster has it, remove it"
    )
    assert orphan.commands == (
        f"kubectl delete clusterregistrationrequests.clusters.clusternet.io clusternet-{identifier} --ignore-not-found",
        f"kubectl -n clusternet-{identifier[:5]} delete managedclusters.clusters.clusternet.io old-1",
        f"kubectl delete clusterrole,clusterrolebinding clusternet-{identifier}",
        f"kubectl delete namespace clusternet-{identifier[:5]}",
    )


def test_one_that_was_quiet_for_a_day_is_listed_without_commands() -> None:
    (orphan,) = evaluate(
        *Fleet().everything, live.managed("old-1", ready="Unknown", seen="2026-11-22T09:00:00Z")
    ).orphans
    assert "no report for 1d; after 7d (--dead-after)" in orphan.message
    assert orphan.commands == ()


def test_the_time_after_which_it_counts_as_dead_can_be_set() -> None:
    objects = [*Fleet().everything, live.managed("old-1", ready="Unknown", seen="2026-11-22T09:00:00Z")]
    found = status.evaluate(dump.read([("dump", json.dumps(live.listed(*objects)).encode())]), NOW, dead_after=3600)
    assert len(found.orphans[0].commands) == 4


def test_a_name_that_an_agent_chose_is_never_removed_by_counting() -> None:
    fleet = Fleet("team-c", ("app-1",), found=live.config(mode="Shared", prefix="c"))
    managed = [live.managed("c-x7k2p"), live.managed("c-b4d9z", ready="Unknown", seen=LONG_AGO)]
    found = evaluate(*fleet.everything, *managed, live.managed("d-b4d9z", ready="Unknown", seen=LONG_AGO))
    assert [(one.name, one.commands) for one in found.orphans] == [("d-b4d9z", ())]


def test_while_a_cluster_is_not_registered_a_silent_name_may_be_its_own() -> None:
    fleet = Fleet()
    fleet.managed, fleet.requests = fleet.managed[1:], fleet.requests[1:]
    silent = [live.managed(name, ready="Unknown", seen=LONG_AGO) for name in ("eu-web-1", "old-1")]
    found = {one.name: bool(one.commands) for one in evaluate(*fleet.everything, *silent).orphans}
    assert found == {"eu-web-1": False, "old-1": True}


def test_a_silent_name_is_not_removed_if_a_cluster_that_nothing_selects_may_keep_it() -> None:
    fleet = Fleet()
    silent = [live.managed(name, ready="Unknown", seen=LONG_AGO) for name in ("eu-db-1", "team-a-old-1")]
    found = evaluate(*fleet.everything, unlabelled(), *silent).orphans
    assert {one.name: bool(one.commands) for one in found} == {"eu-db-1": False, "team-a-old-1": True}


def test_a_silent_name_is_not_removed_if_a_cluster_whose_agent_chooses_may_have_had_it() -> None:
    fleet = Fleet("team-c", ("app-1",), found=live.config(mode="Shared", prefix="c"))
    silent = [live.managed(name, ready="Unknown", seen=LONG_AGO) for name in ("c-x7k2p", "eu-app-1")]
    found = evaluate(*fleet.everything, *silent)
    assert one(found, "team-c/app-1").registered == "not ready"
    assert [(orphan.name, orphan.commands) for orphan in found.orphans] == [("eu-app-1", ())]


def test_a_registration_of_a_namespace_without_clusters_is_left_over() -> None:
    gone = live.managed("clusternet-cluster-x7k2p", ready="Unknown", seen=LONG_AGO, origin="gone")
    (orphan,) = evaluate(*Fleet().everything, gone).orphans
    assert "its Cluster was in namespace gone" in orphan.message
    assert len(orphan.commands) == 4


def test_the_registration_of_a_cluster_being_deleted_is_left_over_once_it_is_silent() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["deletionTimestamp"] = live.NOW
    fleet.managed = [live.managed("web-1", ready="Unknown", seen=LONG_AGO)]
    (orphan,) = evaluate(*fleet.everything).orphans
    assert orphan.message.startswith("Cluster team-a/web-1 is being deleted; no report for 174d")
    assert len(orphan.commands) == 4


def test_a_managed_cluster_that_reports_is_never_left_over() -> None:
    found = evaluate(*Fleet().everything, live.managed("by-hand"))
    assert found.orphans == ()
    (note,) = found.notes
    assert note.code == "others"
    assert note.message.startswith("1 ManagedCluster of other names report to the parent: ")


def test_a_request_that_nothing_accounts_for_is_left_over() -> None:
    (orphan,) = evaluate(*Fleet().everything, live.request("old-1", result="Denied")).orphans
    assert (orphan.kind, orphan.namespace) == ("ClusterRegistrationRequest", "")
    assert "asks for old-1 (Denied, made 3d ago)" in orphan.message


def test_a_set_that_selects_nobody_is_left_over() -> None:
    fleet = Fleet()
    fleet.drop("Cluster", "web-2")
    (found,) = evaluate(*fleet.everything).orphans
    assert (found.kind, found.name) == ("ClusterResourceSet", "clusternet.web-2")
    assert found.message.startswith("was made for Cluster web-2, which is gone; render config fleet again")
    assert found.commands == ()


def test_a_set_of_a_namespace_that_waits_for_clusters_is_not_left_over() -> None:
    waiting = Fleet("team-w", ("app-1",), found=live.config(mode="Shared"))
    assert evaluate(*Fleet().everything, *waiting.sets, *waiting.payloads).orphans == ()


def test_configmaps_of_the_hub_without_a_set_are_left_over_and_hold_a_token() -> None:
    deploy, rbac, _ = live.hub_objects("team-a")
    found = evaluate(*Fleet().everything, deploy, rbac).orphans
    assert [one.title for one in found] == [
        "ConfigMap team-a/clusternet-agent-deploy",
        "ConfigMap team-a/clusternet-agent-rbac",
    ]
    assert "the registration token in plain text" in found[0].message
    assert "token" not in found[1].message
    assert all("comes back while the hub's discovery is on" in one.message for one in found)


def test_where_kubectl_was_asked_and_nothing_of_ours_is_there_all_of_it_is_missing() -> None:
    fleet = Fleet(names=("web-1",))
    asked = Commands(context="m")
    found = evaluate(*fleet.management, commands=asked)
    assert codes(one(found)) == ["missing-resource"] * 2  # the identity's and the agent's ConfigMap
    assert "no-payloads" not in [note.code for note in found.notes]
    refused = dump.read([("dump", json.dumps(live.listed(*fleet.management)).encode())])
    refused = refused.replace(unread=frozenset({dump.SECRET, dump.CONFIG_MAP}))
    found = status.evaluate(refused, NOW, commands=asked)
    assert (one(found).delivered, codes(one(found))) == ("yes", [])
    assert "no Secret or ConfigMap of ours could be read" in next(
        note.message for note in found.notes if note.code == "no-payloads"
    )


def test_a_management_cluster_without_clusters_is_no_dump_that_lacks_them() -> None:
    [note] = [each for each in evaluate(commands=Commands(context="m")).notes if each.code == "no-clusters"]
    assert (note.message, note.remedy) == ("the management cluster has no Cluster of Cluster API", ())


def test_without_any_set_in_the_dump_nothing_of_the_hub_is_proposed_for_deletion() -> None:
    fleet = Fleet()
    found = evaluate(*fleet.clusters, *live.hub_objects("team-a")[:2]).orphans
    assert [(one.commands, "of which none was dumped" in one.message) for one in found] == [((), True)] * 2
    asked = evaluate(*fleet.clusters, *live.hub_objects("team-a")[:2], commands=Commands(context="m")).orphans
    assert all(one.commands for one in asked)


def test_configmaps_of_that_name_that_deliver_something_else_are_nobodys_to_delete() -> None:
    maps = live.hub_objects("team-a")[:2]
    for found in maps:
        found["data"] = {"config.yaml": "verbose: true, and much more to read\n"}
    assert evaluate(*Fleet().everything, *maps).orphans == ()


def test_the_hubs_set_without_clusters_is_left_over() -> None:
    found = evaluate(*Fleet().everything, *live.hub_objects("empty")).orphans
    assert [(one.title, one.message) for one in found] == [
        ("ClusterResourceSet empty/clusternet-cluster-api", "selects no Cluster (of clusternet-hub)")
    ]


def test_without_clusters_in_the_dump_nothing_is_called_left_over() -> None:
    fleet = Fleet()
    assert evaluate(*fleet.sets, *fleet.parent).orphans == ()


def test_names_in_commands_are_quoted_for_a_shell() -> None:
    (orphan,) = evaluate(*Fleet().everything, live.managed("x; rm -rf /", ready="False", seen=LONG_AGO)).orphans
    assert "managedclusters.clusters.clusternet.io 'x; rm -rf /'" in orphan.commands[1]


# --- secrets -----------------------------------------------------------------------------------------------------


def test_no_repr_shows_a_token() -> None:
    found = evaluate(*Fleet().everything, *live.hub_objects("team-a"), live.hub_secret())
    assert live.TOKEN not in repr(found)
    assert [secret.reveal() for secret in found.secrets] == [live.TOKEN]


# --- times that can't be true ------------------------------------------------------------------------------------

ABSURD = pytest.mark.parametrize(
    "absurd",
    [
        pytest.param("9999-12-31T23:59:59-14:00", id="beyond-year-9999"),
        pytest.param("10000-01-01T00:00:00Z", id="year-10000"),
        pytest.param("0001-01-01T00:00:00+14:00", id="before-year-1"),
        pytest.param("0001-01-01T00:00:00Z", id="go-zero"),
        pytest.param("1970-01-01T00:00:00Z", id="epoch"),
        pytest.param("2031-01-01T00:00:00Z", id="years-ahead"),
        pytest.param("yesterday", id="no-time"),
    ],
)
TIMES = ("creationTimestamp", "lastObservedTime", "lastTransitionTime", "lastAppliedTime", "deletionTimestamp")


@ABSURD
def test_a_report_of_a_time_that_can_not_be_true_has_an_unknown_age(absurd: str) -> None:
    fleet = Fleet()
    fleet.managed[0]["status"]["lastObservedTime"] = absurd
    found = evaluate(*fleet.everything)
    assert one(found).registered == "yes"  # by the hub's verdict
    assert "unknown" in status_text.table(found)
    assert "last report at an unknown time" in status_text.tree(found)
    assert [each["lastSeen"] for each in status_data(found)["clusters"]] == [None, "2026-11-23T09:58:11Z"]


@ABSURD
def test_a_silent_agent_with_such_a_time_is_lost_and_one_without_a_cluster_never_dead(absurd: str) -> None:
    fleet = Fleet(names=("web-1",))
    fleet.managed = [live.managed("web-1", ready="Unknown")]
    gone = live.managed("old-1", ready="Unknown", seen=LONG_AGO)
    for managed in (*fleet.managed, gone):
        managed["status"]["lastObservedTime"] = managed["metadata"]["creationTimestamp"] = absurd
    found = evaluate(*fleet.everything, gone)
    assert said(one(found), "lost").startswith("the agent last reported at an unknown time")
    assert [(each.name, each.commands) for each in found.orphans] == [("old-1", ())]
    assert "it last reported at an unknown time" in found.orphans[0].message


@ABSURD
def test_such_times_anywhere_are_no_crash_and_no_ground_to_delete(absurd: str) -> None:
    older = live.managed("web-1", identifier="11111111-0000-4000-8000-000000000000", ready="Unknown", seen=LONG_AGO)
    asks = live.request("old-2", result="", identifier="22222222-0000-4000-8000-000000000000")
    objects = json.loads(json.dumps([*Fleet().everything, older, asks]))
    for value in objects:
        spoil(value, absurd)
    found = evaluate(*objects)
    for text in (status_text.table(found), status_text.tree(found), json.dumps(status_data(found))):
        assert " delete " not in text
        assert "-1d" not in text


@ABSURD
def test_one_such_time_does_not_make_the_reports_of_all_others_old(absurd: str) -> None:
    fleet = Fleet()
    fleet.managed[0]["status"]["lastObservedTime"] = absurd
    read = dump.read([("dump", json.dumps(live.listed(*fleet.everything)).encode())])
    assert status.newest_report(read, NOW) == 1795427891  # the other one's


def spoil(value: object, absurd: str) -> None:
    """Put an absurd time everywhere where one is."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in TIMES:
                value[key] = absurd
            else:
                spoil(inner, absurd)
    elif isinstance(value, list):
        for inner in value:
            spoil(inner, absurd)


def test_many_that_keep_a_name_which_their_agents_chose_are_told_two_and_the_number() -> None:
    """Each may have any of the names; two ManagedClusters of one name and time are among them."""
    names = ("web-1", "web-2", "web-3", "web-4")
    fleet = Fleet(names=names)
    fleet.requests = []
    chosen = (
        "clusternet-cluster-bbbbb",
        "clusternet-cluster-bbbbb",
        "clusternet-cluster-ccccc",
        "clusternet-cluster-ddddd",
    )
    fleet.managed = [
        live.managed(one, identifier=live.cluster_id(name)) for one, name in zip(chosen, names, strict=True)
    ]
    found = evaluate(*fleet.everything)
    assert {each.registered for each in found.clusters} == {"earlier"}
    evidence = "registered earlier as clusternet-cluster-bbbbb or clusternet-cluster-bbbbb or 2 others"
    assert {each.evidence for each in found.clusters} == {evidence}
    (note,) = (one for one in found.notes if "only 3 report" in one.message)
    assert "clusternet-cluster-bbbbb, clusternet-cluster-ccccc, clusternet-cluster-ddddd;" in note.message
