"""Tokens in the input: a warning where others can read one, those in Secrets, and that of our earlier output.

A Secret may hold the token; everything else is read by many more people (ConfigMaps, annotations, arguments, comments).
A finding names the place, never the value.
"""

from __future__ import annotations

from krm_fn.base import full_name, sha256_hex
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.model import Token
from krm_fn.surface import GROUP, KIND, OWNER_ANNOTATION, REGISTRATION_KEY, TOKEN_KEY
from krm_fn.tokens import formats
from krm_fn.tokens.redaction import Redactor
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config

_KEY = "\0key"  # in a path: "the key itself"; no key of an object has a NUL
_TOKEN_FIELD = ("spec", "registrationToken", "value")


def find(token: Secret, items: Sequence[Item], *, except_positions: Collection[int] = ()) -> tuple[Result, ...]:
    """Warn of every place of the input where a token appears in plain text, or in base64, outside a Secret's data.

    `except_positions` are items that may hold it. The order of the input does not change that of the warnings.
    """
    whole = token.reveal()
    needle = whole.partition(".")[2]  # an id and a header are public
    # in base64, the text up to the last whole triple of bytes is the same whatever follows
    packed = secrets.encode(whole[: len(whole) // 3 * 3])
    found: list[Result] = []
    sought = (needle.encode(), packed.encode())
    for item in items:
        if item.position in except_positions or not item.contains(*sought):
            continue
        try:
            found += [_finding(item, path) for path in _places(item, needle, packed)]
        except Errors:  # none of ours, so its error is not ours to report; what its text holds is
            if needle.encode() in item.text:
                found.append(_warning(f"items[{item.position}], which can't be read"))
    clean = Redactor([token]).results(found)
    return tuple(sorted(clean, key=lambda one: (one.message, one.file_path, one.file_index or 0)))


def in_secrets(items: Sequence[Item]) -> list[Secret]:
    """Return every token in a Secret of the input, where no readable config tells which of them is used."""
    found: list[Secret] = []
    for item in items:
        if item.kind != "Secret":
            continue
        try:
            value = item.value()
        except Errors:
            continue  # reported where it is read
        for part in (value.get("data"), value.get("stringData")):
            texts = [text for text in part.values() if isinstance(text, str)] if isinstance(part, dict) else []
            texts += [data.decode("utf-8", "replace") for data in map(secrets.decode, texts) if data is not None]
            found += [Secret(token) for text in texts for token in secrets.tokens_in(text)]
    return found


def in_place_of(config: Config, earlier: Sequence[Item]) -> Token:
    """Return what a config is planned with where its token is not at hand: `plan` and `manifests` run without one.

    It is the token of our earlier output, so that a plan shows no change that only the token's absence would make; else a
    stand-in, the same in each run.
    """
    for item in earlier:
        if item.kind == "Secret" and not item.group and item.contains(REGISTRATION_KEY.encode()):
            try:
                value = item.value()
                if item.annotations.get(OWNER_ANNOTATION) == config.owner:
                    registration = load(secrets.texts(value)[REGISTRATION_KEY] or "")
                    return formats.check(Secret(secrets.texts(registration)[TOKEN_KEY] or ""), config.agent.version)
            except (Errors, BadYaml, LookupError, AttributeError):
                continue  # none, or in no form that we write
    digest = sha256_hex(f"no token of {config.owner}".encode())
    return Token(secret=Secret(f"{digest[:6]}.{digest[6:22]}"), form=formats.BOOTSTRAP)


def _places(item: Item, needle: str, packed: str) -> list[str]:
    """Return the fields that hold a token and may not, and "a comment" where the text has it more often than the value."""
    allowed = _may_hold(item)
    found: set[str] = set()
    seen = 0
    for path, text in _strings(item.value()):
        seen += text.count(needle)
        if (needle in text or packed in text) and not any(path[: len(field)] == field for field in allowed):
            found.add(_shown(path))
    if item.text.count(needle.encode()) > seen:
        found.add("a comment")
    return sorted(found)


def _may_hold(item: Item) -> tuple[tuple[str, ...], ...]:
    """Return the paths under which an item may hold a token."""
    if item.kind == "Secret" and item.group == "":
        return (("data",), ("stringData",))
    if item.group == GROUP and item.kind == KIND:
        return (_TOKEN_FIELD,)  # decoding the configuration warns of it already
    return ()


def _strings(value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path and the text of every string, keys included, of a JSON-like value.

    Without recursion, and each container once, so that neither depth nor aliases cost more than the text is long.
    """
    seen: set[int] = set()
    stack: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while stack:
        path, one = stack.pop()
        if isinstance(one, str):
            yield path, one
        elif isinstance(one, (dict, list)) and id(one) not in seen:
            seen.add(id(one))
            if isinstance(one, dict):
                for key, inner in one.items():
                    yield (*path, _KEY), str(key)
                    stack.append(((*path, str(key)), inner))
            else:
                stack.extend(((*path, f"[{index}]"), inner) for index, inner in enumerate(one))


def _shown(path: tuple[str, ...]) -> str:
    """Return a path as messages print it: `metadata.annotations[a.b/c]`, `a key of data`."""
    if path and path[-1] == _KEY:
        return f"a key of {_shown(path[:-1]) or 'the object'}"
    text = ""
    for part in path:
        if part.startswith("["):
            text += part
        elif "." in part or "/" in part:
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _finding(item: Item, path: str) -> Result:
    """Return the warning for one place."""
    title = full_name(item.namespace, item.name)
    return _warning(f"{item.kind or 'an object'} {title}, {path}").replace(
        **item.place("" if path.startswith("a ") else path)
    )


def _warning(place: str) -> Result:
    return Result(
        message=(
            f"the registration token appears in plain text in {place}: remove it there and rotate it, "
            "since anyone who could read this may have it"
        ),
        severity=WARNING,
        tags=tagged(rule="token-in-plain-sight"),
    )
