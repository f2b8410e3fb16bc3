import json
import re

import pytest

from krm_fn import status
from krm_fn.status import dump
from krm_fn.status.report import Report, age
from krm_fn.views import Terminal, status_text
from krm_fn.views.data import status_data
from tests.support import live
from tests.support.live import Fleet

NOW = 1795428000  # 2026-11-23T10:00:00Z
OLD = "2026-06-02T03:04:05Z"


def report(*objects: live.Object, now: int = NOW, of: str = "") -> Report:
    found = dump.read([("dump", json.dumps(live.listed(*objects)).encode())])
    return status.evaluate(found, now, stories=frozenset({of}))


@pytest.fixture
def fleet() -> Report:
    good = Fleet()
    bad = Fleet("team-b", tuple(f"api-{number}" for number in range(7)))
    bad.of("Secret", "clusternet.registration")["type"] = "Opaque"
    return report(
        *good.everything, *bad.clusters, *bad.sets, *bad.payloads, live.managed("old-1", ready="Unknown", seen=OLD)
    )


def test_the_table_lists_every_cluster(fleet: Report) -> None:
    lines = status_text.table(fleet).splitlines()
    assert lines[0].split("  ")[0] == "CLUSTER"
    assert lines[1] == "team-a/web-1  clusternet.web-1  yes        yes (by name)  1m ago"
    assert lines[3].split() == ["team-b/api-0", "clusternet.api-0", "no", "no", "-", "wrong-secret-type"]


def test_left_over_things_stand_under_the_cluster_they_are_on() -> None:
    found = report(*Fleet().everything, *live.hub_objects("empty"), live.managed("old-1", ready="Unknown", seen=OLD))
    lines = status_text.table(found).splitlines()
    management, parent = (
        lines.index(f"LEFT OVER ON THE {side} CLUSTER (commands are printed, not run)")
        for side in ("MANAGEMENT", "PARENT")
    )
    assert lines[management + 1] == "! ClusterResourceSet empty/clusternet-cluster-api"
    assert lines[parent + 1].endswith("/old-1")


def test_only_what_fails_can_be_shown(fleet: Report) -> None:
    shown = status_text.table(fleet, only_failing=True)
    assert "team-a" not in shown
    assert shown.endswith("9 Clusters: 7 not delivered, 2 delivered and registered\n")


def test_a_reason_of_many_clusters_stands_once(fleet: Report) -> None:
    shown = status_text.table(fleet)
    assert shown.count("✗ wrong-secret-type: 7 Clusters") == 1
    assert "team-b/api-0, team-b/api-1, team-b/api-2, team-b/api-3, team-b/api-4 and 2 more" in shown


def test_a_pipe_gets_no_escape_codes_and_no_wrapping(fleet: Report) -> None:
    shown = status_text.table(fleet)
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) > 120


def test_a_terminal_gets_colours(fleet: Report) -> None:
    shown = status_text.table(fleet, Terminal(width=120, colour=True))
    assert "\x1b[32myes" in shown
    assert "\x1b[31mno" in shown
    assert shown.rstrip().endswith("\x1b[31m9 Clusters: 7 not delivered, 2 delivered and registered\x1b[0m")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_sentences_fit_the_terminal_and_commands_stay_whole(fleet: Report, width: int) -> None:
    lines = status_text.table(fleet, Terminal(width=width)).splitlines()
    wide = [line for line in lines if len(line) > width]
    assert all(line.strip().startswith("kubectl") for line in wide)
    assert any("delete managedclusters.clusters.clusternet.io old-1" in line for line in lines)


def test_colours_do_not_change_the_layout(fleet: Report) -> None:
    painted = re.sub(r"\x1b\[\d+m", "", status_text.table(fleet, Terminal(width=80, colour=True)))
    assert [line.rstrip() for line in painted.splitlines()] == status_text.table(fleet, Terminal(width=80)).splitlines()


def test_another_name_is_shown_where_there_is_room() -> None:
    fleet = Fleet(names=("web-1",))
    for found in (*fleet.sets, *fleet.payloads):
        if "fn.clusternet.io/registration-name" in found["metadata"]["annotations"]:
            found["metadata"]["annotations"]["fn.clusternet.io/registration-name"] = "team-a-web-1"
    fleet.managed = [live.managed("team-a-web-1")]
    found = report(*fleet.everything)
    assert "yes (team-a-web-1)" in status_text.table(found, Terminal(width=160))
    assert "yes (by name, team-a-web-1)" in status_text.table(found)
    assert "team-a-web-1" not in status_text.table(found, Terminal(width=80)).splitlines()[1]


