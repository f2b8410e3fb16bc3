"""Flat keys: a ConfigMap whose data names fields by dotted paths, as `kpt fn eval -- key=value` makes it.

`unflatten` gives the structure that a `ClusternetCAPIConfig` would have under `spec`; the same tree then checks it.
"""

from __future__ import annotations

from krm_fn.base import nearest
from krm_fn.config.fields import Either, ListOf, MapOf, Object, walk
from krm_fn.config.kinds import Choice, Flag, Text, Whole
from krm_fn.config.report import Place
from krm_fn.config.tree import SPEC
from krm_fn.config.tree.selectors import Selector
from krm_fn.kube.labels import SelectorError, parse_selector
from krm_fn.kube.secrets import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.config.kinds import Kind

NAME_KEY = "name"
_ENVELOPE = frozenset({"apiVersion", "kind", "metadata", "data"})
# what a ConfigMap may hold beside and what says nothing
_HARMLESS = frozenset({"immutable"})


class _BadValueError(ValueError):
    """Text that can't become a value of the kind; says why, to go on after the path."""


def unflatten(config_map: dict[str, Any], at: Place) -> dict[str, Any]:
    """Return what `spec` would hold; `at` is the place of `data`. Errors go to its log."""
    for key in sorted(config_map.keys() - _ENVELOPE - _HARMLESS):
        Place(at.log, quoted(key)).error("is not read: give the settings in data", "unknown-field")
    data = config_map.get("data")
    if not isinstance(data, dict) or not data:
        at.error("is required: it holds the settings, such as parentURL and clusterSelector", "required")
        return {}
    if not any(key == NAME_KEY or _find(key.removeprefix("spec.")) or _meant(key) for key in map(str, data)):
        at.error(
            "has no key of a configuration, such as parentURL, registrationToken.secretRef.name and clusterSelector: give"
            " them, or a ClusternetCAPIConfig instead of this ConfigMap",
            "unknown-field",
        )
        return {}
    root: dict[str, Any] = {}
    taken: dict[str, str] = {}
    for key, value in sorted(data.items(), key=lambda entry: entry[0]):
        if key != NAME_KEY:
            _place(root, taken, key, value, at)
        elif not isinstance(value, str):
            at.field(NAME_KEY).error(f"must be a string, not {at.described(value)}: put it in quotes", "type")
    return root


def _place(root: dict[str, Any], taken: dict[str, str], key: str, value: object, at: Place) -> None:
    """Put one value where its key says."""
    found = _find(key)
    if found is None:
        _unknown(key, at)
        return
    steps, kind, private = found
    here = at.field(key, private=private)
    path = "\0".join(steps)
    for other, other_key in taken.items():
        if f"{path}\0".startswith(f"{other}\0") or f"{other}\0".startswith(f"{path}\0"):
            here.error(f"sets the same field as {other_key}: keep one", "duplicate")
            return
    taken[path] = key
    try:
        typed = _typed(kind, value) if isinstance(value, str) else value
    except _BadValueError as error:
        here.error(str(error), "type")
        return
    node = root
    for step in steps[:-1]:
        node = node.setdefault(step, {})
    node[steps[-1]] = typed


def _find(key: str) -> tuple[list[str], Kind, bool] | None:
    """Return steps, kind and privacy of the field that a dotted key names; the rest of a key of a map is one step."""
    kind: Kind = SPEC
    steps: list[str] = []
    private = False
    rest = key
    while rest:
        if isinstance(kind, MapOf):
            return [*steps, rest], kind.value, private
        if not isinstance(kind, Object):
            return None
        name, _, rest = rest.partition(".")
        field = kind.get(name)
        if field is None:
            return None
        steps.append(name)
        private = private or field.private or field.secret
        kind = field.kind
    return (steps, kind, private) if steps and not key.endswith(".") else None


def _meant(key: str) -> str:
    """Return the key that was most likely meant; "" where none is near."""
    known = [path for path, _ in walk(SPEC)]
    near = nearest(key, [*known, NAME_KEY])
    ends = [path for path in known if path.rpartition(".")[2] == key]
    return near or (ends[0] if len(ends) == 1 else "")


def _unknown(key: str, at: Place) -> None:
    meant = key.removeprefix("spec.")
    if _find(meant) is not None:
        at.field(key).error("is not a known field: leave out spec.", "unknown-field")
        at.log.explain(at.field(meant).path)
        return
    near = _meant(key)
    head, _, rest = key.partition(".")
    field = SPEC.get(head)
    if field is not None and field.private and rest:  # what follows may be a secret in the wrong place
        place = at.field(head, private=True).key(rest)
    else:
        place = at.field(key) if quoted(key) == key else at.key(key)
    place.error("is not a known field" + (f": did you mean {near}?" if near else ""), "unknown-field")
    if near:  # the field that was meant is not missing
        at.log.explain(at.field(near).path)


def _typed(kind: Kind, text: str) -> object:  # noqa: PLR0911 - one per kind
    """Turn text into a value of a kind; what does not fit stays a string, for the tree to refuse in its own words."""
    if isinstance(kind, Flag):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(kind, Whole) or (isinstance(kind, Either) and any(isinstance(one, Whole) for one in kind.kinds)):
        return _whole(text)
    if isinstance(kind, (Text, Choice, Either)):
        return text
    if text.lstrip().startswith(("{", "[")):
        return _json(text)
    if isinstance(kind, Selector):
        return _selector(text)
    if isinstance(kind, MapOf):
        return _pairs(kind, text)
    if isinstance(kind, ListOf):
        return _list(kind, text)
    message = f"must be {kind.expected} in JSON"
    raise _BadValueError(message)


def _whole(text: str) -> object:
    digits = text.removeprefix("-")
    fits = digits.isascii() and digits.isdigit() and len(digits) < 19  # noqa: PLR2004 - digits of int64
    return int(text) if fits else text


def _selector(text: str) -> object:
    try:
        return parse_selector(text)
    except SelectorError as error:
        message = f"{error}; it is read in kubectl's selector syntax, such as env=prod,region in (eu,us)"
        raise _BadValueError(message) from None


def _pairs(kind: MapOf, text: str) -> object:
    """Read `a=b,c=d`."""
    found: dict[str, object] = {}
    for pair in text.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            message = "must be key=value pairs separated by commas, or JSON"
            raise _BadValueError(message)
        if key in found:
            message = f"gives {quoted(key)} twice: keep one"
            raise _BadValueError(message)
        found[key] = _typed(kind.value, value)
    return found


def _list(kind: ListOf, text: str) -> object:
    """Read `a,b`; entries that are objects need JSON."""
    if not isinstance(kind.item, (Text, Choice, Either)):
        message = "must be a list in JSON"
        raise _BadValueError(message)
    return [_typed(kind.item, part.strip()) for part in text.split(",")]


def _json(text: str) -> object:
    from json import JSONDecodeError, loads  # noqa: PLC0415 - only for values that are JSON

    try:
        return loads(text, object_pairs_hook=_unrepeated)
    except (JSONDecodeError, RecursionError) as error:
        where = f" at character {error.pos + 1}" if isinstance(error, JSONDecodeError) else ""
        message = f"is not valid JSON{where}"
        raise _BadValueError(message) from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "must be JSON in which no object has a key twice"
        raise _BadValueError(message)
    return found
