"""Names, labels and label selectors as Kubernetes validates and matches them, and kubectl writes them; the tag of an image.

Rules: apimachinery `pkg/util/validation` (`IsDNS1123Label`, `IsDNS1123Subdomain`, `IsQualifiedName`,
`IsValidLabelValue`), `pkg/apis/meta/v1` (`LabelSelectorAsSelector`) and `pkg/labels` (`Requirement.Matches`), v1.36.
"""

from __future__ import annotations

from functools import lru_cache

from krm_fn.base import Record, late
from krm_fn.kube.secrets import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

MAX_LABEL = 63
MAX_SUBDOMAIN = 253

IN = "In"
NOT_IN = "NotIn"
EXISTS = "Exists"
DOES_NOT_EXIST = "DoesNotExist"
_ENTRY = ("key", "operator", "values")
OPERATORS = (IN, NOT_IN, EXISTS, DOES_NOT_EXIST)

# in the syntax that Python, ECMA 262 and RE2 share, since the JSON Schema shows them too
LABEL_PATTERN = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_PATTERN = rf"{LABEL_PATTERN}(?:\.{LABEL_PATTERN})*"
NAME_PATTERN = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

# kubectl's syntax: what is before each comma that is in no parentheses, and one requirement
_PARTS = late(r"((?:[^,(]|\([^)]*\)?)*),")
_WORD = r"[^\s,=!()<>]"
_VALUE = late(rf"{_WORD}*\Z")
_REQUIREMENT = late(
    rf"!\s*(?P<absent>{_WORD}+)\Z"
    rf"|(?P<key>{_WORD}+)(?:\s*(?P<sign>==?|!=)\s*(?P<value>{_WORD}*)|\s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\))?\Z"
)

# --- names -----------------------------------------------------------------------------------------------------------


def dns_label_error(name: str, limit: int = MAX_LABEL) -> str:
    """Say what is wrong with a DNS-1123 label; empty if nothing."""
    if len(name) > limit:
        return f"is {len(name)} characters long, at most {limit} are allowed"
    rule = "must be lower-case letters, digits or '-', and begin and end with a letter or digit"
    return "" if _is_label(name) else rule


def dns_subdomain_error(name: str) -> str:
    """Say what is wrong with a DNS-1123 subdomain; empty if nothing."""
    if len(name) > MAX_SUBDOMAIN:
        return f"is {len(name)} characters long, at most {MAX_SUBDOMAIN} are allowed"
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
        "a variable: substitute it before this function runs (clusterctl generate, envsubst; Flux's postBuild runs later)",
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


# --- labels ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)  # the same few keys appear on ten thousand Clusters
def label_key_error(key: str) -> str:
    """Say what is wrong with a label key (or annotation key); empty if nothing.

    Source: apimachinery `validation.IsQualifiedName`: an optional DNS subdomain and `/`, then at most 63 characters.
    """
    prefix, slash, name = key.rpartition("/")
    error = ""
    if slash and not prefix:
        error = "has an empty prefix before '/'"
    elif len(prefix) > MAX_SUBDOMAIN:
        error = f"has a prefix of {len(prefix)} characters, at most {MAX_SUBDOMAIN} are allowed"
    elif slash and dns_subdomain_error(prefix):
        rule = "has a prefix before '/' that is not a DNS subdomain (lower-case letters, digits, '-', '.')"
        error = _typographic(key) or rule
    elif not name:
        error = "has no name part"
    elif len(name) > MAX_LABEL:
        error = f"has a name part of {len(name)} characters, at most {MAX_LABEL} are allowed"
    elif not _is_name(name):
        rule = "is not letters, digits, '-', '_' or '.', beginning and ending with a letter or digit"
        error = _typographic(key) or f"has a name part that {rule}"
    return error


def _typographic(text: str) -> str:
    """Name quotes that a word processor has put in."""
    return "contains typographic quotes: use plain ones" if set(text) & set("“”‘’„«»") else ""


@lru_cache(maxsize=4096)
def label_value_error(value: str) -> str:
    """Say what is wrong with a label value; empty if nothing. Source: `validation.IsValidLabelValue`."""
    if len(value) > MAX_LABEL:
        return f"is {len(value)} characters long, at most {MAX_LABEL} are allowed"
    rule = "must be letters, digits, '-', '_' or '.', and begin and end with a letter or digit"
    return "" if not value or _is_name(value) else _typographic(value) or rule


def _is_name(text: str) -> bool:
    """Return whether `NAME_PATTERN` matches a whole string that is not too long, without compiling anything."""
    return (
        text.replace("-", "0").replace("_", "0").replace(".", "0").isalnum()
        and text.isascii()
        and text[0].isalnum()
        and text[-1].isalnum()
    )


# --- selectors -------------------------------------------------------------------------------------------------------


class Requirement(Record):
    """One requirement of a selector. `values` are sorted and unique; empty for Exists and DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels satisfy it. `NotIn` and `DoesNotExist` hold where the key is absent."""
        if self.operator in {EXISTS, DOES_NOT_EXIST}:
            return (self.key in labels) == (self.operator == EXISTS)
        return (labels.get(self.key) in self.values) == (self.operator == IN)

    def __str__(self) -> str:
        """In kubectl's selector syntax."""
        if self.operator in {EXISTS, DOES_NOT_EXIST}:
            return self.key if self.operator == EXISTS else f"!{self.key}"
        return f"{self.key} {'in' if self.operator == IN else 'notin'} ({','.join(self.values)})"


