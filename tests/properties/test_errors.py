"""One slip in a right input is one error, at that slip; and the line that `help:` offers makes it go away."""

from __future__ import annotations

import io
import json
import pathlib
import re
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.__main__ import main
from tests.support import slips

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTION = re.compile(r"  annotations:\n(    config.kubernetes.io/function: \|\n(      .*\n)+)(?!    )")
FLEET = """\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
spec:
  parentURL: https://parent.example.com:6443
  registrationToken:
    existingSecret:
      name: registration
  clusterSelector:
    matchLabels:
      env: prod
    matchExpressions:
    - key: region
      operator: In
      values: [eu, us]
  agent:
    image: ghcr.io/clusternet/clusternet-agent:v0.18.1
    replicas: 2
    syncMode: Dual
    resources:
      limits:
        cpu: 500m
    tolerations:
    - key: dedicated
      operator: Exists
    extraArgs:
    - --kube-api-qps=80
  identity:
    mode: PerCluster
    nameTemplate: fleet-{name}
  clusterResourceSet:
    name: clusternet
    strategy: Reconcile
  gitops:
    argocd: true
"""
CLUSTERS = """\
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata:
  name: web
  namespace: team-a
  labels:
    cluster.x-k8s.io/cluster-name: web
    env: prod
    region: eu
    clusternet.io/register: "true"
    clusternet.io/wave: "1"
"""
SECRET = "0123456789abcdef"
# A config with lists of objects in lists, and the examples' own, without comments and without what names the function.
WHOLE = """\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
spec:
  parentURL: https://parent.example.com:6443
  registrationToken:
    value: plantd.0123456789abcdef
  clusterSelector:
    matchLabels:
      env: prod
    matchExpressions:
    - key: region
      operator: In
      values:
      - eu
      - us
  agent:
    image: ghcr.io/clusternet/clusternet-agent:v0.18.1
    replicas: 2
    syncMode: Dual
    resources:
      requests:
        cpu: 100m
      limits:
        cpu: 500m
        memory: 512Mi
    tolerations:
    - key: dedicated
      operator: Equal
      value: infra
      effect: NoSchedule
    - key: gpu
      operator: Exists
    env:
      - name: HTTPS_PROXY
        value: http://proxy.example.com:3128
      - name: NODE
        valueFrom:
          fieldRef:
            fieldPath: spec.nodeName
    podLabels:
      team: platform
    featureGates:
      MultiClusterService: true
    extraArgs:
    - --kube-api-qps=80
    - --kube-api-burst=160
    patches:
    - target:
        kind: Deployment
        name: clusternet-agent
      patch:
        spec:
          template:
            spec:
              hostNetwork: true
    - target:
        kind: Namespace
        name: clusternet-system
      patch:
        metadata:
          labels:
            team: platform
  identity:
    mode: PerCluster
    nameTemplate: fleet-{name}
    labels:
      provider: capi
    labelKeys:
    - env
    - region
  clusterResourceSet:
    name: clusternet
    strategy: Reconcile
    extraResources:
    - kind: Secret
      name: registry
    - kind: ConfigMap
      name: bundle
  guard:
    maxRemovedClusters: 10%
    minClusters: 1
  gitops:
    argocd: true
"""
EXAMPLES = [
    "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")) + "\n"
    for path in sorted((pathlib.Path(__file__).parents[2] / "examples").rglob("*.yaml"))
    if (text := FUNCTION.sub("", path.read_text(encoding="utf-8")).replace('wave: "2"', 'wave: "1"')).startswith(
        "apiVersion: fn.clusternet.io/"
    )
    and "\n---" not in text
]
SLIPS = [slip for text in (WHOLE, *EXAMPLES) for slip in slips.of(text)]
LONGEST = 330  # characters of an error, its place and the hint at --exclude included

FIELD = re.compile(r"(?P<before> *(?:- )?)(?P<name>[A-Za-z][\w./-]*):(?P<value> \S.*)?$")
# what a key is called, and what a value is: with these a slip is one, whatever else is right
OURS = [at for at, line in enumerate(FLEET.splitlines()) if at > 4 and FIELD.match(line) and at != 11]


class Slip(NamedTuple):
    """A line of a file, and what is there instead."""

    what: str
    line: int
    text: str


def field(line: str) -> re.Match[str]:
    found = FIELD.match(line)
    assert found
    return found


def value(line: str) -> str:
    return (field(line)["value"] or "").strip()


def respelt(line: str, change: Callable[[str], str]) -> str:
    """A field with another value."""
    found = field(line)
    return f"{found['before']}{found['name']}: {change(value(line))}"


