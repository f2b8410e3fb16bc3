import json
import re

import pytest

from krm_fn.status import dump, status
from krm_fn.status.report import Report
from krm_fn.views import prose, status_data, status_table
from tests.support import live
from tests.support.live import Fleet

NOW = 1795428000  # 2026-11-23T10:00:00Z


def report(*objects: live.Object, now: int = NOW) -> Report:
    return status.evaluate(dump.read([("dump", json.dumps(live.listed(*objects)).encode())]), now)


@pytest.fixture
def fleet() -> Report:
    good = Fleet()
    bad = Fleet("team-b", tuple(f"api-{number}" for number in range(7)))
    bad.of("Secret", "clusternet.registration")["type"] = "Opaque"
    return report(*good.everything, *bad.clusters, *bad.sets, *bad.payloads, live.managed("old-1", ready="Unknown"))


def test_the_table_lists_every_cluster(fleet: Report) -> None:
    lines = status_table.render(fleet).splitlines()
    assert lines[0].split("  ")[0] == "CLUSTER"
    assert lines[1] == "team-a/web-1  clusternet.web-1  yes        yes         1m ago"
    assert lines[3].split() == ["team-b/api-0", "clusternet.api-0", "no", "no", "-", "wrong-secret-type"]


def test_left_over_things_stand_under_the_cluster_they_are_on() -> None:
    found = report(*Fleet().everything, *live.hub_objects("empty"), live.managed("old-1", ready="Unknown"))
    lines = status_table.render(found).splitlines()
    management, parent = (
        lines.index(f"LEFT OVER ON THE {side} CLUSTER: printed, not run") for side in ("MANAGEMENT", "PARENT")
    )
    assert lines[management + 1] == "! ClusterResourceSet empty/clusternet-cluster-api"
    assert lines[parent + 1].endswith("/old-1")


def test_only_what_fails_can_be_shown(fleet: Report) -> None:
    shown = status_table.render(fleet, only_failing=True)
    assert "team-a" not in shown
    assert shown.endswith("7 of 9 Clusters not registered\n")


def test_a_reason_of_many_clusters_stands_once(fleet: Report) -> None:
    shown = status_table.render(fleet)
    assert shown.count("✗ wrong-secret-type: ") == 1
    assert "team-b/api-0, team-b/api-1, team-b/api-2, team-b/api-3, team-b/api-4 and 2 more" in shown


def test_a_pipe_gets_no_escape_codes_and_no_wrapping(fleet: Report) -> None:
    shown = status_table.render(fleet)
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) > 120


def test_a_terminal_gets_colours(fleet: Report) -> None:
    shown = status_table.render(fleet, width=120, colour=True)
    assert "\x1b[32myes" in shown
    assert "\x1b[31mno" in shown
    assert shown.rstrip().endswith("\x1b[31m7 of 9 Clusters not registered\x1b[0m")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_sentences_fit_the_terminal_and_commands_stay_whole(fleet: Report, width: int) -> None:
    lines = status_table.render(fleet, width=width).splitlines()
    wide = [line for line in lines if len(line) > width]
    assert all(line.strip().startswith("kubectl") for line in wide)
    assert any("delete managedclusters.clusters.clusternet.io old-1" in line for line in lines)


def test_colours_do_not_change_the_layout(fleet: Report) -> None:
    painted = re.sub(r"\x1b\[\d+m", "", status_table.render(fleet, width=80, colour=True))
    assert [line.rstrip() for line in painted.splitlines()] == status_table.render(fleet, width=80).splitlines()


def test_another_name_is_shown_where_there_is_room() -> None:
    fleet = Fleet(names=("web-1",))
    for found in (*fleet.sets, *fleet.payloads):
        if "fn.clusternet.io/registration-name" in found["metadata"]["annotations"]:
            found["metadata"]["annotations"]["fn.clusternet.io/registration-name"] = "team-a-web-1"
    fleet.managed = [live.managed("team-a-web-1")]
    found = report(*fleet.everything)
    assert "yes (team-a-web-1)" in status_table.render(found, width=160)
    assert "yes (team-a-web-1)" in status_table.render(found)
    assert "team-a-web-1" not in status_table.render(found, width=80).splitlines()[1]


def test_a_cluster_being_deleted_is_shown_as_such() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["deletionTimestamp"] = live.NOW
    shown = status_table.render(report(*fleet.everything))
    assert "is being deleted" in shown
    assert "WHY\n" not in shown
    assert shown.endswith("1 Cluster delivered and registered\n")


@pytest.mark.parametrize(
    ("objects", "end"),
    [
        pytest.param(Fleet().everything, "2 Clusters delivered and registered", id="all"),
        pytest.param([*Fleet().management, *Fleet().payloads], "registered is unknown", id="no-parent"),
        pytest.param(Fleet().sets, "no Cluster to look at", id="none"),
        pytest.param(
            [*Fleet(found=live.config(mode="Shared")).everything, live.managed("other")],
            "2 Clusters delivered, not all of them registered",
            id="shared",
        ),
        pytest.param([*Fleet().clusters, *Fleet().sets], "2 of 2 Clusters not delivered", id="undelivered"),
    ],
)
def test_the_last_line_sums_up(objects: list[live.Object], end: str) -> None:
    assert status_table.render(report(*objects)).rstrip("\n").endswith(end)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3600, "1h"), (86399, "23h"), (172800, "2d")]
)
def test_ages_are_shown_in_their_largest_unit(seconds: int, shown: str) -> None:
    assert status_table.age(seconds) == shown


def test_escape_codes_of_a_dump_do_not_reach_the_terminal() -> None:
    fleet = Fleet(names=("web-1",))
    fleet.clusters[0]["metadata"]["name"] = "web-1\x1b[2J"
    assert "\x1b" not in status_table.render(report(*fleet.management))


def test_a_narrow_terminal_still_gets_readable_lines() -> None:
    assert prose.wrap("one two three four five six seven eight", 5, "- ", "  ") == [
        "- one two three four five six seven",
        "  eight",
    ]


def test_the_data_is_json_and_complete(fleet: Report) -> None:
    data = json.loads(json.dumps(status_data.as_data(fleet)))
    assert data["summary"] == {"clusters": 9, "ok": 2, "failing": 7, "parentSeen": True}
    assert set(data) == {"apiVersion", "kind", "summary", "clusters", "sharedNames", "leftOver", "notes"}
    first = data["clusters"][0]
    assert first["lastSeen"] == "2026-11-23T09:58:11Z"
    assert first["resources"][0] == {
        "clusterResourceSet": "clusternet-identity",
        "kind": "ConfigMap",
        "name": "clusternet-identity",
        "state": "applied",
        "lastApplied": "2026-11-20T08:16:01Z",
    }
    assert data["clusters"][2]["reasons"][0]["code"] == "wrong-secret-type"
    assert data["clusters"][2]["lastSeen"] is None
    assert data["leftOver"][0]["name"] == "old-1"


def test_shared_names_are_in_the_data() -> None:
    fleet = Fleet(found=live.config(mode="Shared"))
    data = status_data.as_data(report(*fleet.everything, live.managed("clusternet-cluster-x7k2p")))
    assert data["sharedNames"] == [{"prefix": "clusternet-cluster", "clusters": 2, "managedClusters": 1, "ready": 1}]
