r"""Formats of strings: each a pattern for the JSON Schema, a check for the decoder, and words for people.

Patterns use only what Python, ECMA 262 and RE2 share (no look-around, no named groups), and match the whole string.
"""

from __future__ import annotations

import re

from krm_fn.base import Record
from krm_fn.kube.labels import (
    LABEL_PATTERN,
    NAME_PATTERN,
    SUBDOMAIN_PATTERN,
    dns_label_error,
    dns_subdomain_error,
    label_key_error,
    label_value_error,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Refusal(Record):
    """Strings that a format would allow and a field does not. The pattern matches anywhere unless anchored.

    Attributes:
        pattern: What they look like.
        reason: Goes on after the path: "is set by …".
        parts: Each such string has one of these in it, in small letters; so for most strings nothing is compiled.
    """

    pattern: str
    reason: str
    parts: tuple[str, ...] = ("",)


class Format:
    """A kind of string.

    Attributes:
        expected: What it is, for messages and the reference: "a DNS label".
        pattern: Regular expression for the whole string; "" for any.
        max_length: In characters; 0 = no limit.
        explain: Says in more detail what is wrong with a string. Where it is given it decides, and refuses whatever the
            pattern refuses (a property test holds them together); so the pattern need not be compiled.
        refused: Exceptions.
    """

    def __init__(
        self,
        expected: str,
        pattern: str = "",
        max_length: int = 0,
        explain: Callable[[str], str] | None = None,
        refused: tuple[Refusal, ...] = (),
    ) -> None:
        self.expected = expected
        self.pattern = pattern
        self.max_length = max_length
        self.explain = explain
        self.refused = refused

    def but(self, pattern: str, reason: str, *parts: str) -> Format:
        """Return the format with an exception, as in `Refusal`."""
        refusal = Refusal(pattern=pattern, reason=reason, parts=parts or ("",))
        return Format(self.expected, self.pattern, self.max_length, self.explain, (*self.refused, refusal))

    def limited(self, max_length: int) -> Format:
        """Return the format with another limit."""
        return Format(self.expected, self.pattern, max_length, self.explain, self.refused)

    def error(self, value: str) -> str:
        """Say what is wrong with a string, to go on after its path; empty if nothing. Never shows the string."""
        if self.max_length and len(value) > self.max_length:  # first, since it bounds the time of all else
            return f"is {len(value)} characters long, at most {self.max_length} are allowed"
        if self.explain is not None:
            reason = self.explain(value)
            if reason:
                return reason
        elif self.pattern and not re.fullmatch(self.pattern, value):
            return f"must be {self.expected}"
        for one in self.refused:
            if any(part in value.lower() for part in one.parts) and re.search(one.pattern, value):
                return one.reason
        return ""


ANY = Format("a string")
LINE = Format("a line of text", r"[^\x00-\x1f\x7f]+")
WHOLE = Format("a whole number", "[0-9]{1,18}")  # fits into the 64 bits that the scheduler reads

# --- names of Kubernetes ---------------------------------------------------------------------------------------------

DNS_LABEL = Format("a DNS label (lower-case letters, digits, '-')", LABEL_PATTERN, 63, dns_label_error)


def _name_error(value: str) -> str:
    alone = (
        "" if value.count("/") != 1 or "://" in value else "must be the name alone: remove the namespace and the '/'"
    )
    return alone or dns_subdomain_error(value)


DNS_SUBDOMAIN = Format("a DNS subdomain (lower-case letters, digits, '-', '.')", SUBDOMAIN_PATTERN, 253, _name_error)
LABEL_KEY = Format("a label key", f"(?:{SUBDOMAIN_PATTERN}/)?{NAME_PATTERN}", 317, label_key_error)
LABEL_VALUE = Format("a label value", f"(?:{NAME_PATTERN})?", 63, label_value_error)
# ConfigMap and Secret keys: apimachinery validation.IsConfigMapKey
_PATH_LIKE = (r"^[.](?:$|[.])", "must not be '.' or begin with '..': the API server refuses it")
DATA_KEY = Format("a key of a Secret or ConfigMap", r"[-._a-zA-Z0-9]+", 253).but(*_PATH_LIKE)
# apimachinery validation.IsEnvVarName
ENV_NAME = Format("the name of an environment variable", "[-._a-zA-Z][-._a-zA-Z0-9]*").but(*_PATH_LIKE)
# apimachinery resource.Quantity, not negative
QUANTITY = Format(
    "a quantity such as 100m, 0.5 or 128Mi",
    r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?",
    64,
)
_HUGE_PAGES = "hugepages-[1-9][0-9]{0,17}(?:[KMGT]i|[kMGT])?"
_RESOURCE = "cpu, memory, ephemeral-storage, hugepages-SIZE, or a name with a domain such as example.com/gpu"


def _resource_error(name: str) -> str:
    if name in {"cpu", "memory", "ephemeral-storage"}:
        return ""
    reason = label_key_error(name)
    if not reason and "/" not in name and not re.fullmatch(_HUGE_PAGES, name):
        reason = f"must be {_RESOURCE}"
    return reason


# k8s.io/kubernetes pkg/apis/core/validation.validateContainerResourceName: a standard name or one with a domain, which
# must not look like a name of a quota
RESOURCE_NAME = Format(
    _RESOURCE,
    f"cpu|memory|ephemeral-storage|{_HUGE_PAGES}|{SUBDOMAIN_PATTERN}/{NAME_PATTERN}",
    317,
    _resource_error,
).but("^requests[.]", "is a name for quotas, which no container can have: remove 'requests.'", "requests.")
# what a variable can hold of a pod: validEnvDownwardAPIFieldPathExpressions and the like in pkg/apis/core/validation
FIELD_PATH = Format(
    "the path of a field such as spec.nodeName, status.podIP or metadata.labels['app']",
    r"metadata\.(?:name|namespace|uid)|spec\.(?:nodeName|serviceAccountName)|status\.(?:hostIPs?|podIPs?)"
    rf"|metadata\.(?:labels|annotations)\['(?:{SUBDOMAIN_PATTERN}/)?{NAME_PATTERN}'\]",
)
RESOURCE_PATH = Format(
    "the path of a resource such as limits.memory or requests.cpu",
    rf"(?:limits|requests)\.(?:cpu|memory|ephemeral-storage|{_HUGE_PAGES})",
)
CPU_DIVISOR = Format("1 or 1m", "0|1m?")
DIVISOR = Format("1, 1m (cpu alone) or a multiple such as 1k or 1Mi", "0|1m?|1[kMGTPE]|1[KMGTPE]i")
RBAC_NAME = Format("the name of an object", "[^/%\\x00-\\x1f\\x7f ]+", 253)

# --- ours ------------------------------------------------------------------------------------------------------------

_HOST = r"[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)*"
_PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_URL = rf"https://(?:{_HOST}|\[[0-9A-Fa-f:.]+\])(?::(?:{_PORT}))?(?:/[-A-Za-z0-9._~%@:+,;=&!*()/]*)?"
_PLACEHOLDER = "[Cc][Hh][Aa][Nn][Gg][Ee][-_]?[Mm][Ee]|[Rr][Ee][Pp][Ll][Aa][Cc][Ee][-_]?[Mm][Ee]"
_HTTPS_URL = "an https URL such as https://parent.example.com:6443"
_PLACEHOLDER_LEFT = "still holds a placeholder: give the URL of the parent API server"


# the likeliest cause first; these are for the decoder's words alone, so they may look ahead
_URL_ERRORS = (
    (rf"[<>{{}}$]|{_PLACEHOLDER}", _PLACEHOLDER_LEFT),
    (r"[\s\x00-\x1f\x7f]", "must be a URL without spaces and line breaks"),
    ("^(?!https://)", "must begin with https://; other schemes are refused"),
    ("[?#]", "must be a URL without a query or fragment"),
    ("^https://[^/]*@", "must not contain a user name or password: remove the part before '@'"),
    ("^https://(?::|/|$)", "must name a host after https://"),
    (r"^https://[^/\[]*:[^/]*:", "must have its IPv6 address in brackets: https://[2001:db8::1]:6443"),
    (
        rf"^https://[^/]*[^/:]:(?!(?:{_PORT})(?:/|$))[^/:\]]*(?:/|$)",
        "must have a port from 1 to 65535 after the host, or none",
    ),
)


def _url_error(value: str) -> str:
    """Say which part of a URL is wrong, without showing any of it."""
    if _is_usual_url(value) or re.fullmatch(_URL, value):
        return ""  # a placeholder in it is refused below
    return next((reason for pattern, reason in _URL_ERRORS if re.search(pattern, value)), f"must be {_HTTPS_URL}")


def _is_usual_url(value: str) -> bool:
    """Return whether it is https, a name in small letters and perhaps a port, the usual case, which needs nothing compiled."""
    host, colon, port = value.removeprefix("https://").partition(":")
    numbered = port.isdigit() and port.isascii() and len(port) <= len("65535") and port[0] != "0" and int(port) < 2**16
    return value.startswith("https://") and not dns_subdomain_error(host) and (numbered or not colon)


PARENT_URL = Format(_HTTPS_URL, _URL, 2048, _url_error).but(_PLACEHOLDER, _PLACEHOLDER_LEFT, "change", "replace")

_DOMAIN = rf"(?:{_HOST}|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
IMAGE = Format(  # github.com/distribution/reference
    "an image reference such as registry.example.com/clusternet/clusternet-agent:v0.18.1",
    rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[A-Za-z0-9_][-A-Za-z0-9_.]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?",
    512,
)
_NUMBER = "(?:0|[1-9][0-9]{0,5})"
_VERSION = "a version such as v0.18.1"


def numbers(version: str) -> tuple[str, ...]:
    """Split `vX.Y.Z` or `X.Y.Z` into its three numbers, of up to six digits each; () for anything else."""
    parts = version.removeprefix("v").split(".")
    right = all(part.isdigit() and part.isascii() and len(part) <= _DIGITS for part in parts)
    return tuple(parts) if right and len(parts) == _PARTS else ()


_DIGITS = 6
_PARTS = 3


def _version_error(value: str) -> str:
    parts = numbers(value)
    right = parts and not any(part.startswith("0") and part != "0" for part in parts)
    return "" if right else f"must be {_VERSION}"


VERSION = Format(_VERSION, rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}", explain=_version_error).but(
    r"^v?0\.(?:[0-9]|1[01])\.",
    "is older than v0.12.0, the oldest agent that is supported: choose a newer one",
    *(f"0.{minor}." for minor in range(12)),
)
_HOLE = r"\{(?:name|namespace)\}"
NAME_TEMPLATE = Format(
    "a template of {name}, {namespace}, lower-case letters, digits and '-' that contains {name} or {namespace} "
    "and does not begin or end with '-'",
    rf"(?:[a-z0-9][-a-z0-9]*)?{_HOLE}(?:[-a-z0-9]*{_HOLE})*(?:[-a-z0-9]*[a-z0-9])?",
    253,
)
PERCENTAGE = Format('a percentage such as "10%"', "(?:100|[1-9]?[0-9])%")
DURATION = Format("a duration such as 1h or 30m", r"(?:0|(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|ms|s|m|h))+)")
GATE_NAME = Format("the name of a feature gate", "[A-Za-z][A-Za-z0-9]*", 63)
TOKEN_VARIABLE = Format(
    "the name of an environment variable that begins with CLUSTERNET_", "CLUSTERNET_[A-Za-z0-9_]+", 253
).but("^CLUSTERNET_(?:TOKEN_DIR|PARENT_URLS)$", "names a setting of the operator, not a token: choose another variable")