class LabelSelector(Record):
    """A metav1.LabelSelector in canonical order: keys sorted, requirements sorted, their values sorted.

    `match_labels` and `match_expressions` stay apart as the user wrote them, since a server compares them by form.
    """

    match_labels: tuple[tuple[str, str], ...] = ()
    match_expressions: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, match_labels: Mapping[str, str], expressions: Sequence[Requirement]) -> LabelSelector:
        """Build one in canonical order."""
        return cls(
            match_labels=tuple(sorted(match_labels.items())),
            match_expressions=tuple(
                sorted(expressions, key=lambda one: (one.key, OPERATORS.index(one.operator), one.values))
            ),
        )

    @classmethod
    def read(cls, data: object) -> LabelSelector | None:
        """Read a metav1.LabelSelector as any object may hold it; None where an API server would refuse it."""
        if not isinstance(data, dict):
            return None
        labels, entries = data.get("matchLabels"), data.get("matchExpressions")
        labels, entries = {} if labels is None else labels, [] if entries is None else entries
        if not isinstance(labels, dict) or not isinstance(entries, list):
            return None
        if not all(isinstance(value, str) for value in labels.values()):
            return None
        found = [_requirement(one) for one in entries]
        expressions = [one for one in dict.fromkeys(found) if one is not None]
        return None if None in found else cls.of(labels, expressions)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """All of it as requirements."""
        pairs = (Requirement(key=key, operator=IN, values=(value,)) for key, value in self.match_labels)
        return (*pairs, *self.match_expressions)

    @property
    def empty(self) -> bool:
        """Whether it has no requirement at all (and so matches everything)."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether labels satisfy every requirement."""
        for key, value in self.match_labels:
            if labels.get(key) != value:
                return False
        return all(one.matches(labels) for one in self.match_expressions)

    def first_failure(self, labels: Mapping[str, str]) -> str:
        """Return the first requirement that labels miss, with what is there instead; empty if all hold."""
        for key, value in self.match_labels:
            if labels.get(key) != value:
                return f"{key}={value}: {_seen(key, labels)}"
        for one in self.match_expressions:
            if not one.matches(labels):
                return f"{one}: {_seen(one.key, labels)}"
        return ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every label key that it looks at, sorted."""
        return tuple(sorted({*(key for key, _ in self.match_labels), *(one.key for one in self.match_expressions)}))

    @property
    def anchors(self) -> tuple[tuple[str, str], ...]:
        """Labels of which whatever it matches carries one, for an index to look them up; empty where it asks for none."""
        if self.match_labels:
            return self.match_labels[:1]
        found = [one for one in self.match_expressions if one.operator == IN]
        return tuple((found[0].key, value) for value in found[0].values) if found else ()

    def as_data(self) -> dict[str, object]:
        """Return it as a metav1.LabelSelector in canonical order."""
        data: dict[str, object] = {}
        if self.match_labels:
            data["matchLabels"] = dict(self.match_labels)
        if self.match_expressions:
            data["matchExpressions"] = [
                {"key": one.key, "operator": one.operator, **({"values": list(one.values)} if one.values else {})}
                for one in self.match_expressions
            ]
        return data

    def __str__(self) -> str:
        """In kubectl's selector syntax."""
        return ",".join(
            [*(f"{key}={value}" for key, value in self.match_labels), *(str(one) for one in self.match_expressions)]
        )


# For a selector that no server would take, where an answer is needed nevertheless.
MATCHES_NOTHING = LabelSelector(match_expressions=(Requirement(key="", operator=EXISTS),))


def _requirement(data: object) -> Requirement | None:
    key, operator, values = (data.get(name) for name in _ENTRY) if isinstance(data, dict) else (None, None, None)
    values = [] if values is None else values
    if not isinstance(key, str) or not key or operator not in OPERATORS or not isinstance(values, list):
        return None
    texts = {value for value in values if isinstance(value, str)}
    return Requirement(key=key, operator=operator, values=tuple(sorted(texts)))


def _seen(key: str, labels: Mapping[str, str]) -> str:
    return f"the label is {labels[key]!r}" if key in labels else "the label is absent"


# --- selectors in kubectl's syntax ------------------------------------------------------------------------------------


class SelectorError(ValueError):
    """Text that is no selector. Its message continues after the field's path."""


def parse_selector(text: str) -> dict[str, Any]:
    """Return a text such as `env=prod,region in (eu,us),tier!=test,owner,!legacy` as data of a metav1.LabelSelector.

    Grammar and meaning are kubectl's, without `>` and `<`, which a LabelSelector can't express. Equality becomes
    `matchLabels`, all else `matchExpressions`; keys and values are not checked yet.

    Raises:
        SelectorError: With the cause.
    """
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    for part in _PARTS.findall(f"{text},") if text.strip() else ():
        found = _REQUIREMENT.match(part.strip())
        # as with kubectl, an empty place beside a comma is the empty value
        values = [one.strip() for one in ((found and found["values"]) or "").split(",")]
        if found is None or not all(map(_VALUE.match, values)):
            message = (
                "must have key=value, key!=value, key in (a,b), key notin (a,b), key or !key between its commas, not"
                f' "{quoted(part)}"'
            )
            raise SelectorError(message)
        key, sign, value, word = found["key"], found["sign"], found["value"], found["word"]
        if found["absent"]:
            expressions.append({"key": found["absent"], "operator": DOES_NOT_EXIST})
        elif word:
            values = values if found["values"].strip() else []
            expressions.append({"key": key, "operator": IN if word == "in" else NOT_IN, "values": values})
        elif not sign:
            expressions.append({"key": key, "operator": EXISTS})
        elif sign == "!=":
            expressions.append({"key": key, "operator": NOT_IN, "values": [value]})
        elif labels.setdefault(key, value) != value:
            message = f"asks for two values of {quoted(key)} at once: use the operator in"
            raise SelectorError(message)
    parts = {"matchLabels": labels, "matchExpressions": expressions}
    return {name: one for name, one in parts.items() if one}
