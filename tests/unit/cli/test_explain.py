"""`explain`: every field of the model, as `kubectl explain` tells it."""

from __future__ import annotations

import click.testing
import pytest

from krm_fn.cli.about import explain
from krm_fn.config.fields import walk
from krm_fn.config.reference import explanation
from krm_fn.config.tree import CONFIG


def run(*arguments: str, code: int = 0) -> str:
    done = click.testing.CliRunner().invoke(explain, arguments, standalone_mode=True)
    assert done.exit_code == code, done.output
    return done.output


def test_a_field_has_type_default_meaning_and_example() -> None:
    text = run("agent.replicas")
    assert text.startswith("spec.agent.replicas <integer>\n")
    assert "Default: 3\n" in text
    assert "How many" in text or "Number of" in text or "replicas" in text


def test_a_required_field_says_so_and_shows_what_to_write() -> None:
    assert run("spec.parentURL") == (
        "spec.parentURL <string>\n\n  https URL of the parent API server.\n\nRequired.\n\n"
        "Example:\n  parentURL: https://parent.example.com:6443\n"
    )


def test_without_a_field_those_of_spec_are_listed() -> None:
    assert run() == run("spec")
    assert "  registrationToken <object> -required-\n" in run()


@pytest.mark.parametrize("path", ["agent.tolerations.operator", "spec.agent.tolerations[].operator"])
def test_fields_of_list_entries_are_explained(path: str) -> None:
    assert run(path).startswith("spec.agent.tolerations.operator <Equal, Exists>\n")


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("agent.replica", "spec.agent.replicas"),
        ("replicas", "spec.agent.replicas"),
        ("spec.clusterselector", "spec.clusterSelector"),
    ],
)
def test_an_unknown_field_names_the_nearest(path: str, near: str) -> None:
    assert f"did you mean {near}?" in run(path, code=2)


def test_a_field_that_resembles_none_says_where_they_are_listed() -> None:
    assert "lists the fields of spec" in run("zzz.zzz", code=2)


@pytest.mark.parametrize("path", [path for path, _ in walk(CONFIG)])
def test_every_field_can_be_explained(path: str) -> None:
    text, _ = explanation(path)
    assert text.startswith(f"{path} <")
