import json
import re

import pytest

from krm_fn.krm.results import Errors
from krm_fn.status import dump
from tests.support import live

CLUSTER = live.cluster("team-a", "web-1")
BEGIN = b"apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {name: web-1, namespace: team-a}\n"


def names(found: dump.Dump, kind: tuple[str, str] = dump.CLUSTER) -> list[str]:
    return [value["metadata"]["name"] for value in found.of(kind)]


def message(data: bytes) -> str:
    with pytest.raises(Errors) as caught:
        dump.read([("dump.yaml", data)])
    (result,) = caught.value.results
    assert "\n" not in result.message
    return result.text()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(live.as_yaml(CLUSTER), id="list-yaml"),
        pytest.param(live.as_json(CLUSTER), id="list-json"),
        pytest.param(json.dumps(CLUSTER).encode(), id="one-object-json"),
        pytest.param(BEGIN, id="one-object-yaml"),
        pytest.param(b"---\n" + BEGIN + b"---\n# nothing\n---\n", id="documents"),
        pytest.param(b"{apiVersion: cluster.x-k8s.io/v1beta2, kind: Cluster, metadata: {name: web-1}}", id="yaml-flow"),
        pytest.param(b"\xef\xbb\xbf" + live.as_yaml(CLUSTER), id="utf-8-bom"),
        pytest.param(live.as_yaml(CLUSTER).decode().encode("utf-16"), id="powershell-utf-16"),
        pytest.param(live.as_yaml(CLUSTER).replace(b"\n", b"\r\n"), id="crlf"),
    ],
)
def test_what_kubectl_prints_is_read(data: bytes) -> None:
    assert names(dump.read([("dump", data)])) == ["web-1"]


def test_items_of_a_typed_list_get_its_kind() -> None:
    value = {key: CLUSTER[key] for key in ("metadata", "spec")}
    data = json.dumps({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "ClusterList", "items": [value]}).encode()
    assert names(dump.read([("dump", data)])) == ["web-1"]


@pytest.mark.parametrize(
    "joined",
    [
        pytest.param(live.as_json(CLUSTER) + live.as_json(live.cluster("team-a", "web-2")), id="json-json"),
        pytest.param(live.as_json(CLUSTER) + b"---\n" + live.as_yaml(live.cluster("team-a", "web-2")), id="json-yaml"),
        pytest.param(live.as_yaml(CLUSTER) + b"---\n" + live.as_yaml(live.cluster("team-a", "web-2")), id="yaml-yaml"),
        pytest.param(
            live.as_json(CLUSTER) + b"\n---\n" + live.as_json(live.cluster("team-a", "web-2")), id="json-dashes-json"
        ),
    ],
)
def test_dumps_joined_in_one_stream_are_read(joined: bytes) -> None:
    assert names(dump.read([("stdin", joined)])) == ["web-1", "web-2"]


def test_dumps_in_several_files_are_read_whatever_their_order() -> None:
    other = live.cluster("team-b", "api-1", live.V1BETA1)
    inputs = [("a", live.as_yaml(CLUSTER)), ("b", live.as_json(other))]
    assert dump.read(inputs) == dump.read(inputs[::-1])


@pytest.mark.parametrize("turned", [False, True], ids=["old-first", "new-first"])
def test_of_an_object_dumped_twice_the_newer_state_stays(*, turned: bool) -> None:
    old, new = live.cluster("team-a", "web-1", ready=False), live.cluster("team-a", "web-1")
    old["metadata"]["resourceVersion"], new["metadata"]["resourceVersion"] = "900", "1000"
    inputs = [("old", live.as_yaml(old)), ("new", live.as_yaml(new))]
    (found,) = dump.read(inputs[::-1] if turned else inputs).of(dump.CLUSTER)
    assert found["status"]["phase"] == "Provisioned"


def page(name: str, more: str) -> tuple[str, bytes]:
    value = {key: live.cluster("team-a", name)[key] for key in ("metadata", "spec")}
    found = {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "ClusterList",
        "metadata": {"continue": more},
        "items": [value],
    }
    return (name, json.dumps(found).encode())


@pytest.mark.parametrize("items", [b"items:\n", b"items:\n- metadata:\n    name: web-1\n", b"items: []\n"])
def test_a_list_that_breaks_off_before_its_kind_is_refused(items: bytes) -> None:
    """Cut between two lines, what kubectl printed is valid YAML: its objects must not count as not being on the server."""
    with pytest.raises(Errors, match="b holds a list without its end; was the dump cut off"):
        dump.read([("a", live.as_yaml(CLUSTER)), ("b", b"apiVersion: v1\n" + items)])


def test_pages_of_a_list_are_refused_until_the_last_is_there() -> None:
    assert names(dump.read([page("a", "x"), page("c", ""), page("b", "y")])) == ["a", "b", "c"]
    with pytest.raises(Errors, match="b holds only some pages of a ClusterList: dump it without a limit"):
        dump.read([page("a", "x"), page("b", "y")])


def test_times_stay_strings_and_quoted_scalars_too() -> None:
    data = BEGIN + b"spec: {when: 2026-11-20T08:15:30Z, id: '0123', paused: on, many: 3}\n"
    (found,) = dump.read([("dump", data)]).of(dump.CLUSTER)
    assert found["spec"] == {"when": "2026-11-20T08:15:30Z", "id": "0123", "paused": True, "many": 3}


