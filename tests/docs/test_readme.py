"""The README: both languages say the same, its tables name what is there, and its commands are those that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from krm_fn import __version__
from krm_fn.cli import COMMANDS

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")

CHINESE_PAGES = ["README", "docs/guide-walkthrough", "docs/tutorial"]

_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    """Targets of links in their order, without those to headings of the page itself and to the other language."""
    found = re.findall(r"\]\(([^()\s]+)\)", _BLOCK.sub("", text))
    return sorted({link for link in found if not link.startswith(("#", "README", "tutorial.", "guide-walkthrough."))})


def files_of(text: str) -> dict[str, str]:
    """Files that the page shows, by the path in the comment before each block."""
    found = re.findall(r"^( *)<!-- file: (\S+) -->\n\n *```\w+\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return {path: textwrap.dedent(block) for _, path, block in found}


def rows(text: str) -> list[int]:
    """Number of columns of each row of each table."""
    return [line.count("|") for line in _BLOCK.sub("", text).splitlines() if line.startswith("|")]


def figures(text: str) -> list[str]:
    """What is in cells that hold figures and marks only."""
    cells = [cell.strip() for line in text.splitlines() if line.startswith("|") for cell in line.split("|")]
    return [cell for cell in cells if re.fullmatch(r"[\d.,× %✔✖◐–]+", cell)]


@pytest.mark.parametrize("page", CHINESE_PAGES)
def test_the_chinese_page_has_the_same_blocks_of_code(page: str) -> None:
    path = ROOT / f"{page}.zh-CN.md"
    english, chinese = (ROOT / f"{page}.md").read_text(encoding="utf-8"), path.read_text(encoding="utf-8")
    blocks = _BLOCK.findall(english)
    if os.environ.get("UPDATE_DOCS") and len(_BLOCK.findall(chinese)) == len(blocks):
        fresh = iter(blocks)
        chinese = _BLOCK.sub(lambda _: next(fresh), chinese)
        path.write_text(chinese, encoding="utf-8")
    assert _BLOCK.findall(chinese) == blocks


@pytest.mark.parametrize("page", CHINESE_PAGES)
def test_the_chinese_page_has_the_same_links(page: str) -> None:
    english, chinese = ((ROOT / f"{page}{end}").read_text(encoding="utf-8") for end in (".md", ".zh-CN.md"))
    assert links(chinese) == links(english)


def test_the_chinese_readme_has_the_same_tables() -> None:
    english, chinese = (ROOT / "README.md").read_text("utf-8"), (ROOT / "README.zh-CN.md").read_text("utf-8")
    assert rows(chinese) == rows(english)
    assert figures(chinese) == figures(english)


def test_the_chinese_readme_has_the_same_sections() -> None:
    assert len(re.findall(r"^## ", CHINESE, re.MULTILINE)) == len(re.findall(r"^## ", ENGLISH, re.MULTILINE))


def measured() -> dict[str, dict[str, tuple[float, float]]]:
    """Seconds and multiple of `cat`, by number of resources and variant: docs/performance.md in kustomize's form."""
    page = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    parts = re.findall(r"^### ([\d,]+) resources, kustomize style.*?\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    row = re.compile(r"^\| (.+?) \| ([\d.]+) \| ([\d.]+) \|", re.MULTILINE)
    return {
        size: {name: (float(ms) / 1000, float(ratio)) for name, ms, ratio in row.findall(body)} for size, body in parts
    }


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_figures_are_those_that_were_measured(name: str) -> None:
    """`bench/report.py` writes them into all three pages."""
    text = (ROOT / name).read_text(encoding="utf-8").split("<!-- figures -->")[1].split("<!-- end of figures -->")[0]
    found = measured()
    variants = ("clusternet-capi-fn", "Go SDK no-op", "PyYAML (C) load + dump")
    rows = dict(re.findall(r"^\| ([\d,]+) .*?((?:\| [\d.]+ s \(\d+×\) )+)\|$", text, re.MULTILINE))
    assert len(rows) >= 4
    assert rows.keys() == found.keys()
    shown = {
        (size, variant): (float(seconds), float(ratio))
        for size, row in rows.items()
        for variant, (seconds, ratio) in zip(variants, re.findall(r"([\d.]+) s \((\d+)×", row), strict=True)
    }
    # both are rounded from the same measurement, to different digits
    assert {
        key: one
        for key, one in shown.items()
        if abs(one[0] - found[key[0]][key[1]][0]) > 0.006 or abs(one[1] - found[key[0]][key[1]][1]) > 0.6
    } == {}


def test_the_config_for_kustomize_is_that_of_the_help_with_its_function() -> None:
    shown = yaml.safe_load(files_of(ENGLISH)["kustomize/clusternet.yaml"])
    lines = COMMAND_HELP.split("Smallest configuration", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    small = yaml.safe_load("\n".join(lines))
    assert "exec:" in shown["metadata"].pop("annotations")["config.kubernetes.io/function"]
    assert shown == small


def test_both_languages_show_the_same_files() -> None:
    assert files_of(CHINESE) == files_of(ENGLISH)
    assert len(files_of(ENGLISH)) >= 4


def test_the_config_and_the_secret_render_in_a_plain_folder(tmp_path: Path) -> None:
    files = files_of(ENGLISH)
    config = yaml.safe_load(files["kustomize/clusternet.yaml"])
    del config["metadata"]["annotations"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "token.yaml").write_text(files["kustomize/registration-token.yaml"], encoding="utf-8")
    (tmp_path / "cluster.yaml").write_text(
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\n"
        'metadata: {name: prod-1, namespace: team-a, labels: {clusternet.io/register: "true"}}\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "krm_fn", "render", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "name: clusternet-cluster-api-registration" in done.stdout


def test_every_command_of_the_program_is_in_the_readme() -> None:
    section = ENGLISH.split("## Commands", 1)[1].split("## Configuration", 1)[0]
    assert {name for name in COMMANDS if f"`{name}`" not in section} == set()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)\b", ENGLISH))))
def test_every_make_target_that_is_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_schema_line_for_editors_works_from_a_checkout() -> None:
    line = re.search(r"^# yaml-language-server: \$schema=(\S+)$", ENGLISH, re.MULTILINE)
    assert line
    assert (
        ROOT / "examples/kustomization" / line[1]
    ).resolve() == ROOT / "schema/clusternetcapiconfig.editor.schema.json"


def test_the_version_in_file_names_and_tags_is_this_one() -> None:
    named = re.findall(r"clusternet_capi_fn-([\d.]+)-py3|clusternet-capi-fn:v([\d.]+\d)", ENGLISH)
    assert {one or other for one, other in named} == {__version__}


def test_make_demo_renders_the_main_example() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/.runtime", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "clusternet-capi-fn render examples/kustomization" in done.stdout


@pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_completion_is_shown_by_its_own_command(readme: str) -> None:
    assert "source <(clusternet-capi-fn completion bash)" in readme


COMMAND_HELP = subprocess.run(
    [sys.executable, "-m", "krm_fn", "--help"], capture_output=True, text=True, check=True
).stdout
