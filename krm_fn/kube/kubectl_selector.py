"""Label selectors in kubectl's syntax: `env=prod,region in (eu,us),tier!=test,owner,!legacy`.

Grammar and meaning as apimachinery's `pkg/labels` parses it, without `>` and `<`, which a LabelSelector can't express.
"""

from __future__ import annotations

from krm_fn.base import late
from krm_fn.kube.secrets import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOKEN = late(r"[^\s,=!()<>]+|==|!=|[=!(),<>]")


class SelectorError(ValueError):
    """Text that is no selector. Its message continues after the field's path."""


def parse(text: str) -> dict[str, Any]:
    """Return a metav1.LabelSelector as data; keys and values are not checked yet.

    Equality becomes `matchLabels`, all else `matchExpressions`. `key=a,key=b` can match nothing and is refused.

    Raises:
        SelectorError: With the cause.
    """
    words = _Words(text)
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    while words.next:
        _requirement(words, labels, expressions)
        if not words.next:
            break
        words.take(",", what="',' between requirements")
        if not words.next:
            message = "must not end with ','"
            raise SelectorError(message)
    selector: dict[str, Any] = {}
    if labels:
        selector["matchLabels"] = labels
    if expressions:
        selector["matchExpressions"] = expressions
    return selector


class _Words:
    """The tokens of a selector, with one to look at."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(text)[::-1]

    @property
    def next(self) -> str:
        """The token that comes, "" at the end."""
        return self._tokens[-1] if self._tokens else ""

    def take(self, *wanted: str, what: str) -> str:
        """Take a token that is one of these, or a word where none is named."""
        token = self.next
        if (token not in wanted) if wanted else (not token or token[0] in "=!(),<>"):
            message = f'must have {what}, not "{quoted(token)}"' if token else f"must have {what} at its end"
            raise SelectorError(message)
        return self._tokens.pop()

    def take_if(self, wanted: str) -> bool:
        """Take a token if it is this one."""
        if self.next == wanted:
            self._tokens.pop()
            return True
        return False


def _requirement(words: _Words, labels: dict[str, str], expressions: list[dict[str, Any]]) -> None:
    if words.take_if("!"):
        expressions.append({"key": words.take(what="a label key after '!'"), "operator": "DoesNotExist"})
        return
    key = words.take(what="a label key")
    if words.next in {"", ","}:
        expressions.append({"key": key, "operator": "Exists"})
        return
    operator = words.take("=", "==", "!=", "in", "notin", what=f"'=', '!=', 'in' or 'notin' after {quoted(key)}")
    if operator in {"in", "notin"}:
        expressions.append({"key": key, "operator": "In" if operator == "in" else "NotIn", "values": _values(words)})
        return
    value = "" if words.next in {"", ","} else words.take(what=f"a value after {quoted(key)}{operator}")
    if operator == "!=":
        expressions.append({"key": key, "operator": "NotIn", "values": [value]})
    elif labels.setdefault(key, value) != value:
        message = f"asks for two values of {quoted(key)} at once: use the operator in"
        raise SelectorError(message)


def _values(words: _Words) -> list[str]:
    """Read `(a,b)`; as with kubectl, an empty place beside a comma is the empty value."""
    words.take("(", what="'(' before the values")
    values = [""] if words.next == "," else []
    while not words.take_if(")"):
        if words.take_if(","):
            if words.next in {",", ")"}:
                values.append("")
        else:
            values.append(words.take(what="a value or ')'"))
            if words.next not in {",", ")"}:
                words.take(",", ")", what="',' or ')' between values")
    return values
