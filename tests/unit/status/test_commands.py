"""Every command that `status` prints has a situation on the lab in which it is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from krm_fn import status
from krm_fn.cli import status as cli_status
from krm_fn.status import dump, objects, report
from krm_fn.status.commands import Commands
from krm_fn.status.dump import Dump
from tests.hosts.lab.faults import delivered, manager, printed, registered, scenario, selected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(status.__file__).parent
MODULES = [path for path in sorted(FOLDER.glob("*.py")) if path.name != "commands.py"]
METHODS = frozenset(name for name in vars(Commands) if not name.startswith("_") and callable(getattr(Commands, name)))


def made_in(node: ast.AST, function: ast.FunctionDef, module: ast.Module, seen: frozenset[str]) -> set[str]:
    """The methods of `Commands` that an expression calls: itself, through a variable, or through a function of the module."""
    found: set[str] = set()
    functions = {one.name: one for one in module.body if isinstance(one, ast.FunctionDef)}
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and one.attr in METHODS:
            owner = one.value.attr if isinstance(one.value, ast.Attribute) else getattr(one.value, "id", "")
            found |= {one.attr} if owner == "commands" else set()
        elif isinstance(one, ast.Name) and one.id not in seen:
            if one.id in functions:
                helper = functions[one.id]
                found |= made_in(helper, helper, module, seen | {one.id})
            else:
                found |= assigned(one.id, function, module, seen | {one.id})
    return found


def assigned(name: str, function: ast.FunctionDef, module: ast.Module, seen: frozenset[str]) -> set[str]:
    """The same for what a function, or a caller that passes it as an argument, gives a variable."""
    found: set[str] = set()
    for one in ast.walk(function):
        if isinstance(one, (ast.Assign, ast.AnnAssign)) and one.value:
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                found |= made_in(one.value, function, module, seen)
    names = [argument.arg for argument in function.args.args]
    if name in names:
        for caller in ast.walk(module):
            if isinstance(caller, ast.Call) and getattr(caller.func, "id", "") == function.name:
                passed = caller.args[names.index(name) :][:1]
                found |= {each for value in passed for each in made_in(value, function, module, seen)}
    return found


def printers() -> Iterator[tuple[str, str]]:
    """Each reason's code (what is left over has none: its function) with the commands that it prints."""
    for path in MODULES:
        module = ast.parse(path.read_text(encoding="utf-8"))
        for function in (one for one in ast.walk(module) if isinstance(one, ast.FunctionDef)):
            for call in (one for one in ast.walk(function) if isinstance(one, ast.Call)):
                kind = getattr(call.func, "id", "")
                if kind not in {"Reason", "Orphan"}:
                    continue
                given = {one.arg: one.value for one in call.keywords}
                steps = given.get("remedy" if kind == "Reason" else "commands")
                made = made_in(steps, function, module, frozenset()) if steps else set()
                for code in codes(given["code"], function) if kind == "Reason" else [function.name]:
                    yield from ((code, one) for one in made)


def codes(value: ast.expr, function: ast.FunctionDef) -> set[str]:
    """The codes that a reason can have; of a variable all that look like one in its function."""
    if isinstance(value, ast.Attribute):
        return {getattr(report, value.attr)}
    where = function if isinstance(value, ast.Name) else value
    texts = {one.value for one in ast.walk(where) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {one for one in texts if re.fullmatch(r"[a-z]+(-[a-z]+)*", one)}


def test_each_command_that_can_be_printed_has_a_situation_in_which_it_is_run() -> None:
    assert sorted({*printers()}) == sorted(printed.RUN_BY)


def test_each_of_these_situations_is_there() -> None:
    named = {name for names in printed.RUN_BY.values() for name in names}
    assert named - {*scenario.of(delivered, manager, registered, selected), printed.NOTES} == set()
    assert all(printed.RUN_BY.values())


def test_each_command_that_looks_something_up_shows_what_its_reader_is_sent_to_see() -> None:
    shown = {method: set(words.values()) for (_, method), words in printed.RUN_BY.items()}
    assert {method for method, words in shown.items() if words != {""}} == set(printed.READING)
    cluster = objects.LiveCluster({"metadata": {"name": "a", "namespace": "b"}})
    made = {
        "describe": Commands().describe(cluster),
        "describe_namespace": Commands().describe_namespace("a"),
        "manager": Commands(context="c").manager(),
        "manager_log": Commands().manager_log(objects.Manager(Dump(objects={})), "a"),
        "pods": Commands().pods(cluster, "a"),
    }
    assert {method: printed.reading(command) for method, command in made.items()} == {one: one for one in made}
    others = (Commands().dump_manager(), Commands().lease(cluster, "a"), Commands().retry("a", ["b"]))
    assert [printed.reading(one) for one in others] == ["", "", ""]


def test_no_command_is_made_but_in_one_place_and_each_there_is_printed() -> None:
    elsewhere = [
        f"{path.name}: {one.value}"
        for path in MODULES
        for one in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.startswith("kubectl ")
    ]
    assert elsewhere == ["dump.py: kubectl "]  # in messages about dumps; the command of `dump_clusters`
    assert {method for _, method in printed.RUN_BY} == METHODS


@pytest.mark.parametrize("name", ["--all", "-A", "$(reboot)", "a b"])
def test_a_name_that_no_server_would_take_neither_is_an_option_nor_runs(name: str) -> None:
    made = Commands(context=name).delete_set(name, name)
    assert f"delete {dump.SETS} {'-- ' if name[0] == '-' else ''}" in made
    assert not re.search(r"[^']\$\(", made)


def test_commands_are_for_the_contexts_that_were_asked() -> None:
    made = Commands(context="here", parent_context="there")
    assert made.retry("n", ["b", "a"]).startswith("kubectl --context here -n n annotate --overwrite")
    assert made.delete_request("r").startswith("kubectl --context there delete clusterregistrationrequests")
    assert Commands().dump_parent().startswith("kubectl get managedclusters")


def test_the_page_the_help_and_kubectl_ask_for_the_same() -> None:
    page = (Path(__file__).parents[3] / "docs/status.md").read_text(encoding="utf-8")
    typed = [
        "kubectl get clusters.cluster.x-k8s.io,clusterresourcesets,clusterresourcesetbindings,namespaces -A -o yaml",
        "kubectl --context parent get managedclusters,clusterregistrationrequests -A -o yaml |",
    ]
    assert [one in page and one in cli_status.HELP for one in typed] == [True, True]
    assert Commands().dump_clusters() == typed[0].replace(",namespaces", "")
    asked = (
        "clusters.cluster.x-k8s.io,clusterresourcesets.addons.cluster.x-k8s.io,clusterresourcesetbindings.addons.cluster.x-k8s.io -A",
        "managedclusters.clusters.clusternet.io,clusterregistrationrequests.clusters.clusternet.io -A",
    )
    assert (cli_status._MANAGEMENT[0][0], cli_status._PARENT[0][0]) == asked
    assert Commands().dump_parent() == f"kubectl get {asked[1]} -o yaml"


def test_reasons_are_worded_for_one_cluster_and_for_many() -> None:
    singular = re.compile(
        r"\b(its (agent|infrastructure|control plane|API server|Cluster)|this Cluster|(selects|for|to) it)\b"
    )
    found = []
    for path in MODULES:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Reason":
                texts = [
                    one.value for one in ast.walk(call) if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                found += [f"{path.name}: {text}" for text in texts if singular.search(text)]
    assert found == []
