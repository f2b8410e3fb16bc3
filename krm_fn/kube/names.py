"""Names: DNS labels and subdomains as Kubernetes validates them, placeholders in their place, the tag of an image.

Rules: apimachinery `pkg/util/validation` (`IsDNS1123Label`, `IsDNS1123Subdomain`), v1.36.
"""

from __future__ import annotations

MAX_LABEL = 63
MAX_SUBDOMAIN = 253

# in the syntax that Python, ECMA 262 and RE2 share, since the JSON Schema shows them too
LABEL_PATTERN = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_PATTERN = rf"{LABEL_PATTERN}(?:\.{LABEL_PATTERN})*"


def dns_label_error(name: str, limit: int = MAX_LABEL) -> str:
    """Say what is wrong with a DNS-1123 label; empty if nothing."""
    if len(name) > limit:
        return f"is {len(name)} characters long, at most {limit} are allowed"
    if not _is_label(name):
        return "must be lower-case letters, digits or '-', and begin and end with a letter or digit"
    return ""


def dns_subdomain_error(name: str, limit: int = MAX_SUBDOMAIN) -> str:
    """Say what is wrong with a DNS-1123 subdomain; empty if nothing."""
    if len(name) > limit:
        return f"is {len(name)} characters long, at most {limit} are allowed"
    if not all(_is_label(part) for part in name.split(".")):
        return "must be lower-case letters, digits, '-' or '.', and begin and end with a letter or digit"
    return ""


def _is_label(text: str) -> bool:
    """Return whether `LABEL_PATTERN` matches a whole string; asked in every run, and this needs nothing compiled."""
    return (
        text.replace("-", "0").isalnum()
        and text.isascii()
        and text == text.lower()
        and text[0] != "-"
        and text[-1] != "-"
    )


# What an unfilled placeholder contains, what it is, and what has to happen before the function sees it.
_PLACEHOLDERS = (
    (
        "${",
        "a variable: substitute it before this function runs (clusterctl generate, envsubst; Flux' postBuild is later)",
    ),
    ("{{", "a template expression: render it (helm template, say) before this function runs"),
    ("($", "a binding of Chainsaw: give the value itself"),
    ("<path:", "a placeholder of argocd-vault-plugin: fill it in before this function runs"),
    ("ENC[", "a value that SOPS has encrypted: decrypt it before this function runs"),
    ("<", "a placeholder: fill it in"),
)


def placeholder(text: str) -> str:
    """Say what kind of unfilled placeholder a text contains, to go on after "is"; empty if there is none."""
    return next((meaning for mark, meaning in _PLACEHOLDERS if mark in text), "")


def image_tag(image: str) -> str:
    """Return the tag of an image reference, digest or not; "" if it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
