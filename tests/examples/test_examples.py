"""Every example renders to what its `.expected` folder holds, and to the same when it is rendered again.

    UPDATE_EXPECTED=1 pytest tests/examples      writes the expected files anew; read the difference before committing

The hosts that the examples are written for run in tests/hosts.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from krm_fn.__main__ import main
from tests.support.examples import plain_files

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
ELSEWHERE = {"ci", "own-function"}  # tests/docs/test_ci_example.py, test_own_function.py beside this
LOCAL = 'config.kubernetes.io/local-config: "true"'  # read, and not printed
TOKEN = "7fq2kd.m4v9x0c8b1n6z3pw"
UPDATE = os.environ.get("UPDATE_EXPECTED") == "1"


class Example(NamedTuple):
    """What is rendered, where the result is kept, and what is rendered on top of that result."""

    name: str
    source: str = "."
    tree: str = ""  # the folder of rendered files, where the example keeps those instead of one stream
    configs: tuple[str, ...] = ("fleet.yaml",)

    def __str__(self) -> str:
        """For the test's name."""
        return self.name


STREAMS = [
    Example("kustomization"),
    Example("argocd", "repository", configs=("clusternet.yaml",)),
    Example("per-cluster"),
    Example("waves", configs=("wave-1.yaml", "wave-2.yaml")),
]
KPT_CONFIG = "registration/config.yaml"
TREES = [Example("flux", "repository", "rendered")]


@pytest.fixture(autouse=True)
def _operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offer the token that examples read from a file, and no other surroundings."""
    for name in [name for name in os.environ if name.startswith("CLUSTERNET_")]:
        monkeypatch.delenv(name)
    (tmp_path / "offered").mkdir()
    (tmp_path / "offered/regToken").write_text(TOKEN + "\n", encoding="utf-8")
    monkeypatch.setenv("CLUSTERNET_TOKEN_DIR", str(tmp_path / "offered"))
    monkeypatch.setenv("CLUSTERNET_PARENT_URLS", "*")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")


def tree(folder: Path) -> dict[str, str]:
    """Every file by its path."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".expected" not in path.parts
    }


def expected(example: Example) -> Path:
    """The file that an example's stream is held against."""
    return EXAMPLES / example.name / ".expected/output.yaml"


def render(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str | Path) -> str:
    """Render to stdout, successfully and without a word about the token."""
    plain = [one for argument in arguments for one in (plain_files(argument) if isinstance(argument, Path) else [argument])]
    code = main(["render", *plain])
    done = capfdbinary.readouterr()
    assert code == 0, done.err.decode()
    assert TOKEN.encode() not in done.out + done.err
    return done.out.decode()


@pytest.mark.parametrize("example", STREAMS, ids=str)
def test_an_example_renders_to_its_expected_output(example: Example, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out = render(capfdbinary, EXAMPLES / example.name / example.source)
    if UPDATE:
        expected(example).parent.mkdir(exist_ok=True)
        expected(example).write_text(out, encoding="utf-8")
    assert out == expected(example).read_text(encoding="utf-8")


@pytest.mark.parametrize("example", STREAMS, ids=str)
def test_an_example_rendered_on_top_of_its_output_stays_as_it_is(
    example: Example, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    source = EXAMPLES / example.name / example.source
    shutil.copytree(source, tmp_path / "twice")
    once = render(capfdbinary, tmp_path / "twice")
    for path in (tmp_path / "twice").rglob("*.yaml"):
        if path.name not in example.configs and LOCAL not in path.read_text(encoding="utf-8"):
            path.unlink()
    (tmp_path / "twice/output.yaml").write_text(once, encoding="utf-8")
    assert objects(render(capfdbinary, tmp_path / "twice")) == objects(once)


@pytest.mark.parametrize("example", TREES, ids=str)
def test_the_rendered_files_of_an_example_are_what_it_renders(
    example: Example, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    kept = EXAMPLES / example.name / example.tree
    source = EXAMPLES / example.name / example.source
    if UPDATE:
        render(capfdbinary, source, "--output", kept)
    render(capfdbinary, source, "--output", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(kept)


@pytest.mark.parametrize("example", TREES, ids=str)
def test_rendering_into_the_rendered_files_changes_none_of_them(
    example: Example, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES / example.name, tmp_path / "copy", ignore=shutil.ignore_patterns(".expected"))
    render(capfdbinary, tmp_path / "copy" / example.source, "--output", tmp_path / "copy" / example.tree)
    assert tree(tmp_path / "copy") == tree(EXAMPLES / example.name)


def test_the_kpt_package_holds_what_render_makes_of_it_too(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """kpt wrote these files (tests/hosts/test_kpt.py holds that); here no host is needed."""
    package = EXAMPLES / "kpt/fleet"
    kept = "---\n".join(text for path, text in tree(package).items() if path not in {"Kptfile", KPT_CONFIG})
    assert objects(render(capfdbinary, package)) == objects(kept)


def test_the_kpt_package_from_its_inputs_alone_gives_the_same(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLES / "kpt/fleet/clusters", tmp_path / "clusters")
    inputs = render(capfdbinary, tmp_path / "clusters", "--config", EXAMPLES / "kpt/fleet" / KPT_CONFIG)
    assert objects(inputs) == objects(render(capfdbinary, EXAMPLES / "kpt/fleet"))


def test_no_example_goes_untested() -> None:
    """A new folder is a new test: here, or, where it needs more than `render`, in a file of its own beside this one."""
    tested = (
        {example.name for example in (*STREAMS, *TREES)}
        | {"kpt"}
        | ELSEWHERE
        | {path.stem.removeprefix("test_").replace("_", "-") for path in Path(__file__).parent.glob("test_*.py")}
    )
    assert FOLDERS
    assert {path.name for path in FOLDERS} - tested == set()


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_an_example_is_explained(path: Path) -> None:
    assert (path / "README.md").read_text(encoding="utf-8").startswith("# ")


def objects(text: str) -> dict[tuple[str, str, str], object]:
    """The objects of a stream by kind, namespace and name: their order depends on the files they were read from."""
    found = [value for value in yaml.load_all(text, Loader=yaml.CSafeLoader) if value]
    by_identity = {
        (value["kind"], value["metadata"].get("namespace", ""), value["metadata"]["name"]): value for value in found
    }
    assert len(by_identity) == len(found)
    return by_identity