def test_a_cluster_being_deleted_is_shown_as_such() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["deletionTimestamp"] = live.NOW
    shown = status_text.table(report(*fleet.everything))
    assert "is being deleted" in shown
    assert "\nWHY\n" not in shown
    assert shown.endswith("1 Cluster delivered and registered\n")


@pytest.mark.parametrize(
    ("objects", "end"),
    [
        pytest.param(Fleet().everything, "2 Clusters delivered and registered", id="all"),
        pytest.param([*Fleet().management, *Fleet().payloads], "registered is unknown", id="no-parent"),
        pytest.param(Fleet().sets, "no Cluster to look at", id="none"),
        pytest.param(
            [*Fleet(found=live.config(mode="Shared")).everything, live.managed("other")],
            "2 Clusters: 2 not registered",
            id="shared",
        ),
        pytest.param([*Fleet().clusters, *Fleet().sets], "2 Clusters: 2 not delivered", id="undelivered"),
    ],
)
def test_the_last_line_sums_up(objects: list[live.Object], end: str) -> None:
    assert status_text.table(report(*objects)).rstrip("\n").endswith(end)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3600, "1h"), (86399, "23h"), (172800, "2d")]
)
def test_ages_are_shown_in_their_largest_unit(seconds: int, shown: str) -> None:
    assert age(seconds) == shown


def test_escape_codes_of_a_dump_do_not_reach_the_terminal() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["name"] = "web-1\x1b[2J"
    assert "\x1b" not in status_text.table(report(*fleet.management))


def test_the_data_is_json_and_complete(fleet: Report) -> None:
    data = json.loads(json.dumps(status_data(fleet)))
    assert data["summary"] == {"clusters": 9, "ok": 2, "failing": 7, "missing": 0, "parentSeen": True}
    assert set(data) == {"apiVersion", "kind", "summary", "clusters", "sharedNames", "leftOver", "notes"}
    first = data["clusters"][0]
    assert first["lastSeen"] == "2026-11-23T09:58:11Z"
    assert first["resources"][0] == {
        "clusterResourceSet": "clusternet-identity",
        "kind": "ConfigMap",
        "name": "clusternet-identity",
        "state": "applied",
        "lastApplied": "2026-11-20T08:16:01Z",
        "hash": first["resources"][0]["hash"],
    }
    assert first["resources"][0]["hash"].startswith("sha256:")
    assert first["evidence"].startswith("registered (by name) as ")
    assert data["clusters"][2]["reasons"][0]["code"] == "wrong-secret-type"
    assert data["clusters"][2]["lastSeen"] is None
    assert data["leftOver"][0]["name"] == "old-1"


def test_shared_names_are_in_the_data() -> None:
    fleet = Fleet(found=live.config(mode="Shared"))
    data = status_data(report(*fleet.everything, live.managed("clusternet-cluster-x7k2p")))
    counts = {"clusters": 2, "managedClusters": 1, "ready": 1, "missing": 1}
    assert data["sharedNames"] == [{"prefix": "clusternet-cluster", "namespace": "", **counts}]


def test_reasons_are_grouped_by_code_the_most_frequent_first() -> None:
    fleet = Fleet(names=tuple(f"web-{number}" for number in range(6)))
    fleet.bindings = []
    fleet.clusters[:2] = [live.cluster("team-a", name, ready=False) for name in ("web-0", "web-1")]
    shown = status_text.table(report(*fleet.management, *fleet.payloads))
    heads = [line for line in shown.splitlines() if line.startswith("✗")]
    assert heads == ["✗ waiting: 4 Clusters", "✗ infrastructure: 2 Clusters"]


def test_an_outdated_cluster_is_not_called_unregistered() -> None:
    fleet = Fleet()
    fleet.of("ConfigMap", "clusternet-agent.web-1")["data"]["40-deployment.yaml"] += "# new\n"
    assert status_text.table(report(*fleet.everything)).endswith("2 Clusters: 1 outdated, 1 delivered and registered\n")


def test_long_names_leave_space_for_the_reason_on_80_columns() -> None:
    fleet = Fleet("marketing-and-communication-north", ("a-cluster-with-quite-a-long-name-01",))
    fleet.bindings = []
    first, second, *_ = status_text.table(report(*fleet.management, *fleet.payloads), Terminal(width=80)).splitlines()
    assert second.startswith("marketing-and-co…")
    assert second.endswith("waiting")
    assert max(len(first), len(second)) <= 80


