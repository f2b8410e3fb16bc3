# ruff: noqa: INP001 - a script of the build, imported by nothing
"""Lays out the root of the image: this interpreter with the libraries it links, the packages, and `nobody`.

Runs in the build stage of the Dockerfile. What it leaves out is what a filter from stdin to stdout never uses: pip,
the test suite, Tk, OpenSSL (hashes come from the interpreter's own implementations), SQLite, and everything of the
distribution but the C library and what the interpreter links.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
STDLIB = Path(sysconfig.get_path("stdlib"))

# Parts of the standard library that need what the image has not (a display, OpenSSL, a compiler, a package index).
LEFT_OUT = {
    "__phello__", "__pycache__", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "sqlite3", "test",
    "tkinter", "turtle.py", "turtledemo", "venv", f"config-{VERSION}",
}  # fmt: skip
# Extension modules by the start of their name: needed by nothing here, and each would bring a library along.
EXTENSIONS_LEFT_OUT = (
    "_bz2", "_crypt", "_ctypes", "_curses", "_dbm", "_gdbm", "_hashlib", "_lzma", "_sqlite3", "_ssl", "_test", "_tkinter",
    "_uuid", "nis", "readline", "xx",
)  # fmt: skip

LAUNCHER = f"""\
#!/usr/local/bin/python{VERSION} -IB
from krm_fn.__main__ import main

raise SystemExit(main())
"""
ACCOUNTS = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


def ignored(folder: str, names: list[str]) -> set[str]:
    """For shutil.copytree: what stays behind in a folder of the standard library."""
    if Path(folder) == STDLIB:
        return {name for name in names if name in LEFT_OUT or name.startswith("config-")}
    if Path(folder).name == "lib-dynload":
        return {name for name in names if name.startswith(EXTENSIONS_LEFT_OUT)}
    return {name for name in names if name in {"__pycache__", "test", "tests", "idle_test"}}


def libraries(binary: Path) -> set[Path]:
    """The shared libraries that a binary links, the dynamic loader among them, as the loader itself resolves them."""
    out = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False).stdout  # noqa: S607 - build stage
    if "not found" in out:
        sys.exit(f"{binary} links a library that is not here:\n{out}")
    return {Path(path) for path in re.findall(r"(?:=> |^\s*)(/\S+)", out, re.MULTILINE)}


def copy_library(path: Path, root: Path) -> None:
    """Copy a library to where the loader looks for it with no cache of its own: /usr/local/lib is no such place."""
    folder = Path("/usr/lib") if path.is_relative_to("/usr/local") else path.parent.resolve()
    target = root / folder.relative_to("/") / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(path, target)  # the file, not the link


def main() -> None:
    """Read the two paths and write the tree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, required=True, help="a folder that pip installed into")
    parser.add_argument("--root", type=Path, required=True, help="the folder to write; must not exist")
    options = parser.parse_args()
    root: Path = options.root

    for link in ("bin", "lib", "lib64"):  # as every merged-usr distribution has them: the loader's path needs /lib64
        (root / "usr" / link).mkdir(parents=True, exist_ok=True)
        (root / link).symlink_to(f"usr/{link}")
    binary = root / f"usr/local/bin/python{VERSION}"
    binary.parent.mkdir(parents=True)
    shutil.copy2(Path(sys.executable).resolve(), binary)
    stdlib = root / STDLIB.relative_to("/")
    shutil.copytree(STDLIB, stdlib, symlinks=True, ignore=ignored)
    packages = stdlib / "site-packages"
    shutil.copytree(options.packages, packages, ignore=shutil.ignore_patterns("__pycache__", "bin"))

    for linked in [Path(sys.executable).resolve(), *stdlib.rglob("*.so")]:
        for library in libraries(linked):
            copy_library(library, root)

    launcher = binary.parent / "clusternet-capi-fn"
    launcher.write_text(LAUNCHER, encoding="utf-8")
    launcher.chmod(0o755)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(ACCOUNTS, encoding="utf-8")
    (root / "etc/group").write_text(GROUPS, encoding="utf-8")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)

    # Nothing can be written at run time, so bytecode is made now; unchecked, since no source changes in an image.
    compileall.compile_dir(
        stdlib,
        quiet=1,
        stripdir=str(root),
        workers=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    for path in [root, *root.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)


if __name__ == "__main__":
    main()
