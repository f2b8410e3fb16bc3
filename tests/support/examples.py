"""The files of an example as plain manifests, for tests that need no kustomize."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = {"kustomization.yaml", "name-references.yaml", "ksops.yaml"}


def plain_files(folder: Path) -> list[str]:
    """The manifests that kustomize would build, in the order of their names; a folder without kustomization as it is."""
    if not (folder / "kustomization.yaml").exists():
        return [str(folder)]
    return [
        str(path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.name not in _SETTINGS and (path.suffix == ".yaml" or path.is_dir())
    ]
