"""The broken inputs of docs/errors.md in kustomize and kpt: what a person sees there first, and that nothing is changed."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.golden import test_errors as gallery
from tests.hosts import programs

if TYPE_CHECKING:
    from pathlib import Path

# What a host can't hand over: kustomize and kpt read YAML themselves, and report what they can't read in their own words.
UNREADABLE = {
    "at-sign", "brackets-unclosed", "colon-in-value", "comment-slashes", "equals-sign", "escape", "helm-template",
    "indentation", "key-twice", "kind-key-misspelt", "kubectl-table", "merge-conflict", "no-break-space", "no-object",
    "quote-closed-later", "quote-unclosed", "space-forgotten", "star", "tab", "utf-16", "wide-colon",
    "comma-missing", "dash-lookalike", "separator-extra", "separator-missing", "zero-width-space",
}  # fmt: skip
# What is about folders, or is a warning.
ELSEWHERE = {"folder-without-files", "kustomization-below", "token-in-annotation"}
CASES = [
    name
    for name in gallery.CASES
    if gallery.read(name).command.split()[1:] in (["plan", "."], ["render", "."]) and name not in UNREADABLE | ELSEWHERE
]
# What kustomize reports itself (an object twice, a file that it can't read), writes in a right form, or has nothing to call for.
NOT_IN_KUSTOMIZE = {"cluster-twice", "two-configs-one-name", "colon-forgotten", "cluster-label-boolean", "no-config"}
# Where kustomize runs one config after the other, the message is another one.
PIPELINE = {
    "overlap": "which ClusterResourceSet canary of ClusternetCAPIConfig canary already serves",
    "same-names": "made by ClusternetCAPIConfig canary",
}
NOT_IN_KPT = {
    "colon-forgotten",
    "same-names",
    "two-configs-one-name",
}  # read by kpt itself; the other config is not run
OF_KPT = {
    "no-config": "error: there is no configuration: give a ClusternetCAPIConfig (fn.clusternet.io/v1alpha1) as functionConfig,"
    " or put one among the items",
}
FUNCTION = [
    "  annotations:",
    "    config.kubernetes.io/function: |",
    "      exec:",
    "        path: clusternet-capi-fn",
]
KPTFILE = """\
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: fleet
pipeline:
  mutators:
  - exec: clusternet-capi-fn
    configPath: fleet.yaml
"""


def package(name: str, folder: Path, *, kustomize: bool) -> None:
    """Lay out a case as a folder of a host."""
    case = gallery.read(name)
    folder.mkdir()
    for source in (gallery.HERE / "base", gallery.HERE / name):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("case.yaml"))
    for one in case.without:
        (folder / one).unlink()
    if not kustomize:
        text = KPTFILE if (folder / "fleet.yaml").exists() else KPTFILE.partition("    configPath")[0]
        (folder / "Kptfile").write_text(text, encoding="utf-8")
        return
    resources, transformers = [], []
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_bytes().decode()
        if not re.search("kind: ClusternetC|clusternet.io/v1", text):
            resources.append(path.name)
            continue
        transformers.append(path.name)
        end = "\r" if "\r" in text else "\n"
        lines = text.split(end)
        at = lines.index("metadata:") + 1
        path.write_bytes(end.join([*lines[:at], *FUNCTION, *lines[at:]]).encode())
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": resources, "transformers": transformers}))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def first_line(name: str) -> str:
    """The line that the gallery shows."""
    return gallery.printed(name, terminal=False).text.partition("\n")[0]


def in_kustomize(line: str) -> str:
    """The same with the lines of configs, which are further down by the function's annotation."""

    def moved(place: re.Match[str]) -> str:
        return f"{place[1]}:{int(place[2]) + (len(FUNCTION) if int(place[2]) > 3 else 0)}:"

    return re.sub(r"((?:fleet|canary|second)\.yaml):(\d+):", moved, line)


def environment(name: str) -> dict[str, str]:
    return {**gallery.read(name).environment, "SOURCE_DATE_EPOCH": gallery.NOW}


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_IN_KUSTOMIZE])
def test_kustomize_shows_cause_place_and_remedy_first(name: str, tmp_path: Path) -> None:
    program = programs.kustomize("newest") or pytest.skip("no kustomize here; `make tools` installs it")
    folder = tmp_path / "fleet"
    package(name, folder, kustomize=True)
    arguments = ("build", "--enable-alpha-plugins", "--enable-exec", folder)
    done = programs.run(program, *arguments, cwd=folder, env=environment(name), code=None)
    first, _, rest = done.err.partition("\n")
    assert done.out == ""
    assert gallery.TOKEN[:6] not in done.err
    if name in PIPELINE:
        assert PIPELINE[name] in first
        assert re.match(r"fleet\.yaml:\d+:\d+: error: ", first)
    else:
        assert first == in_kustomize(first_line(name))
    assert "exit status 1" in rest


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_IN_KPT])
def test_kpt_shows_cause_place_and_remedy_first(name: str, tmp_path: Path) -> None:
    program = next(iter(programs.kpts().values()), None) or pytest.skip("no kpt here; install it from kpt.dev")
    folder = tmp_path / "fleet"
    package(name, folder, kustomize=False)
    before = contents(folder)
    done = programs.run(program, "fn", "render", "--allow-exec", folder, cwd=tmp_path, env=environment(name), code=None)
    found = re.search(r'  Stderr:\n\s+"(.*)"', done.err)
    assert found, done.err
    assert found[1].replace('\\"', '"').replace("\\\\", "\\") == OF_KPT.get(name, first_line(name))
    assert contents(folder) == before
    assert gallery.TOKEN[:6] not in done.err


def test_kpt_shows_the_line_of_the_kptfile_for_what_it_configures(tmp_path: Path) -> None:
    program = next(iter(programs.kpts().values()), None) or pytest.skip("no kpt here; install it from kpt.dev")
    folder = tmp_path / "fleet"
    package("no-match", folder, kustomize=False)
    (folder / "fleet.yaml").unlink()
    (folder / "Kptfile").write_text(
        KPTFILE.partition("    configPath")[0]
        + """\
    configMap:
      name: fleet

      parentURL: http://parent.example.com:6443  # not https
      registrationToken.existingSecret.name: registration
      clusterSelector: env=prod
""",
        encoding="utf-8",
    )
    done = programs.run(program, "fn", "render", "--allow-exec", folder, cwd=tmp_path, env={}, code=None)
    lines = (folder / "Kptfile").read_text(encoding="utf-8").splitlines()
    line = next(at for at, text in enumerate(lines, 1) if "parentURL" in text)
    assert f'"Kptfile:{line}:18: error: data.parentURL must begin with https://' in done.err
