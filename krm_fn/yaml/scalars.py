"""What a plain YAML scalar means to Kubernetes.

Kubernetes' own tools read YAML through `sigs.k8s.io/yaml`, which follows go-yaml v2: booleans of YAML 1.1 (`on`,
`yes`, `y`), octal with a leading zero, digits grouped by `_`, floats such as `1e3`; but dates and `1:30` stay
strings. Source: `goyaml.v2/resolve.go` of sigs.k8s.io/yaml v1.4.
"""

from __future__ import annotations

import re

from krm_fn.base.patterns import late

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMERIC_START = frozenset("+-.0123456789")
_INT = late(r"([-+]?)(?:0[bB]([01]+)|0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z")
_BASES = ((2, 2), (3, 16), (4, 8), (5, 10))  # group of _INT, its base
_FLOAT = late(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_POINT_FLOAT = late(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z")
_MAX_INT_TEXT = 70  # a sign, a prefix and 64 binary digits; longer ones are beyond 64 bits unless padded with zeros
_INT64_MIN, _INT64_MAX, _UINT64_MAX = -(2**63), 2**63 - 1, 2**64 - 1

# The union of everything that YAML 1.1, YAML 1.2 (core), go-yaml v2 and v3 read as something else than a string,
# any letter case; generous where the four differ. Compiled when first used: the function's own path never asks.
_AMBIGUOUS = r"""(?:
      |~|null|true|false|yes|no|on|off|y|n|=|<<
      |[-+]?\.inf|[-+]?\.nan
      |[-+]?0b[01_]*|[-+]?0o?[0-7_]*|[-+]?0x[0-9a-f_.]*(?:p[-+]?[0-9]*)?
      |[-+]?[0-9][0-9_]*(?::[0-9]{1,2})+(?:\.[0-9_]*)?
      |[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:e[-+]?[0-9_]*)?
      |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[t\s].*)?
    )\Z"""


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of a plain (unquoted) scalar as Kubernetes' parsers read it."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if text[0] == ".":
        return _float(text) if _POINT_FLOAT.match(text) else text
    plain = text.replace("_", "")
    number = _int(plain)
    if number is not None:
        return number
    if _FLOAT.match(plain):
        value = _float(plain)
        return text if isinstance(value, str) else value
    return text


def ambiguous(text: str) -> bool:
    """Tell whether any of YAML 1.1, YAML 1.2, go-yaml v2 or v3 would read the plain text as a non-string.

    A key or value for which this holds must be quoted wherever it is printed.
    """
    flags = re.VERBOSE | re.IGNORECASE | re.DOTALL
    if re.match(_AMBIGUOUS, text, flags):
        return True
    # go-yaml v2 drops every underscore of what begins like a number
    return "_" in text and text[0] in _NUMERIC_START and bool(re.match(_AMBIGUOUS, text.replace("_", ""), flags))


def _int(plain: str) -> int | None:
    """Return the integer that Go's `strconv.ParseInt`, then `ParseUint` (base 0) would find; None if neither does."""
    match = _INT.match(plain) if len(plain) <= _MAX_INT_TEXT else None
    if match is None:
        return None
    sign = match[1]
    for group, base in _BASES:
        if match[group] is not None:
            value = int(match[group], base)
            break
    if sign == "-":
        value = -value
    if _INT64_MIN <= value <= _INT64_MAX or (not sign and value <= _UINT64_MAX):
        return value
    return None


def _float(plain: str) -> float | str:
    """Return the float; the text itself where it is out of range, as Go's `ParseFloat` fails there."""
    value = float(plain)
    return plain if value in (float("inf"), float("-inf")) else value
