"""Where a token stands that it should not: a search over the whole input, and a last sieve before anything is printed.

A Secret may hold the token; everything else is read by many more people (ConfigMaps, annotations, arguments, comments).
A finding names the place, never the value. What is searched for is the secret half of a bootstrap token, since the
other half, its id, is no secret; of a JWT it is the whole.
"""

from __future__ import annotations

import binascii

from krm_fn.krm.results import WARNING, Faults, Result, tagged
from krm_fn.surface import GROUP, KIND
from krm_fn.tokens import formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Secret

HIDDEN = "(hidden)"

_SHORTEST = 16  # the secret half of a bootstrap token
_KEY = "\0key"  # stands in a path for "the key itself"; no key of an object has a NUL
_TOKEN_FIELD = ("spec", "registrationToken", "value")


def find(token: Secret, items: Sequence[Item], *, except_positions: Collection[int] = ()) -> tuple[Result, ...]:
    """Report every place of the input where a token stands in plain text, or in base64, outside a Secret's data.

    Args:
        token: A checked token.
        items: The whole input.
        except_positions: Items that may hold it: our own earlier output, the ConfigMap that is the configuration.

    Returns:
        One warning a place, in an order that the input's order does not change.
    """
    needle = _needle(token)
    # three base64 characters a byte triple: the text up to the last whole triple is the same whatever follows
    packed = _base64_start(token.reveal())
    found: list[Result] = []
    sought = (needle.encode(), packed.encode())
    for item in items:
        if item.position in except_positions or not item.contains(*sought):
            continue
        try:
            found += [_finding(item, path, _needles([token])) for path in _places(item, needle, packed)]
        except Faults:  # none of ours, so its fault is not ours to report; what its text holds is
            if needle.encode() in item.text:
                found.append(_warning(f"items[{item.position}], which can't be read"))
    return tuple(sorted(found, key=lambda one: (one.message, one.file_path, one.file_index or 0)))


def scrubbed(results: Iterable[Result], tokens: Iterable[Secret]) -> tuple[Result, ...]:
    """Return results in which no token stands, whatever room made them: the last sieve before the output.

    A token can get into any name or label by mistake, and other rooms quote names and labels. Values too short to be
    one (a placeholder that failed the check) are not looked for.
    """
    needles = _needles(tokens)
    return tuple(_without(result, needles) for result in results)


def scrubbed_by_shape(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return results with nothing in the shape of a token; for faults found before any token is known."""
    return tuple(_with(result, lambda text: formats.hide_shapes(text, HIDDEN)) for result in results)


def scrub(text: str, tokens: Iterable[Secret]) -> str:
    """Return a text in which no token stands; for stderr, tracebacks and tables."""
    return _hide(text, _needles(tokens))


def _needles(tokens: Iterable[Secret]) -> list[str]:
    """Return what must not be seen of tokens, longest first, so that a part never spoils the whole."""
    found = {part for token in tokens for part in (token.reveal(), _needle(token)) if len(part) >= _SHORTEST}
    return sorted(found, key=lambda one: (-len(one), one))


def _needle(token: Secret) -> str:
    """Return the part of a token that is secret."""
    value = token.reveal()
    head, dot, tail = value.partition(".")
    return tail if dot and "." not in tail else head + dot + tail


def _base64_start(value: str) -> str:
    raw = value.encode()
    return binascii.b2a_base64(raw[: len(raw) // 3 * 3], newline=False).decode()


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


def _finding(item: Item, path: str, needles: Sequence[str]) -> Result:
    """Return the warning for one place."""
    plain = "" if path.startswith("a ") else path
    title = f"{item.namespace}/{item.name}" if item.namespace else item.name
    found = _warning(f"{item.kind or 'an object'} {title}, {path}").replace(
        resource_ref=item.ref(), field=plain, file_path=item.file_path, file_index=item.file_index
    )
    return _without(found, needles)


def _warning(place: str) -> Result:
    return Result(
        message=(
            f"the registration token stands in plain sight in {place}: remove it there and renew it, "
            "since everybody who could read this may have it"
        ),
        severity=WARNING,
        tags=tagged(rule="token-in-plain-sight"),
    )


def _without(result: Result, needles: Sequence[str]) -> Result:
    """Return a result whose texts hold none of the needles."""
    return _with(result, lambda text: _hide(text, needles))


def _with(result: Result, clean: Callable[[str], str]) -> Result:
    """Return a result with every text of it cleaned; the same object where that changes nothing."""
    ref = result.resource_ref
    cleaned = result.replace(
        message=clean(result.message),
        field=clean(result.field),
        proposed=clean(result.proposed) if isinstance(result.proposed, str) else result.proposed,
        fix=clean(result.fix),
        file_path=clean(result.file_path),
        tags=tuple((clean(key), clean(value)) for key, value in result.tags),
        resource_ref=ref.replace(**{name: clean(value) for name, value in zip(ref._fields, ref, strict=True)})
        if ref is not None
        else None,
    )
    return result if cleaned == result else cleaned


def _hide(text: str, needles: Iterable[str]) -> str:
    for needle in needles:
        text = text.replace(needle, HIDDEN)
    return text