def test_counted_clusters_show_the_numbers_with_what_they_are_of_in_a_pipe() -> None:
    fleet = Fleet("team-c", ("app-1", "app-2"), found=live.config(mode="Shared"))
    found = report(*fleet.everything, live.managed("clusternet-cluster-x7k2p", origin="team-c"))
    assert "1 of 2 of this namespace report" in status_text.table(found)
    narrow = status_text.table(found, Terminal(width=80)).splitlines()
    assert "  1 of 2" in narrow[1]
    assert narrow[-1] == "2 Clusters: 2 delivered, of which 1 not registered (which ones is not known)"


def test_the_tree_tells_the_whole_story_of_a_cluster() -> None:
    fleet = Fleet()
    live.probe(fleet.clusters[0], "Remote connection probe failed")
    found = report(*fleet.everything, of="team-a/web-1").only(frozenset({"team-a/web-1"}))
    lines = status_text.tree(found).splitlines()
    assert lines[0].split() == ["Cluster", "team-a/web-1", "fine", "Provisioned"]
    shown = "\n".join(" ".join(line.split()) for line in lines)
    for expected in (
        "├─ Infrastructure ready",
        "├─ API server not reachable Remote connection probe failed",
        "├─ ClusterResourceSet clusternet.web-1 (Reconcile)",
        "│ ├─ Secret clusternet.registration applied 2026-11-20 08:16:01 UTC",
        "│ │ └─ Secret clusternet-system/clusternet-agent-cluster-registration",
        "└─ Deployment clusternet-system/clusternet-agent",
        "└─ Registration web-1 yes registered (by name) as clusternet-6b79f/web-1, last report 1m ago",
        "DO NOW\n! unreachable: Cluster API can't reach the API server",
    ):
        assert expected in shown


def test_the_tree_and_the_total_fit_80_columns() -> None:
    fleet = Fleet("team-c", ("app-1", "app-2", "app-3"), found=live.config("clusternet-cluster-api", mode="Shared"))
    live.probe(fleet.clusters[0], "Remote connection probe failed, probe last succeeded at 2026-11-26T12:16:16Z")
    fleet.of("Secret", "clusternet-cluster-api-registration")["type"] = "Opaque"
    fleet.bindings = fleet.bindings[:1]
    found = report(*fleet.everything, live.managed("clusternet-cluster-x7k2p", origin="team-c"))
    tree = status_text.tree(found.only(frozenset({"team-c/app-1"})), Terminal(width=80))
    lines = [*tree.splitlines(), *status_text.table(found, Terminal(width=80)).splitlines()]
    assert [line for line in lines if len(line) > 80 and "kubectl" not in line] == []
    assert "│  ├─ Secret clusternet-cluster-api-registration  applied\n│  │       2026-11-20 08:16:01 UTC" in tree


def test_the_tree_of_a_cluster_in_good_order_ends_with_nothing_to_do() -> None:
    found = report(*Fleet().everything).only(frozenset({"team-a/web-1"}))
    assert status_text.tree(found).endswith("\nNOTHING TO DO\n")


def test_the_tree_of_a_cluster_whose_registration_was_not_looked_at_says_how_to_look() -> None:
    fleet = Fleet()
    fleet.of("ConfigMap", "clusternet-identity")["data"]["00-identity.yaml"] += "# new\n"
    tree = status_text.tree(report(*fleet.management, *fleet.payloads).only(frozenset({"team-a/web-1"})))
    assert tree.splitlines()[0].split() == ["Cluster", "team-a/web-1", "delivered", "Provisioned"]
    assert "DO NOW\n· no-parent: the parent cluster was not looked at" in tree
    assert "ALSO FOUND\n· changed: ConfigMap clusternet-identity was changed" in tree


def test_the_tree_is_coloured_without_a_change_of_its_layout() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.of("Secret", "clusternet.registration")["type"] = "Opaque"
    fleet.bindings = []
    found = report(*fleet.management, *fleet.payloads)
    painted = re.sub(r"\x1b\[\d+m", "", status_text.tree(found, Terminal(width=100, colour=True)))
    assert [line.rstrip() for line in painted.splitlines()] == status_text.tree(found, Terminal(width=100)).splitlines()
    assert "ALSO FOUND" not in painted
