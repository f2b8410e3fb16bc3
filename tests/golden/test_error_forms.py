"""Every broken input of docs/errors.md in the forms for machines: they say what the text says, at the same places."""

from __future__ import annotations

import copy
import io
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.__main__ import main
from tests.golden import test_errors as gallery
from tests.hosts import test_errors as hosts

USAGE = {
    "choice-misspelt",
    "command-misspelt",
    "output-form",
    "output-holds-input",
}  # in plain text, whatever is asked for
CASES = [name for name in gallery.CASES if name not in USAGE]
TEXT = re.compile(r"(?:(?P<place>\S+): )?(?P<level>error|warning): (?P<said>.*)")
GITHUB = re.compile(r"::(?P<level>error|warning)(?: (?P<properties>[^:]*))?::(?P<said>.*)")


def in_form(name: str, form: str) -> str:
    case = gallery.read(name)
    command, arrow, file = case.command.partition(" < ")
    given = case._replace(command=f"{command} --error-format {form}{arrow}{file}")
    return gallery.run(given, terminal=False).text


def spoken(name: str) -> list[tuple[str, str, str]]:
    """Level, place and message of each error and warning as text."""
    found = map(TEXT.match, gallery.printed(name, terminal=False).text.splitlines())
    return [(one["level"], one["place"] or "", one["said"]) for one in found if one]


def agree(said: list[tuple[str, str, str]], other: list[tuple[str, str, str]]) -> None:
    """The same levels, places and messages in the same order; the text adds the object's or the field's name at most."""
    assert [level for level, _, _ in said] == [level for level, _, _ in other]
    for (_, place, mine), (_, where, theirs) in zip(said, other, strict=True):
        assert " ".join(theirs.split()) in mine
        # nobody can open stdin, and a file that is named in the message is not named twice in text
        assert where == ("" if place.startswith("stdin:") else place) or (not place and where in mine)


@pytest.mark.parametrize("name", CASES)
def test_annotations_of_github_say_what_the_text_says(name: str) -> None:
    found = []
    for one in filter(None, map(GITHUB.match, in_form(name, "github").splitlines())):
        values = dict(pair.split("=", 1) for pair in (one["properties"] or "").split(",") if pair)
        place = ":".join(values[key] for key in ("file", "line", "col") if key in values)
        said = re.sub("%([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), one["said"])
        found.append((one["level"], re.sub("%3A", ":", place), said.partition("\n\n")[0]))
    agree(spoken(name), found)


@pytest.mark.parametrize("name", CASES)
def test_a_sarif_log_says_what_the_text_says(name: str) -> None:
    log: dict[str, Any] = json.loads(in_form(name, "sarif"))
    found = []
    for one in log["runs"][0]["results"]:
        physical = one.get("locations", [{}])[0].get("physicalLocation", {})
        region = physical.get("region", {})
        parts = [physical.get("artifactLocation", {}).get("uri"), region.get("startLine"), region.get("startColumn")]
        place = ":".join(str(part) for part in parts if part is not None)
        found.append((one["level"], place, one["message"]["text"].partition("\n\n")[0]))
        assert one["ruleId"] == log["runs"][0]["tool"]["driver"]["rules"][one["ruleIndex"]]["id"]
    agree(spoken(name), found)


def as_host(
    name: str, folder: Path, patch: pytest.MonkeyPatch
) -> tuple[list[str], list[dict[str, Any]], list[dict[str, Any]]]:
    """Run a case as kpt does: lines on stderr, results, and the objects that went in."""
    for source in (gallery.HERE / "base", gallery.HERE / name):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("case.yaml"))
    for one in gallery.read(name).without:
        (folder / one).unlink()
    objects: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.yaml")):
        for index, value in enumerate(yaml.safe_load_all(path.read_text(encoding="utf-8"))):
            value.setdefault("metadata", {}).setdefault("annotations", {}).update(
                {"internal.config.kubernetes.io/path": path.name, "internal.config.kubernetes.io/index": str(index)}
            )
            objects.append(value)
    configs = [
        one for one in objects if one["metadata"]["annotations"]["internal.config.kubernetes.io/path"] == "fleet.yaml"
    ]
    whole = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": objects}
    whole |= {"functionConfig": copy.deepcopy(configs[0])} if configs else {}
    patch.chdir(folder)
    for key, value in {"SOURCE_DATE_EPOCH": gallery.NOW, **gallery.read(name).environment}.items():
        patch.setenv(key, value)
    out, said = io.BytesIO(), io.StringIO()
    patch.setattr(sys, "stdin", gallery.Piped(yaml.safe_dump(whole, sort_keys=False).encode()))
    patch.setattr(sys, "stdout", io.TextIOWrapper(out))
    patch.setattr(sys, "stderr", said)
    assert main(["fn"]) == 1
    made = yaml.safe_load(out.getvalue())
    return said.getvalue().splitlines(), made["results"], objects


@pytest.mark.parametrize("name", [name for name in hosts.CASES if name not in hosts.NOT_IN_KPT])
def test_results_for_hosts_say_what_stderr_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, results, objects = as_host(name, tmp_path, monkeypatch)
    assert lines[0] == hosts.OF_KPT.get(name, gallery.printed(name, terminal=False).text.partition("\n")[0])
    errors = [one for one in results if one["severity"] == "error"]
    assert len(errors) == len([line for line in lines if re.match(r"(\S+: )?error: ", line)])
    for one in errors:
        field, file, ref = one.get("field", {}), one.get("file", {}), one.get("resourceRef", {})
        line = next(line for line in lines if one["message"] in line)
        assert not file or line.startswith(f"{file['path']}:")
        assert not field or field["path"] in line
        if "proposedValue" in field:  # a value in quotes is not repeated in the message
            proposed = str(field["proposedValue"])
            assert proposed in line or proposed.casefold() == str(field["currentValue"]).casefold()
        if file.get("index") is not None:
            notes = {
                "internal.config.kubernetes.io/path": file["path"],
                "internal.config.kubernetes.io/index": str(file["index"]),
            }
            (there,) = [each for each in objects if each["metadata"]["annotations"].items() >= notes.items()]
            assert ref.get("name", "") in {there["metadata"].get("name"), ""}
            assert ref.get("kind", "") in {there.get("kind"), ""}
