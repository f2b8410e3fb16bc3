"""What a container may request beside its limits, as an API server compares the two.

Source: apimachinery pkg/api/resource (`ParseQuantity`), k8s.io/kubernetes pkg/apis/core/validation
(`validateResourceRequirements`) and pkg/apis/core/helper, v1.36. Names and quantities are checked already.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Quantity = str | float

_ONE = 10**9  # amounts are counted in billionths; a server rounds up what is finer
_HUGE = "hugepages-"
_IN_BYTES = ("memory", "ephemeral-storage")
_MOST = 60  # no amount of anything has more digits, whatever the exponent says
_PARTS = re.compile(r"\+?([0-9]*)\.?([0-9]*)(?:([KMGTPE])i|([numkMGTPE])|[eE]([-+]?[0-9]+))?")
_BINARY = "KMGTPE"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def amount(quantity: Quantity) -> int:
    """Return a quantity in billionths, rounded up."""
    found = _PARTS.fullmatch(str(quantity))
    if not found:
        message = "not a quantity"
        raise ValueError(message)
    whole, decimals, binary, decimal, exponent = found.groups()
    power = _DECIMAL[decimal] if decimal else max(-_MOST, min(_MOST, int(exponent or 0)))
    shift = 9 + power - len(decimals)
    digits: int = int(whole + decimals) * (1024 ** (_BINARY.index(binary) + 1) if binary else 1)
    scale: int = 10 ** abs(shift)
    return digits * scale if shift >= 0 else -(-digits // scale)


def faults(requests: Mapping[str, Quantity], limits: Mapping[str, Quantity]) -> Iterator[tuple[str, str, str]]:
    """Yield what every API server refuses: `requests` or `limits`, the resource, and what is wrong, to go on after its path."""
    for name, quantity in requests.items():
        if reason := _beside(name, quantity, limits.get(name)):
            yield "requests", name, reason
    alone = not {"cpu", "memory"} & {*requests, *limits}
    for part, amounts in (("requests", requests), ("limits", limits)):
        for name, quantity in amounts.items():
            if name.startswith(_HUGE) and alone:
                yield part, name, "needs a request or limit of cpu or memory beside it"
            if name.startswith(_HUGE) and -(-amount(quantity) // _ONE) % (amount(name.removeprefix(_HUGE)) // _ONE):
                yield part, name, "must be a multiple of the size of a page"
            elif not _shared(name) and not name.startswith(_HUGE) and amount(quantity) % _ONE:
                yield part, name, "must be a whole number, since it is counted in pieces"


def fractions(amounts: Mapping[str, Quantity]) -> Iterator[str]:
    """Return the resources that are counted in bytes and are given no whole number of them: `512m` is half a byte."""
    return (name for name in _IN_BYTES if name in amounts and amount(amounts[name]) % _ONE)


def _beside(name: str, request: Quantity, limit: Quantity | None) -> str:
    """Say what is wrong with a request beside the limit of the same resource; "" for nothing."""
    shared = _shared(name)
    if limit is None:
        return "" if shared else "needs the same amount under limits, since pods can't share it"
    if shared and amount(request) > amount(limit):
        return f"is more than the limit of {limit}: request less, or raise the limit"
    if not shared and amount(request) != amount(limit):
        return f"must be the same as the limit of {limit}, since pods can't share it"
    return ""


def _shared(name: str) -> bool:
    """Return whether containers may use more of a resource than they request: Kubernetes' own, but for huge pages."""
    return ("/" not in name or "kubernetes.io/" in name) and not name.startswith(_HUGE)
