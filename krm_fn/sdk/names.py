"""Names of objects: DNS labels and subdomains as Kubernetes validates them.

Rules: apimachinery `pkg/util/validation` (`IsDNS1123Label`, `IsDNS1123Subdomain`), v1.36.
"""

from __future__ import annotations

from krm_fn.sdk.patterns import late

MAX_LABEL = 63
MAX_SUBDOMAIN = 253

# in the syntax that Python, ECMA 262 and RE2 share, since the JSON Schema shows them too
LABEL_PATTERN = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_PATTERN = rf"{LABEL_PATTERN}(?:\.{LABEL_PATTERN})*"

_LABEL = late(rf"{LABEL_PATTERN}\Z")
_SUBDOMAIN = late(rf"{SUBDOMAIN_PATTERN}\Z")


def dns_label_fault(name: str, limit: int = MAX_LABEL) -> str:
    """Say what is wrong with a DNS-1123 label; empty if nothing."""
    if len(name) > limit:
        return f"is {len(name)} characters long, at most {limit} are allowed"
    if not _LABEL.match(name):
        return "must be lower-case letters, digits or '-', and begin and end with a letter or digit"
    return ""


def dns_subdomain_fault(name: str, limit: int = MAX_SUBDOMAIN) -> str:
    """Say what is wrong with a DNS-1123 subdomain; empty if nothing."""
    if len(name) > limit:
        return f"is {len(name)} characters long, at most {limit} are allowed"
    if not _SUBDOMAIN.match(name):
        return "must be lower-case letters, digits, '-' or '.', and begin and end with a letter or digit"
    return ""
