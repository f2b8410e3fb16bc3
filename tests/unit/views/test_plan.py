"""The views of a Plan where there is much to show, or what is shown could be taken for markup."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.clusters import inventory
from krm_fn.earlier import compare
from krm_fn.krm.results import Result
from krm_fn.krm.streams import read_stream
from krm_fn.views import plan_data, plan_markdown, plan_mermaid, plan_table
from krm_fn.views.shown import Shown, count
from krm_fn.yaml.write import dump
from tests.support.lists import cluster, config, run


def shown(items: list[Any], before: list[Any] | None = None, results: Any = (), **spec: Any) -> Shown:
    made = run(items, config(**spec))
    assert made.outcome is not None
    compared = None
    if before is not None:
        old = run(before, config(**spec))
        stream = "---\n".join(dump(one) for one in old.items).encode()
        owned = inventory.take(read_stream(stream), ()).owned
        compared = compare.compare(made.outcome.configs, made.plan.generated, made.plan.verdicts, owned, None)
    return Shown(
        plan=made.plan, configs=made.outcome.configs, results=(*made.outcome.results, *results), comparison=compared
    )


MANY = [cluster(f"c{at:03}", f"team-{at % 3}") for at in range(230)]


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    text = plan_markdown.render(shown(MANY))
    assert "… and 30 more Clusters; `clusternet-capi-fn plan -o json` lists all." in text
    assert text.count("| `clusternet-cluster-xxxxx` |") == 200


def test_clusters_that_are_left_out_are_listed_with_their_reason() -> None:
    text = plan_markdown.render(shown([cluster("a"), cluster("b", labels={"env": "dev"})]))
    assert "1 Cluster left out, and why" in text
    assert "| team-a/b | fleet | env=prod: the label is 'dev' |" in text


def test_without_a_match_there_is_no_picture() -> None:
    view = shown([cluster("b", labels={"env": "dev"})], guard={"allowNoClusters": True})
    assert "mermaid" not in plan_markdown.render(view)
    assert "parent" not in plan_mermaid.render(view)


def test_what_markdown_and_html_take_for_markup_is_escaped() -> None:
    result = Result(
        message="<b>*x*</b> _y_ `z` [a](b) c|d \\ &", severity="warning", field="spec.x", file_path="a.yaml"
    )
    text = plan_markdown.render(shown([cluster("a")], results=[result]))
    assert r"&lt;b&gt;\*x\*&lt;/b&gt; \_y\_ \`z\` \[a\](b) c\|d \\ &amp; (`spec.x`, `a.yaml`)" in text


def test_what_mermaid_takes_for_markup_is_escaped() -> None:
    assert plan_mermaid._label('a "b" <c> #d') == '"a #quot;b#quot; #lt;c#gt; #35;d"'


@pytest.mark.parametrize("render", [plan_markdown.render, plan_table.render], ids=["markdown", "table"])
def test_changes_are_shown_with_a_diff(render: Any) -> None:
    view = shown([cluster("a")], before=[cluster("a"), cluster("b", "team-b")], agent={"replicas": 2})
    text = render(view)
    assert "removed" in text
    assert view.comparison is not None
    assert not view.comparison.empty


def test_where_nothing_changes_no_diff_is_shown() -> None:
    text = plan_markdown.render(shown([cluster("a")], before=[cluster("a")]))
    assert "Objects that change" not in text
    assert "diff" not in text


def test_a_large_fleet_is_drawn_with_counts_for_each_set_or_for_all() -> None:
    text = plan_mermaid.render(shown(MANY, identity={"mode": "PerCluster"}))
    assert "77 ClusterResourceSets" in text
    assert "77 Clusters" in text
    assert "c001" not in text


def test_clusters_without_a_namespace_are_drawn_as_such() -> None:
    assert "no namespace" in plan_mermaid.render(shown([cluster("a", "")]))


def test_json_and_yaml_end_with_a_line_end() -> None:
    view = shown([cluster("a")])
    assert plan_data.as_json(view).endswith("}\n")
    assert plan_data.as_yaml(view).endswith("\n")


def test_numbers_agree_with_their_nouns() -> None:
    assert (count(1, "Cluster"), count(0, "Cluster"), count(2, "Cluster")) == ("1 Cluster", "0 Clusters", "2 Clusters")
    view = shown([cluster("a", "")])
    assert {new.key.title for new in view.plan.generated} >= {"ConfigMap clusternet-cluster-api-agent"}
    assert "5 generated objects in 1 namespace" in view.summary