# A slip that no YAML parser lets pass: what it is called, and how it is made of a line with a value.
SYNTAX: dict[str, Callable[[str], str]] = {
    "a tab": lambda line: "\t" + line.lstrip(),
    "a template expression": lambda line: respelt(line, lambda _: "{{ .Values.x }}"),
    "a quote is opened here and never closed": lambda line: respelt(line, lambda old: f'"{old}'),
    "a value can't begin with @": lambda line: respelt(line, lambda old: f"@{old}"),
    "a ':' where no field can begin": lambda line: respelt(line, lambda old: f"{old}: x"),
    "a full-width colon": lambda line: line.replace(":", "\uff1a", 1),
    "a no-break space": lambda line: line.replace(": ", ":\u00a0", 1),
    "a space is missing after": lambda line: line.replace(": ", ":", 1),
    "'='": lambda line: line.replace(": ", "=", 1),
    "a comment begins with #": lambda line: f"// note\n{line}",
    "a merge conflict is not resolved": lambda line: f"<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> other",
    "control characters": lambda line: f"{line}\x08",
}
# Lines of FLEET that have a plain value and a field beside or below them, so that each of these slips is one.
PLAIN = [
    at
    for at, line in enumerate(FLEET.splitlines())
    if FIELD.match(line) and value(line) and "- " not in line and "[" not in line and at not in {8, 11, 22, 35}
]


class Printed(NamedTuple):
    code: int
    text: str


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(fleet: str, *options: str, terminal: bool = False) -> Printed:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = pathlib.Path(name)
        (folder / "fleet.yaml").write_text(fleet, encoding="utf-8")
        (folder / "clusters.yaml").write_text(CLUSTERS, encoding="utf-8")
        patch.chdir(folder)
        for key, setting in {"COLUMNS": "400", "TERM": "xterm", "NO_COLOR": "1"}.items():
            patch.setenv(key, setting)
        said = Terminal() if terminal else io.StringIO()
        patch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
        patch.setattr(sys, "stderr", said)
        return Printed(main(["plan", ".", *options]), said.getvalue())


def changed(at: int, text: str) -> str:
    lines = FLEET.splitlines()
    lines[at] = text
    return "\n".join(lines) + "\n"


def errors_of(printed: Printed) -> list[str]:
    return [line for line in printed.text.splitlines() if ": error: " in line or line.startswith("error: ")]


def only_error(printed: Printed) -> tuple[int, str]:
    """The line of the only error, and its text."""
    errors = errors_of(printed)
    assert printed.code == 1
    assert len(errors) == 1, printed.text
    place = re.match(r"fleet\.yaml:(\d+):(\d+): error: ", errors[0])
    assert place, errors[0]
    assert len(errors[0]) <= LONGEST
    return int(place[1]) - 1, errors[0]


def test_without_a_slip_there_is_no_error() -> None:
    assert run(FLEET) == (0, "")


@given(what=st.sampled_from(sorted(SYNTAX)), at=st.sampled_from(PLAIN))
def test_a_slip_in_the_syntax_is_one_error_at_its_line(what: str, at: int) -> None:
    broken = changed(at, SYNTAX[what](FLEET.splitlines()[at]))
    if broken == FLEET:
        return
    line, said = only_error(run(broken))
    assert (line, what in said) == (at, True), said


@given(at=st.sampled_from(OURS), drop=st.integers(1, 3))
def test_a_misspelt_field_is_one_error_at_its_line(at: int, drop: int) -> None:
    found = field(FLEET.splitlines()[at])
    name = found["name"]
    wrong = name[: -drop - 1] + name[-drop:]
    if len(name) < 5 or wrong == name or (wrong + "s").startswith(name):  # too short to be recognised
        return
    line, said = only_error(run(changed(at, f"{found['before']}{wrong}:{found['value'] or ''}")))
    assert (line, f"did you mean {name}" in said or f"did you mean spec.{name}" in said) == (at, True), said


@given(at=st.sampled_from([at for at in range(5, len(FLEET.splitlines())) if FIELD.match(FLEET.splitlines()[at])]))
def test_a_field_that_appears_twice_is_one_error_that_names_both_lines(at: int) -> None:
    text = FLEET.splitlines()[at]
    found = field(text)
    if "- " in found["before"]:
        return
    line, said = only_error(run(changed(at, f"{text}\n{text}")))
    assert line == at + 1
    assert f"{found['name']} appears twice: remove one of them" in said
    assert f" (first: fleet.yaml:{at + 1}:" in said


@given(slip=st.sampled_from(SLIPS))
def test_a_slip_in_the_layout_is_one_error_beside_it(slip: slips.Slip) -> None:
    """A parser may stop further down, and what a patch makes of an object is reported at the patch."""
    printed = run(slip.text)
    assert printed.code in {0, 1}
    assert SECRET not in printed.text
    if not errors_of(printed):
        return  # it means something else, and that is legal
    line, said = only_error(printed)
    beside = abs(line - slip.line) <= 1
    assert (
        beside or ("invalid YAML: " in said and line > slip.line) or ("error: patch on " in said and line < slip.line)
    )


