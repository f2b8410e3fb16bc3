"""Who may reach outside, read from the source: the claims of SECURITY.md that no run can show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import krm_fn

PACKAGE = Path(krm_fn.__file__).parent
REPOSITORY = Path(__file__).parents[3]


def imported(path: Path) -> set[Path]:
    """Return the package's own files that a file imports, late imports too; not what only type checkers see."""
    found = set()
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and id(node) not in typing_only
            and (node.module or "").startswith("krm_fn")
        ):
            base = PACKAGE.joinpath(*str(node.module).split(".")[1:])
            candidates = [base.with_suffix(".py"), base / "__init__.py"]
            candidates += [base / f"{alias.name}.py" for alias in node.names]
            candidates += [base / alias.name / "__init__.py" for alias in node.names]
            found |= {one for one in candidates if one.exists()}
    return found


def reachable(*starts: Path) -> list[Path]:
    """Return every file that a run beginning in some can come to."""
    seen: set[Path] = set()
    new = set(starts)
    while new:
        seen |= new
        new = {found for path in new for found in imported(path)} - seen
    return sorted(seen)


INSIDE = reachable(PACKAGE / "function.py", PACKAGE / "krm/resource_list.py", PACKAGE / "tokens/offers.py")
REACHING = {
    *("os", "io", "pathlib", "shutil", "tempfile", "glob", "subprocess", "multiprocessing", "ctypes"),
    *("socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests", "selectors", "pickle"),
}
ALLOWED = {
    "tokens/offers.py": {"os"},  # handed in by the caller, which __main__.py and the command line are
    "files/reading.py": {"os", "shutil"},  # which opens a token file for it, below the offered folder
}


def reached(path: Path) -> set[str]:
    """Return the modules that a file imports and that reach outside, and calls of `open`, `eval`, `exec`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= {node.func.id} & {"open", "eval", "exec", "compile", "__import__"}
    return found & (REACHING | {"open", "eval", "exec", "compile", "__import__"})


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_these_modules_import_what_reaches_outside(path: Path) -> None:
    assert reached(path) == ALLOWED.get(str(path.relative_to(PACKAGE)), set())


def test_the_look_into_the_source_goes_everywhere() -> None:
    names = {str(path.relative_to(PACKAGE)) for path in INSIDE}
    assert {"function.py", "plan.py", "tokens/sources.py", "agent/checks.py", "krm/items.py"} <= names


def test_the_look_into_the_source_sees_what_is_there() -> None:
    assert reached(PACKAGE / "tokens/offers.py") == {"os"}
    assert "os" in reached(PACKAGE / "__main__.py")


@pytest.mark.parametrize(
    ("path", "name"),
    re.findall(r"\| `(tests/[^`]+\.py)::(test_\w+)` \|", (REPOSITORY / "SECURITY.md").read_text()),
)
def test_every_claim_of_the_security_page_names_a_test_that_exists(path: str, name: str) -> None:
    assert f"def {name}(" in (REPOSITORY / path).read_text()


def test_the_security_page_has_its_table() -> None:
    assert (REPOSITORY / "SECURITY.md").read_text().count("::test_") >= 20
