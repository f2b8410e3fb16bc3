"""Errors as people and programs get them: source line and help on a terminal, GitHub annotations, SARIF."""

from __future__ import annotations

import io
import json
import pathlib
import sys
from typing import Any

import click
import jsonschema
import pytest

from krm_fn.__main__ import main
from krm_fn.cli import diagnostics
from krm_fn.krm.results import WARNING, Related, ResourceRef, Result

FLEET = """\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
spec:
  parentURL: https://parent.example.com:6443
  registrationToken:
    secretRef: {name: registration}
  clusterSelectors:
    matchLabels: {env: prod}
  agent:
    replicas: "3"
"""
TOKEN = "q2w3e4.a1s2d3f4g5h6j7k8"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def invoke(monkeypatch: pytest.MonkeyPatch, *arguments: str, terminal: bool = False) -> tuple[int, str]:
    said = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    return main(arguments), said.getvalue()


@pytest.fixture
def fleet(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    return path


def test_a_pipe_gets_one_line_for_each(fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = invoke(monkeypatch, "plan", fleet.name)
    assert code == 1
    assert said == (
        "fleet.yaml:9:3: error: spec.clusterSelectors is not a known field: did you mean clusterSelector?\n"
        'fleet.yaml:12:15: error: spec.agent.replicas must be a whole number of at least 0, not the string "3": remove the quotes\n'
    )


def test_a_terminal_gets_the_line_the_place_and_what_to_write(
    fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke(monkeypatch, "plan", fleet.name, terminal=True)[1] == (
        "fleet.yaml:9:3: error: spec.clusterSelectors is not a known field: did you mean clusterSelector?\n"
        "9 |   clusterSelectors:\n"
        "  |   ^^^^^^^^^^^^^^^^\n"
        "help: clusterSelector:\n"
        'fleet.yaml:12:15: error: spec.agent.replicas must be a whole number of at least 0, not the string "3": remove the quotes\n'
        '12 |     replicas: "3"\n'
        "   |               ^^^\n"
        "help: replicas: 3\n"
    )


def test_a_terminal_is_coloured_and_lines_keep_to_its_width(
    fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("COLUMNS", "60")
    said = invoke(monkeypatch, "plan", fleet.name, terminal=True)[1]
    assert "\x1b[31m" in said
    assert "spec.clusterSelectors is not a known field" in " ".join(
        click.unstyle(said).split()
    )  # shape of a token with "0m"
    assert max(len(click.unstyle(line)) for line in said.splitlines()) <= 60


def test_a_dumb_terminal_is_a_pipe(fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert invoke(monkeypatch, "plan", fleet.name, terminal=True) == invoke(monkeypatch, "plan", fleet.name)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FLEET.replace("secretRef: {name: registration}", f'value: "{TOKEN}x"'), id="a token"),
        pytest.param(FLEET.replace("secretRef: {name: registration}", f"valeu: {TOKEN}x"), id="a token under a wrong name"),
        pytest.param(
            FLEET.replace("  registrationToken:\n    secretRef: {name: registration}\n", f"  registrationToken: {{vlaue: {TOKEN[:-1]}}}\n"),
            id="a token in one line",
        ),
        pytest.param(FLEET.replace('replicas: "3"', f"replicas: {TOKEN}"), id="a token in another field"),
        pytest.param(FLEET.replace('replicas: "3"', "env:\n    - name: a b\n      value: hunter2"), id="a variable"),
        pytest.param(FLEET.replace("https://parent", "https://user:hunter2@parent"), id="user info"),
        pytest.param(
            f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: 5\nstringData:\n  regToken: {TOKEN}x\n  regToken: hunter2\n---\n{FLEET}",
            id="a Secret",
        ),
    ],
)  # fmt: skip
def test_no_form_shows_a_secret(fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    fleet.write_text(text)
    said = "".join(
        [
            invoke(monkeypatch, "plan", fleet.name, terminal=True)[1],
            *(invoke(monkeypatch, "plan", fleet.name, "--error-format", form)[1] for form in diagnostics.FORMATS),
        ]
    )
    assert not any(part in said for part in (TOKEN[:-1], TOKEN[8:14], "hunter2"))


def test_github_gets_annotations(fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = invoke(monkeypatch, "plan", fleet.name, "--error-format", "github")
    assert code == 1
    assert said.splitlines()[0] == (
        "::error file=fleet.yaml,line=9,col=3,title=unknown-field::spec.clusterSelectors is not a known field: did you"
        " mean clusterSelector?%0A%0AclusterSelector:"
    )


def test_a_workflow_command_can_not_be_forged() -> None:
    result = Result(message="100%\n::error::x", file_path="a,b:c.yaml", line=1, severity=WARNING)
    assert diagnostics.github(result) == "::warning file=a%2Cb%3Ac.yaml,line=1::100%25%0A::error::x"
    assert diagnostics.github(Result(message="m", file_path="stdin", line=1)) == "::error::m"


# The parts of sarif-schema-2.1.0.json (OASIS) that a log of ours uses, closed so that a slip in a name is seen.
_REGION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn", "endLine", "endColumn")
    },
}
_PHYSICAL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["artifactLocation"],
    "properties": {
        "artifactLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["uri"],
            "properties": {"uri": {"type": "string", "pattern": "^[-A-Za-z0-9._~:/?#@!$&'()*+,;=%]+$"}},
        },
        "region": _REGION,
    },
}
_MESSAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
}
_LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": _PHYSICAL,
        "message": _MESSAGE,
        "logicalLocations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"fullyQualifiedName": {"type": "string"}},
            },
        },
    },
}
_FIX = {
    "type": "object",
    "additionalProperties": False,
    "required": ["artifactChanges"],
    "properties": {
        "description": _MESSAGE,
        "artifactChanges": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["artifactLocation", "replacements"],
                "properties": {
                    "artifactLocation": _PHYSICAL["properties"]["artifactLocation"],
                    "replacements": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["deletedRegion"],
                            "properties": {"deletedRegion": _REGION, "insertedContent": _MESSAGE},
                        },
                    },
                },
            },
        },
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "informationUri": {"type": "string", "format": "uri"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "additionalProperties": False,
                                            "required": ["id"],
                                            "properties": {"id": {"type": "string"}},
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["message"],
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": _MESSAGE,
                                "locations": {"type": "array", "items": _LOCATION},
                                "fixes": {"type": "array", "uniqueItems": True, "items": _FIX},
                                "relatedLocations": {"type": "array", "uniqueItems": True, "items": _LOCATION},
                            },
                        },
                    },
                },
            },
        },
    },
}