def test_of_secrets_and_configmaps_only_ours_the_hubs_and_what_sets_refer_to_are_kept() -> None:
    fleet = live.Fleet(names=("web-1",))
    fleet.sets[0]["spec"]["resources"].append({"kind": "Secret", "name": "by-hand"})
    kinds = {
        "Secret": ("by-hand", "bootstrap-token-7fq2kd", "other"),
        "ConfigMap": ("clusternet-agent-deploy", "by-hand"),
    }
    more = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": fleet.namespace}}
        for kind, names in kinds.items()
        for name in names
    ]
    found = dump.read([("dump", live.as_json(*fleet.everything, *more, live.hub_secret()))])
    assert [names(found, kind) for kind in (dump.SECRET, dump.CONFIG_MAP)] == [
        ["clusternet-cluster-api", "bootstrap-token-7fq2kd", "by-hand", "clusternet.registration"],
        ["clusternet-agent-deploy", "clusternet-agent.web-1", "clusternet-identity"],
    ]


def test_kinds_that_nobody_needs_are_dropped() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d"}}
    found = dump.read([("dump", live.as_yaml(CLUSTER, pod))])
    assert set(found.objects) == {dump.CLUSTER}


def test_an_empty_list_is_counted() -> None:
    found = dump.read([("management", live.as_yaml(CLUSTER)), ("parent", live.as_yaml())])
    assert found.empty_lists == 1


def test_the_repr_shows_counts_only() -> None:
    assert repr(dump.read([("dump", live.as_yaml(live.hub_secret()))])) == "Dump(Secret: 1)"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "dump.yaml is empty: kubectl printed nothing", id="empty"),
        pytest.param(b" \n\n", "dump.yaml is empty", id="blank"),
        pytest.param(
            BEGIN + BEGIN, "dump.yaml:4:1: error: a second dump begins here: put a line --- before it", id="appended"
        ),
        pytest.param(b"NAMESPACE   NAME    PHASE\ndefault     web     Provisioned\n", "kubectl's table", id="table"),
        pytest.param(b"NAME    AGE\nweb     1d\n", "add -o yaml", id="table-without-namespace"),
        pytest.param(live.as_json(CLUSTER)[:-40], "invalid JSON", id="json-cut-off"),
        pytest.param(
            live.as_json(CLUSTER)[:7],
            "dump.yaml:2:5: error: invalid JSON: it ends in the middle of an object",
            id="json-cut-off-early",
        ),
        pytest.param(b'{"a": 1}}', "invalid", id="json-with-a-brace-too-many"),
        pytest.param(b"items:\n- apiVersion: v1\n  kind: 'Sec", "invalid YAML", id="yaml-cut-off"),
        pytest.param(b"a: b\n\tc: d\n", "a tab where YAML wants spaces", id="tab"),
        pytest.param(
            b"Error from server (Forbidden): clusters is forbidden\n",
            "a message of kubectl, not a dump: Error from server",
            id="error",
        ),
        pytest.param(b"hello\n", "plain text where an object should be", id="text"),
        pytest.param(b"- a\n- b\n", "a list where an object should be", id="yaml-list"),
        pytest.param(b"[]", "a list where an object should be", id="json-list"),
        pytest.param(b"42", "a plain value where an object should be", id="number"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00", "its byte 0 is not valid UTF-8; run kubectl get", id="binary"),
        pytest.param(b"\xff\xfea", "is not valid UTF-16; run kubectl get", id="half-utf-16"),
        pytest.param(b"a: b\0c\n", "NUL", id="nul"),
        pytest.param(b"a: &x [*x]\n", "invalid YAML", id="refers-to-itself"),
        pytest.param(b"a: *nobody\n", "invalid YAML", id="unknown-alias"),
        pytest.param(b"{" * 20_000, "invalid|nested|YAML", id="braces"),
        pytest.param(b'{"a":' * 200_000, "nested too deep", id="deep-json"),
        pytest.param(b"- " * 20_000, "YAML", id="deep-yaml"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "a number too long", id="long-number"),
        pytest.param(
            b'{"apiVersion":"v1","kind":"Status","message":"clusters is forbidden: eyJhbGciOi.eyJzdWIiOi.c2ln"}',
            "clusters is forbidden: (hidden)",
            id="status",
        ),
        pytest.param(live.as_yaml({"apiVersion": "v1", "kind": "Pod", "metadata": {}}), "only 1 Pod; run", id="pods"),
        pytest.param(b"{}", "only 1 without a kind", id="empty-object"),
        pytest.param(b"null", "holds no object", id="null"),
    ],
)
def test_what_is_no_dump_is_refused_in_one_line(data: bytes, said: str) -> None:
    assert re.search("|".join(map(re.escape, said.split("|"))), message(data))


def test_lists_within_lists_are_unfolded_at_any_depth() -> None:
    value = CLUSTER
    for _ in range(20):
        value = live.listed(value)
    assert names(dump.read([("dump", json.dumps(value).encode())])) == ["web-1"]


def test_at_most_five_foreign_kinds_are_named() -> None:
    pods = [{"apiVersion": "v1", "kind": f"K{number}", "metadata": {}} for number in range(7)]
    assert "only 1 K0, 1 K1, 1 K2, 1 K3, 1 K4 and 2 more" in message(live.as_yaml(*pods))


def test_the_errors_of_all_files_come_at_once() -> None:
    with pytest.raises(Errors) as caught:
        dump.read([("a", b""), ("b", b"[]"), ("c", live.as_yaml(CLUSTER))])
    assert [result.file_path for result in caught.value.results] == ["a", "b"]


def test_clusters_of_another_group_are_no_clusters() -> None:
    postgres = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "db"}}
    assert "only 1 Cluster.postgresql.cnpg.io" in message(live.as_yaml(postgres))
