"""Parameters of an Argo CD plugin: what an Application may set for `render`, and how the plugin announces it.

Argo CD hands what an Application sets to the plugin as JSON in ARGOCD_APP_PARAMETERS, and its UI shows what the plugin
announces (argo-cd v3.2, operator manual, config management plugins). Whoever may write an Application sets them, so
a path must be inside the checkout. What the operator fixed in `plugin.yaml` can't be set.
"""

from __future__ import annotations

import json
import os
import re

from krm_fn.files import finding, reading
from krm_fn.krm.results import Errors
from krm_fn.kube.secrets import quoted
from krm_fn.surface import KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARAMETERS = "ARGOCD_APP_PARAMETERS"
_NAMES = ("config", "baseline")
_VARIABLE = re.compile(r"\$(?:\{(ARGOCD_APP_[A-Z_]+)\}|(ARGOCD_APP_[A-Z_]+))")
_KIND = re.compile(rb"(?m)^[\"']?kind[\"']?:[ \t]*[\"']?" + KIND.encode() + rb"\b")


def chosen(environment: Mapping[str, str], fixed: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return config and baseline: those of the command, else those that the Application sets.

    Args:
        environment: What Argo CD set, and may be named in both as $ARGOCD_APP_NAME and the like.
        fixed: The values that the command was called with.

    Raises:
        Errors: A parameter is unknown, no string, fixed by the command, or leads out of the folder; or what Argo CD set
            can't be read.
    """
    given = _parameters(environment.get(PARAMETERS, ""))
    for name in given:
        if fixed.get(name):
            raise _bad(name, "is fixed by the plugin's command; remove it from the Application")
    found = {name: given.get(name) or fixed.get(name) for name in _NAMES}
    return {name: value and _inside(name, _expanded(name, value, environment)) for name, value in found.items()}


def announced(paths: Sequence[str]) -> str:
    """Return the announcement of `config` as JSON, with the first one below some folders as the default.

    `plugin.yaml` announces the other parameter, which does not depend on the folder.

    Raises:
        Errors: A file can't be read.
    """
    files, _ = finding.find(paths)
    configs = [one.path for one in files if _KIND.search(finding.read_found(one))]
    announcement = {
        "name": "config",
        "title": "Config",
        "tooltip": f"File with the {KIND}, below the Application's path; without it, the one among the manifests",
        "itemType": "string",
        "collectionType": "string",
        "string": os.path.relpath(configs[0]) if configs else "",
    }
    return json.dumps([announcement], indent=2) + "\n"


def _parameters(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        entries = json.loads(text)
        pairs = {entry["name"]: entry.get("string") for entry in entries or ()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        message = f"{PARAMETERS} is not a list of parameters in the form that Argo CD sets"
        raise Errors.of(message, rule="argocd-parameter") from None
    for name, value in pairs.items():
        if name not in _NAMES:
            raise _bad(str(name), f"is unknown; the parameters are {' and '.join(_NAMES)}")
        if not isinstance(value, str):
            raise _bad(name, "must be a string")
    return {name: value for name, value in pairs.items() if value}  # emptied in the UI: not set


def _expanded(name: str, text: str, environment: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        variable = found[1] or found[2]
        if variable not in environment:
            raise _bad(name, f"names {variable}, which Argo CD does not set")
        return environment[variable]

    return _VARIABLE.sub(value, text)


def _inside(name: str, path: str) -> str:
    if not reading.inside(os.path.realpath(path), os.path.realpath(os.curdir)):
        raise _bad(name, f"must be below the Application's path, with links resolved, not {quoted(path)!r}")
    return path


def _bad(name: str, what: str) -> Errors:
    return Errors.of(f"the plugin parameter {quoted(name)!r} {what}", rule="argocd-parameter")
