"""The views of a Plan: what they show, how much of it, and what can't become markup in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from krm_fn.cli.shared import data_text
from krm_fn.krm.results import Result
from krm_fn.kube.labels import LabelSelector
from krm_fn.views import Terminal, plan_markdown, plan_shown, plan_text
from krm_fn.views.data import plan_data
from krm_fn.views.plan_shown import Filters, Shown, count
from tests.support.lists import cluster, config
from tests.support.plans import change, plan

OLDER = {"image": "ghcr.io/clusternet/clusternet-agent:v0.18.0"}
DEV = {"env": "dev"}
PER_CLUSTER = {"mode": "PerCluster"}
WAVES = [
    config(f"wave-{number}", clusterSelector={"matchLabels": {"wave": str(number)}}, clusterResourceSet={"name": f"w{number}"})
    for number in (1, 2)
]  # fmt: skip


def wave(number: int, name: str) -> Any:
    return cluster(name, labels={"wave": str(number)})


RENDER = {
    "markdown": plan_markdown.render,
    "mermaid": plan_text.mermaid,
    "table": plan_text.table,
    "json": lambda view: data_text(plan_data(view), "json"),
    "yaml": lambda view: data_text(plan_data(view), "yaml"),
}
EVERY = pytest.mark.parametrize("form", RENDER)


# --- every form ------------------------------------------------------------------------------------------------------


@EVERY
def test_an_error_is_in_every_form(form: str) -> None:
    view = plan([cluster("a", labels=DEV), config()])
    assert "the one Cluster in the input does not match" in RENDER[form](view)


@EVERY
def test_an_input_that_cannot_be_read_is_an_error_in_every_form(form: str) -> None:
    view = Shown(configs=(), results=(Result(message="a.yaml can't be read"),))
    assert "a.yaml can't be read" in RENDER[form](view)


@EVERY
def test_equal_plans_give_equal_text(form: str) -> None:
    clusters = [cluster("a"), cluster("b", "team-b"), cluster("c", labels=DEV)]
    # the config comes first, so that warnings about it have the same place
    assert RENDER[form](plan([config(), *clusters])) == RENDER[form](plan([config(), *clusters[::-1]]))


# --- the table -------------------------------------------------------------------------------------------------------


def test_what_is_the_same_for_every_cluster_is_said_once() -> None:
    lines = plan_text.table(plan([cluster("a"), cluster("b", labels=DEV), config()])).splitlines()
    common = "Clusters that register match env=prod, are named clusternet-cluster-xxxxx and get ClusterResourceSet"
    assert lines[:4] == [
        f"{common} clusternet-cluster-api.",
        "NAMESPACE  CLUSTER  REGISTERS  WHY",
        "team-a     a        yes",
        "team-a     b        no         env=prod: the label is 'dev'",
    ]


def test_names_of_their_own_are_in_a_column() -> None:
    lines = plan_text.table(plan([cluster("a"), cluster("b"), config(identity=PER_CLUSTER)])).splitlines()
    assert lines[0].endswith("match env=prod and get ClusterResourceSet clusternet-cluster-api.<cluster>.")
    assert lines[1:3] == ["NAMESPACE  CLUSTER  REGISTERS  AS", "team-a     a        yes        a"]


def test_several_configs_have_a_column() -> None:
    lines = plan_text.table(plan([wave(1, "a"), wave(2, "b"), *WAVES])).splitlines()
    assert lines[1].split() == ["CONFIG", "NAMESPACE", "CLUSTER", "REGISTERS", "RESOURCE", "SET", "WHY"]
    assert lines[2].split() == ["wave-1", "team-a", "a", "yes", "w1", "wave=1"]


def test_a_cluster_that_another_config_registers_has_one_row() -> None:
    view = plan([wave(1, "a"), wave(2, "b"), wave(3, "c"), *WAVES])
    assert [(one.cluster.name, one.matched) for one in view.verdicts] == [("a", True), ("c", False), ("b", True)]


@pytest.mark.parametrize("width", [80, 160])
def test_every_line_fits_the_terminal_and_the_reason_is_whole(width: int) -> None:
    selector = {"matchLabels": {"clusternet.example.com/register-with-the-fleet": "true"}}
    names = [
        cluster(f"a-cluster-with-quite-a-long-name-{at}", "a-namespace-of-some-length", labels=DEV) for at in range(2)
    ]
    view = plan([*names, cluster("b"), config(clusterSelector=selector, guard={"allowNoClusters": True})])
    text = plan_text.table(view, Terminal(width=width))
    assert max(len(line) for line in text.splitlines()) <= width
    assert "the label is absent" in " ".join(text.split())


def test_colours_are_used_only_where_asked_for() -> None:
    view = change([cluster("a"), config()], [cluster("a"), config(agent=OLDER)])
    assert "\x1b" not in plan_text.table(view)
    assert "\x1b[32m+" in plan_text.table(view, Terminal(colour=True))


def test_control_characters_of_a_diff_do_not_reach_the_terminal() -> None:
    view = change([cluster("a"), config()], [cluster("a"), config(agent={"env": [{"name": "X", "value": "\x1b[2J"}]})])
    assert "\x1b" not in plan_text.table(view)


# --- what changes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["markdown", "table"])
def test_a_change_has_its_numbers_effects_and_diff(form: str) -> None:
    view = change([cluster("a"), cluster("b", "team-b"), config()], [cluster("a"), config(agent=OLDER)])
    text = RENDER[form](view)
    assert "Objects: 0 added, 1 changed, 5 removed, 4 unchanged." in text
    assert "Agent pods restart on 1 Cluster" in text
    assert "1 Cluster is no longer in the input" in text
    assert '+            "image": "ghcr.io/clusternet/clusternet-agent:v0.18.0"' in text


@pytest.mark.parametrize("form", ["markdown", "table"])
def test_equal_diffs_are_shown_once(form: str) -> None:
    fleet = [cluster("a", f"team-{number}") for number in range(5)]
    text = RENDER[form](change([*fleet, config()], [*fleet, config(agent=OLDER)]))
    assert text.count('-            "image"') == 1
    assert "the same for 4 more objects in 5 namespaces" in text or "the same in 4 more objects" in text


@pytest.mark.parametrize("form", ["markdown", "table"])
def test_where_nothing_changes_no_diff_is_shown(form: str) -> None:
    text = RENDER[form](change([cluster("a"), config()], [cluster("a"), config()]))
    assert "Nothing changes." in text
    assert "@@" not in text


@pytest.mark.parametrize("form", ["markdown", "table"])
def test_what_changes_outside_of_the_filters_is_not_denied(form: str) -> None:
    fleet = [cluster("a"), cluster("b", "team-b")]
    view = change([*fleet, config()], [fleet[0], config()], Filters(namespaces=("team-a",)))
    assert "Nothing changes in what is shown; something does in what is not." in RENDER[form](view)


def test_a_rename_of_a_whole_set_is_one_sentence_that_names_its_reason() -> None:
    fleet = [cluster(f"c{number}") for number in range(20)]
    once = config(clusterResourceSet={"name": "fleet-2", "strategy": "ApplyOnce"})
    view = change([*fleet, config()], [*fleet, once])
    text = plan_markdown.render(view)
    assert (
        "**ClusterResourceSet clusternet-cluster-api becomes fleet-2 on 20 Clusters, as a change of strategy needs**"
        in text
    )
    assert not [one for one in view.warnings if "move" in one.message]


def test_every_effect_has_words() -> None:
    codes = set(plan_shown.codes.CODES)
    assert set(plan_shown.WORDS) == codes


# --- filters ---------------------------------------------------------------------------------------------------------

FLEET = [cluster("a"), cluster("b"), cluster("c", "team-b", labels={"env": "prod", "tier": "gold"})]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(namespaces=("team-b",)), ["team-b/c"]),
        (Filters(clusters=("team-a/b", "team-b/c")), ["team-a/b", "team-b/c"]),
        (Filters(selector=LabelSelector.of({"tier": "gold"}, ())), ["team-b/c"]),
    ],
)
def test_filters_choose_clusters_and_count_the_rest(filters: Filters, expected: list[str]) -> None:
    view = plan([*FLEET, config()], filters)
    assert [one.cluster.title for one in view.verdicts] == expected
    assert view.hidden == 3 - len(expected)


def test_only_what_changes_is_shown_where_that_is_asked_for() -> None:
    view = change([FLEET[0], config()], [*FLEET[:2], config()], Filters(only_changed=True))
    assert [one.cluster.title for one in view.verdicts] == ["team-a/b"]
    assert "(1 Cluster not shown)" in view.summary


def test_effects_and_objects_are_narrowed_too() -> None:
    view = change([*FLEET, config()], [*FLEET, config(agent=OLDER)], Filters(namespaces=("team-b",)))
    assert [one.clusters for one in view.effects] == [("team-b/c",)]
    assert view.comparison is not None
    assert {key.namespace for key in view.comparison.changed} == {"team-b"}


def test_a_cluster_that_is_gone_is_found_by_its_name_and_namespace() -> None:
    for filters in (Filters(clusters=("team-b/c",)), Filters(namespaces=("team-b",))):
        view = change([*FLEET, config()], [*FLEET[:2], config()], filters)
        assert view.happens == {"team-b/c": ["removed"]}


def test_of_a_cluster_that_is_asked_for_every_config_tells() -> None:
    view = plan([wave(1, "a"), wave(2, "b"), *WAVES], Filters(clusters=("team-a/a",)))
    assert [(one.config, one.matched) for one in view.verdicts] == [("wave-1", True), ("wave-2", False)]


# --- Markdown --------------------------------------------------------------------------------------------------------


def many(number: int, **labels: str) -> list[Any]:
    return [
        cluster(f"cluster-with-a-name-{at:04}", f"namespace-{at % 400:03}", labels=labels or {"env": "prod"})
        for at in range(number)
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"agent": OLDER}, id="image"),
        pytest.param({}, {"identity": PER_CLUSTER}, id="mode"),
        pytest.param({"identity": PER_CLUSTER}, {"identity": PER_CLUSTER, "agent": OLDER}, id="image PerCluster"),
        pytest.param(
            {}, {"clusterSelector": {"matchLabels": {"env": "no"}}, "guard": {"allowNoClusters": True}}, id="all go"
        ),
    ],
)
def test_a_comment_stays_within_what_github_takes(before: Any, after: Any) -> None:
    fleet = many(400)
    view = change([*fleet, config(**before)], [*fleet, config(**after)])
    view = view.replace(results=(*view.results, *[Result(message="w" * 500, severity="warning") for _ in range(500)]))
    text = plan_markdown.render(view)
    assert len(text) <= plan_markdown.LIMIT
    first = text[:4000]
    assert view.summary in first
    assert all(plan_shown.headline(one).partition(" ")[2].split(",")[0][:20] in first for one in view.effects[:2])
    assert text.count("<details>") == text.count("</details>")


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    text = plan_markdown.render(plan([*many(400), config()]))
    assert "more Clusters; `clusternet-capi-fn plan -o json` lists all." in text


def test_clusters_that_are_left_out_are_listed_with_their_reason() -> None:
    text = plan_markdown.render(plan([cluster("a"), cluster("b", labels=DEV), config()]))
    assert "1 Cluster left out, and why" in text
    assert "| team-a/b | fleet | env=prod: the label is 'dev' |" in text


def test_warnings_of_one_rule_are_grouped() -> None:
    warnings = [Result(message=f"cluster {at} is odd", severity="warning", rule="odd") for at in range(40)]
    other = Result(message="another thing", severity="warning", rule="other")
    view = plan([cluster("a"), config()])
    text = plan_markdown.render(view.replace(results=(*warnings, other)))
    assert "### 41 warnings" in text
    assert text.count("is odd") == 3
    assert "… and 37 more warnings of this kind" in text
    assert "another thing" in text


def test_without_a_match_there_is_no_picture() -> None:
    view = plan([cluster("b", labels=DEV), config(guard={"allowNoClusters": True})])
    assert "mermaid" not in plan_markdown.render(view)
    assert "parent" not in plan_text.mermaid(view)


def test_what_markdown_and_html_take_for_markup_is_escaped() -> None:
    result = Result(message="<b>*x*</b> @all", severity="warning", field="spec.`x`", file_path="a\n# b.yaml")
    text = plan_markdown.render(plan([cluster("a"), config()]).replace(results=(result,)))
    assert r"&lt;b&gt;\*x\*&lt;/b&gt; <span>@</span>all (`` spec.`x` ``, `a # b.yaml`)" in text


# --- the picture -----------------------------------------------------------------------------------------------------


def test_what_mermaid_takes_for_markup_is_escaped() -> None:
    assert plan_text._label('a "b" <c> #d `e`') == '"a #quot;b#quot; #lt;c#gt; #35;d #96;e#96;"'


def test_new_moved_and_lost_clusters_are_marked() -> None:
    before = [wave(1, "x"), wave(2, "y"), wave(2, "moves"), wave(2, "goes"), *WAVES]
    now = [wave(1, "x"), wave(2, "y"), wave(1, "moves"), wave(1, "comes"), *WAVES]
    text = plan_text.mermaid(change(before, now))
    assert '["moves<br/>as clusternet-cluster-xxxxx<br/>moved"]:::moved' in text
    assert '["comes<br/>as clusternet-cluster-xxxxx<br/>new"]:::new' in text
    assert 'lost["no longer served:<br/>team-a/goes"]:::lost' in text
    assert {f"  classDef {name}" for name in ("new", "moved", "lost")} <= {
        " ".join(line.split(" ")[:4]) for line in text.splitlines()
    }


def test_a_large_fleet_is_drawn_with_counts_for_each_set_or_for_all() -> None:
    fleet = [cluster(f"c{at:03}", f"team-{at % 3}") for at in range(230)]
    text = plan_text.mermaid(plan([*fleet, config(identity=PER_CLUSTER)]))
    assert "77 ClusterResourceSets" in text
    assert "77 Clusters" in text
    assert "c001" not in text


def test_a_very_large_fleet_is_drawn_as_a_whole() -> None:
    text = plan_text.mermaid(plan([*many(200), config()]))
    assert "200 namespaces" in text
    assert "200 Clusters" in text
    assert len(text) < 1000


def test_clusters_without_a_namespace_are_drawn_as_such() -> None:
    assert "no namespace" in plan_text.mermaid(plan([cluster("a", ""), config()]))


# --- data ------------------------------------------------------------------------------------------------------------


def test_data_carries_the_effects_of_each_cluster_and_of_all() -> None:
    view = change([FLEET[0], config()], [*FLEET[:2], config(agent=OLDER)])
    found = plan_data(view)
    assert {one["name"]: one["effects"] for one in found["clusters"]} == {"a": ["rolls"], "b": ["registers"]}
    assert [(one["code"], one["clusters"]) for one in found["comparison"]["effects"]] == [
        ("rolls", ["team-a/a"]),
        ("registers", ["team-a/b"]),
    ]
    assert all(one["message"].endswith(".") for one in found["comparison"]["effects"])


def test_json_and_yaml_are_one_document() -> None:
    view: Shown = change([FLEET[0], config()], [*FLEET[:2], config(agent=OLDER)])
    assert json.loads(RENDER["json"](view)) == yaml.safe_load(RENDER["yaml"](view))


def test_numbers_agree_with_their_nouns() -> None:
    assert (count(1, "Cluster"), count(0, "Cluster"), count(2000, "Cluster")) == (
        "1 Cluster",
        "0 Clusters",
        "2,000 Clusters",
    )
    view = plan([cluster("a", ""), config()])
    assert {new.key.title for new in view.generated} >= {"ConfigMap clusternet-cluster-api-agent"}
    assert "5 generated objects in 1 namespace" in view.summary