@pytest.mark.parametrize("at", [at for at, line in enumerate(FLEET.splitlines()) if re.search(r": [\w./:%-]+$", line)])
def test_a_space_at_the_end_of_a_value_is_shown(at: int) -> None:
    before, _, value = FLEET.splitlines()[at].partition(": ")
    errors = errors_of(run(changed(at, f'{before}: "{value} "')))
    assert not [one for one in errors if f'"{value}"' in one or f"'{value}'" in one]


def test_a_line_that_is_forgotten_above_many_is_named_once() -> None:
    broken = WHOLE.replace("  agent:\n", "")
    line, said = only_error(run(broken))
    assert broken.splitlines()[line].strip().startswith("image: ")
    assert "spec.agent is missing: write agent: on a line above image" in said


def test_a_line_that_is_forgotten_is_named_once_where_a_host_has_sorted_the_fields() -> None:
    whole = yaml.safe_load(FLEET)
    _, said = only_error(run(yaml.safe_dump({**whole.pop("spec"), **whole})))
    assert "spec is missing: write spec: on a line above agent, and indent agent, clusterResourceSet, " in said


def test_all_fields_that_are_not_indented_are_named_at_once() -> None:
    source = "    externalSecret:\n    secretStoreRef: {name: vault}\n    remoteRef: {key: clusternet}\n"
    line, said = only_error(run(re.sub("    existingSecret:.*\n(      .*\n)*", source, FLEET)))
    assert FLEET.splitlines()[line - 2].strip() == "registrationToken:", said
    assert "secretStoreRef and remoteRef are not indented far enough: they belong below externalSecret" in said


def test_another_error_is_reported_beside_a_slip_in_the_layout() -> None:
    broken = WHOLE.replace("  agent:\n", "").replace("https://parent", "http://parent")
    first, second = errors_of(run(broken))
    assert "spec.agent is missing" in first + second
    assert all(re.match(r"fleet\.yaml:\d+:\d+: error: ", one) for one in (first, second))


# What is written for a right line, whose correction is known to the program.
HEALED = {
    "    replicas: 2": ['    replicas: "2"'],
    "    syncMode: Dual": ["    syncMode: dual", "    syncMode: Duall", "    syncmode: Dual"],
    "    mode: PerCluster": ["    mode: percluster", "    Mode: PerCluster"],
    "    strategy: Reconcile": ["    strategy: reconcile", "    stratgy: Reconcile"],
    "    argocd: true": ['    argocd: "true"', "    argoCD: true"],
    "      operator: In": ["      operator: in", "      operatr: In"],
    "      values: [eu, us]": ["      value: [eu, us]", "      Values: [eu, us]"],
    "  agent:": ["  agents:", "  Agent:"],
    "  clusterSelector:": ["  clusterSelectors:", "  clusterselector:"],
    "apiVersion: fn.clusternet.io/v1alpha1": ["apiVersion: fn.clusternet.io/v1", "apiVersion: clusternet.io/v1alpha1"],
    "kind: ClusternetCAPIConfig": ["kind: ClusternetCapiConfig"],
}


@pytest.mark.parametrize(("right", "wrong"), [(right, wrong) for right, many in HEALED.items() for wrong in many])
def test_what_help_offers_makes_the_error_go_away(right: str, wrong: str) -> None:
    at = FLEET.splitlines().index(right)
    broken = changed(at, wrong)
    line, _ = only_error(run(broken))
    assert line == at
    offered = re.search(r"^help: (.*)$", run(broken, terminal=True).text, re.MULTILINE)
    assert offered
    name, _, new = offered[1].partition(":")
    old = field(wrong)
    healed = changed(at, f"{old['before']}{name}:{new or old['value'] or ''}")
    assert ": error: " not in run(healed).text


@pytest.mark.parametrize(("right", "wrong"), [(right, wrong) for right, many in HEALED.items() for wrong in many])
def test_a_fix_of_sarif_makes_the_error_go_away(right: str, wrong: str) -> None:
    at = FLEET.splitlines().index(right)
    log: dict[str, Any] = json.loads(run(changed(at, wrong), "--error-format", "sarif").text)
    (result,) = [one for one in log["runs"][0]["results"] if one["level"] == "error"]
    (change,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    region = change["deletedRegion"]
    assert (region["startLine"], region["endLine"]) == (at + 1, at + 1)
    healed = wrong[: region["startColumn"] - 1] + change["insertedContent"]["text"] + wrong[region["endColumn"] - 1 :]
    assert ": error: " not in run(changed(at, healed)).text