_SEP = "[-_]"  # component-base reads --leader_elect as --leader-elect


def _flag(*words: str) -> str:
    return rf"^--{_SEP.join(words)}(?:=|$)"


FLAG = (
    Format("a flag of the form --name or --name=value", r"--[A-Za-z0-9][-_.A-Za-z0-9]*(?:=[^\x00-\x1f\x7f]*)?", 4096)
    .but(_flag("cluster", "reg", "token"), "must not set the registration token: use spec.registrationToken")
    .but(_flag("cluster", "reg", "parent", "url"), "must not set the parent's URL: use spec.parentURL")
    .but(
        f"^--leader{_SEP}elect",
        "must not change leader election: the Lease is the identity of the cluster on the parent",
    )
    .but(_flag("cluster", "type"), "names a flag that the agent lacks: use spec.agent.clusterType")
)
REGISTRATION_LABEL_KEY = (
    LABEL_KEY.but(
        "^(?:clusters[.]clusternet[.]io/cluster-(?:id|name)|clusternet[.]io/created-by)$",
        "is a label that Clusternet itself sets: choose another key",
    )
    .but(
        "^node[.]clusternet[.]io/",
        "is under node.clusternet.io/, which the agent reserves for node labels: choose another key",
    )
    .but(
        "^fn[.]clusternet[.]io/namespace$",
        "is the label by which this function counts the clusters of a namespace: choose another key",
    )
)
OWN_LABEL_KEY = LABEL_KEY.but(
    "^(?:fn[.]clusternet[.]io/|internal[.]config[.]kubernetes[.]io/|app[.]kubernetes[.]io/managed-by$)",
    "is a key that this function or its host sets: choose another one",
)
POD_LABEL_KEY = LABEL_KEY.but("^app$", "is the label that the Deployment selects its pods by, and can't be changed")
AGENT_ENV_NAME = ENV_NAME.but(
    "^(?:PARENT_URL|REG_TOKEN|AGENT_NAMESPACE)$", "is set by this function: choose another name, or remove the entry"
)
# the agent adds '-' and five characters, and the CRD of the parent allows 30, though the agent allows 60
NAME_PREFIX = DNS_LABEL.limited(24)
REGISTRATION_NAME = DNS_LABEL.limited(30)
# leaves room for our suffixes and for the name of a Cluster
SET_NAME = DNS_SUBDOMAIN.limited(100)
PATCH_TARGET = RBAC_NAME.but(
    "^clusternet-agent-cluster-registration$",
    "is the registration Secret, which is made from registrationToken alone: remove the patch",
)
