"""Label selectors, labels and names of Kubernetes as they appear in our configuration, and what is said of wrong ones.

Source: apimachinery meta/v1 `LabelSelector`, its validation in pkg/apis/meta/v1/validation, v1.36. What a single key or value
must look like is in `config.formats` and `kube.labels`.
"""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Field, ListOf, MapOf, Object, Selector
from krm_fn.config.kinds import Choice, Text
from krm_fn.config.rules_in_schema import Given, Refuse, Require, Some
from krm_fn.kube.labels import OPERATORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.config.rules_in_schema import Constraint

LABELS = MapOf(key=formats.LABEL_KEY, value=Text(format=formats.LABEL_VALUE, empty=True))
NAME = Text(format=formats.DNS_SUBDOMAIN)
NAMESPACE = Text(format=formats.DNS_LABEL)

_OPERATORS_WITH_VALUES = ("In", "NotIn", "Gt", "Lt")
_VALUES_RULES: tuple[Constraint, ...] = (
    Require(
        when=Given(path="operator", values=_OPERATORS_WITH_VALUES),
        path="values",
        text="must have at least one entry: the operator compares with values",
    ),
    Refuse(
        when=Given(path="operator", values=("Exists", "DoesNotExist")),
        what=Given(path="values"),
        text="must not be given: the operators Exists and DoesNotExist look at the key alone",
    ),
)


def requirement(operators: tuple[str, ...], upstream: str) -> Object:
    """Return a requirement on one label, as both LabelSelectors and NodeSelectors have them."""
    return Object(
        upstream=upstream,
        fields=(
            Field(
                name="key", kind=Text(format=formats.LABEL_KEY), required=True, doc="Key of the label.", example="env"
            ),
            Field(
                name="operator", kind=Choice(values=operators), required=True, doc="How it is compared.", example="In"
            ),
            Field(
                name="values",
                kind=ListOf(item=Text(format=formats.LABEL_VALUE, empty=True)),
                doc="What it is compared with; only for In and NotIn.",
                example=["prod"],
            ),
        ),
        constraints=_VALUES_RULES,
    )


_SELECTOR_FIELDS = (
    Field(name="matchLabels", kind=LABELS, doc="Labels that must be there with this value.", example={"env": "prod"}),
    Field(
        name="matchExpressions",
        kind=ListOf(item=requirement(OPERATORS, "LabelSelectorRequirement")),
        doc="Requirements that must hold, all of them.",
        example=[{"key": "env", "operator": "In", "values": ["prod"]}],
    ),
)
SELECTOR = Selector(fields=_SELECTOR_FIELDS, upstream="LabelSelector")
NON_EMPTY_SELECTOR = Selector(
    fields=_SELECTOR_FIELDS,
    upstream="NonEmptyLabelSelector",
    constraints=(
        Some(
            names=("matchLabels", "matchExpressions"),
            text="is empty and would match every Cluster: give matchLabels or matchExpressions",
        ),
    ),
)