def check(log: Any) -> list[dict[str, Any]]:
    jsonschema.Draft7Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
    results: list[dict[str, Any]] = run["results"]
    return results


def test_sarif_is_one_document_of_its_schema(fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = invoke(monkeypatch, "plan", fleet.name, "--error-format", "sarif")
    assert code == 1
    first, second = check(json.loads(said))
    assert first["ruleId"] == "unknown-field"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "fleet.yaml"},
        "region": {"startLine": 9, "startColumn": 3},
    }
    assert second["locations"][0]["logicalLocations"] == [
        {"fullyQualifiedName": "ClusternetCAPIConfig/fleet: spec.agent.replicas"}
    ]


def applied(text: str, results: list[dict[str, Any]]) -> str:
    """A text after every fix of a log, as an editor or GitHub applies them."""
    lines = text.splitlines(keepends=True)
    places = [
        change
        for one in results
        for fix in one.get("fixes", [])
        for change in fix["artifactChanges"][0]["replacements"]
    ]
    for one in sorted(
        places, key=lambda place: (place["deletedRegion"]["startLine"], -place["deletedRegion"]["startColumn"])
    ):
        region = one["deletedRegion"]
        assert region["startLine"] == region["endLine"]
        line = lines[region["startLine"] - 1]
        lines[region["startLine"] - 1] = (
            line[: region["startColumn"] - 1] + one["insertedContent"]["text"] + line[region["endColumn"] - 1 :]
        )
    return "".join(lines)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("  clusterSelectors:", "  clusterSelector:"),
        ('    replicas: "3"', "    replicas: 3"),
        ('    replicas: "3" # three', "    replicas: 3 # three"),
        ("    syncMode: dual", "    syncMode: Dual"),
        ("    podLabels: {a: true, b: c}", '    podLabels: {a: "true", b: c}'),
        ("  apiVersion: fn.clusternet.io/v1", None),
    ],
)
def test_a_fix_in_sarif_makes_its_error_go_away(
    fleet: pathlib.Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str | None
) -> None:
    valid = FLEET.replace("clusterSelectors", "clusterSelector").replace('  agent:\n    replicas: "3"\n', "")
    if wrong.startswith("    "):
        broken = f"{valid}  agent:\n{wrong}\n"
        fixed = f"{valid}  agent:\n{right}\n"
    else:
        correct = right or "apiVersion: fn.clusternet.io/v1alpha1"
        broken, fixed = valid.replace(correct, wrong.strip() if right is None else wrong), valid
    fleet.write_text(broken)
    log = check(json.loads(invoke(monkeypatch, "plan", fleet.name, "--error-format", "sarif")[1]))
    assert applied(broken, log) == fixed


def test_sarif_without_a_finding_is_a_document_too(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: A\nmetadata: {name: a}\n")
    code, said = invoke(monkeypatch, "render", str(tmp_path), "-o", str(tmp_path / "out"), "--error-format", "sarif")
    assert code == 1
    assert [one["message"]["text"][:29] for one in check(json.loads(said))] == ["there is no configuration: pu"]


def test_sarif_names_related_places_and_odd_files() -> None:
    other = Related(label="the other", file_path="b c.yaml", line=2, column=1)
    results = [
        Result(message="twice", file_path="/a/é\udcff.yaml", line=1, related=(other,), rule="r"),
        Result(message="plain"),
        Result(message="object", resource_ref=ResourceRef(api_version="v1", kind="A", name="a", namespace="n")),
    ]
    first, second, third = check(diagnostics.sarif(results))
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///a/%C3%A9%FF.yaml"
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "b%20c.yaml"
    assert "locations" not in second
    assert third["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "A/n/a"
