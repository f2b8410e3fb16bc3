"""Label selectors, labels and names of Kubernetes as they appear in our configuration, and what is said of wrong ones.

Source: apimachinery meta/v1 `LabelSelector`, its validation in pkg/apis/meta/v1/validation, v1.36. What a single key or value
must look like is in `config.formats` and `kube.labels`; how a flat key takes one, in `config.flat`.
What is said of one that matches nothing is in `earlier.guard`, of labels that nobody sets in `plan`.
"""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import FIELD_NAME, Field, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Text
from krm_fn.config.rules import Given, Refuse, Require, Some
from krm_fn.kube.labels import OPERATORS, SelectorError, parse_selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.config.report import Place
    from krm_fn.config.rules import Constraint

LABEL_VALUE = Text(formats.LABEL_VALUE, empty=True)
LABELS = MapOf(formats.LABEL_KEY, LABEL_VALUE)
NAME = Text(formats.DNS_SUBDOMAIN)
NAMESPACE = Text(formats.DNS_LABEL)

_VALUES_RULES: tuple[Constraint, ...] = (
    Require(
        Given("operator", "In", "NotIn", "Gt", "Lt"),
        "values",
        "must have at least one entry: the operator compares with values",
    ),
    Refuse(
        Given("operator", "Exists", "DoesNotExist"),
        Given("values"),
        "must not be given: the operators Exists and DoesNotExist look at the key alone",
    ),
)


def requirement(operators: tuple[str, ...], upstream: str, values: str, *constraints: Constraint) -> Object:
    """Return a requirement on one label, as both LabelSelectors and NodeSelectors have them; `values` says what those are."""
    return Object(
        Field("key", Text(formats.LABEL_KEY), "Key of the label.", required=True, example="env"),
        Field("operator", Choice(*operators), "How it is compared.", required=True, example="In"),
        Field("values", ListOf(LABEL_VALUE), values, example=["prod"]),
        upstream=upstream,
        constraints=(*_VALUES_RULES, *constraints),
    )


class Selector(Object):
    """A metav1.LabelSelector; in flat keys also written in kubectl's selector syntax."""

    advice = ": put labels under matchLabels"
    expected = "a label selector"

    def hint(self, value: object) -> str:
        """The usual slip is kubectl's syntax in place of YAML."""
        if isinstance(value, list):
            return ": remove the dash"
        return ": write it with matchLabels and matchExpressions" if isinstance(value, str) else ""

    def corrected(self, value: object, at: Place) -> str:
        """Return a selector in kubectl's syntax as one in YAML."""
        if not isinstance(value, str) or not value:
            return ""
        try:
            return at.lines(parse_selector(value))
        except SelectorError:
            return ""

    def unknown(self, value: Mapping[str, Any], at: Place) -> None:
        """Report labels that are beside matchLabels as one slip."""
        unknown = sorted(value.keys() - set(self.names))
        labels = {key: value[key] for key in unknown if isinstance(value[key], str) and not self.near(key, value, at)}
        if not labels or len(labels) != len(unknown) or "matchLabels" in value:
            super().unknown(value, at)
            return
        first = next(iter(labels))
        place = at.field(first) if FIELD_NAME.match(first) else at.key(first)
        place.error(f"is not a known field{self.advice}", "unknown-field", fix=at.field("matchLabels").lines(labels))
        at.log.explain(at.path)


_SELECTOR_FIELDS = (
    Field("matchLabels", LABELS, "Labels that must be there with this value.", example={"env": "prod"}),
    Field(
        "matchExpressions",
        ListOf(requirement(OPERATORS, "LabelSelectorRequirement", "What it is compared with; only for In and NotIn.")),
        "Requirements that must hold, all of them.",
        example=[{"key": "env", "operator": "In", "values": ["prod"]}],
    ),
)
SELECTOR = Selector(*_SELECTOR_FIELDS, upstream="LabelSelector")
NON_EMPTY_SELECTOR = Selector(
    *_SELECTOR_FIELDS,
    upstream="NonEmptyLabelSelector",
    constraints=(
        Some(
            "matchLabels",
            "matchExpressions",
            text="is empty and would match every Cluster: give matchLabels or matchExpressions",
        ),
    ),
)
