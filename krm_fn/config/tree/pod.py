"""Types of a pod's parts: affinity, tolerations, resources. The options themselves are in `agent.py`.

Source: k8s.io/api core/v1, validation in pkg/apis/core/validation, v1.36.
"""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Either, Field, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Number, Text, Whole
from krm_fn.config.rules_in_schema import ExactlyOne, Given, Refuse, Require
from krm_fn.config.tree.selectors import NAME, NAMESPACE, SELECTOR, requirement
from krm_fn.kube.labels import OPERATORS

# --- affinity --------------------------------------------------------------------------------------------------------

_NODE_REQUIREMENTS = ListOf(item=requirement((*OPERATORS, "Gt", "Lt"), "NodeSelectorRequirement"))
_NODE_TERM = Object(
    upstream="NodeSelectorTerm",
    fields=(
        Field(name="matchExpressions", kind=_NODE_REQUIREMENTS, doc="Requirements on labels of nodes."),
        Field(name="matchFields", kind=_NODE_REQUIREMENTS, doc="Requirements on fields of nodes."),
    ),
)
_WEIGHT = Field(
    name="weight", kind=Whole(minimum=1, maximum=100), required=True, doc="Weight of the preference.", example=100
)
_POD_TERM = Object(
    upstream="PodAffinityTerm",
    fields=(
        Field(name="labelSelector", kind=SELECTOR, doc="Pods that it is about."),
        Field(name="namespaceSelector", kind=SELECTOR, doc="Namespaces of these pods."),
        Field(name="namespaces", kind=ListOf(item=NAMESPACE), doc="Namespaces of these pods, by name."),
        Field(
            name="topologyKey",
            kind=Text(format=formats.LABEL_KEY),
            required=True,
            doc="Label of nodes that marks a place.",
            example="kubernetes.io/hostname",
        ),
        Field(
            name="matchLabelKeys",
            kind=ListOf(item=Text(format=formats.LABEL_KEY)),
            doc="Keys whose values must agree with the pod's own.",
        ),
        Field(
            name="mismatchLabelKeys",
            kind=ListOf(item=Text(format=formats.LABEL_KEY)),
            doc="Keys whose values must differ from the pod's own.",
        ),
    ),
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_POD_AFFINITY = Object(
    upstream="PodAffinity",
    fields=(
        Field(name=_REQUIRED, kind=ListOf(item=_POD_TERM), doc="Terms that must hold."),
        Field(
            name=_PREFERRED,
            kind=ListOf(
                item=Object(
                    fields=(_WEIGHT, Field(name="podAffinityTerm", kind=_POD_TERM, required=True, doc="The term."))
                )
            ),
            doc="Terms that should hold.",
        ),
    ),
)
AFFINITY = Object(
    upstream="Affinity",
    fields=(
        Field(
            name="nodeAffinity",
            kind=Object(
                fields=(
                    Field(
                        name=_REQUIRED,
                        kind=Object(
                            fields=(
                                Field(
                                    name="nodeSelectorTerms",
                                    kind=ListOf(item=_NODE_TERM, minimum=1),
                                    required=True,
                                    doc="Terms of which one must hold.",
                                ),
                            )
                        ),
                        doc="What must hold.",
                    ),
                    Field(
                        name=_PREFERRED,
                        kind=ListOf(
                            item=Object(
                                fields=(
                                    _WEIGHT,
                                    Field(name="preference", kind=_NODE_TERM, required=True, doc="The term."),
                                )
                            )
                        ),
                        doc="What should hold.",
                    ),
                )
            ),
            doc="Nodes to run on.",
        ),
        Field(name="podAffinity", kind=_POD_AFFINITY, doc="Pods to run close to."),
        Field(name="podAntiAffinity", kind=_POD_AFFINITY, doc="Pods to run apart from."),
    ),
)

# --- other parts of a pod --------------------------------------------------------------------------------------------

TOLERATION = Object(
    upstream="Toleration",
    fields=(
        Field(
            name="key",
            kind=Text(format=formats.LABEL_KEY),
            doc="Key of the taint; all with operator Exists and no key.",
            example="node-role.kubernetes.io/control-plane",
        ),
        Field(name="operator", kind=Choice(values=("Equal", "Exists")), doc="Equal unless given.", example="Exists"),
        Field(name="value", kind=Text(format=formats.LABEL_VALUE, empty=True), doc="Value of the taint, with Equal."),
        Field(
            name="effect",
            kind=Choice(values=("NoSchedule", "PreferNoSchedule", "NoExecute")),
            doc="Effect of the taint; all unless given.",
            example="NoSchedule",
        ),
        Field(
            name="tolerationSeconds",
            kind=Whole(minimum=-(2**31)),
            doc="How long the pod stays, with effect NoExecute.",
        ),
    ),
    constraints=(
        Require(
            when=Given(path="operator", values=("Equal",), absent=True),
            path="key",
            text="is required, unless the operator is Exists",
        ),
        Refuse(
            when=Given(path="operator", values=("Exists",)),
            what=Given(path="value"),
            text="must not be given with operator Exists",
        ),
        Refuse(
            when=Given(path="effect", values=("NoSchedule", "PreferNoSchedule"), absent=True),
            what=Given(path="tolerationSeconds"),
            text="must not be given, unless the effect is NoExecute",
        ),
    ),
)

_QUANTITY = Either(kinds=(Text(format=formats.QUANTITY), Number()))
_AMOUNTS = MapOf(key=formats.RESOURCE_NAME, value=_QUANTITY)
RESOURCES = Object(
    upstream="ResourceRequirements",
    fields=(
        Field(name="requests", kind=_AMOUNTS, doc="What is set aside.", example={"cpu": "100m", "memory": "128Mi"}),
        Field(name="limits", kind=_AMOUNTS, doc="What may be used at most.", example={"memory": "512Mi"}),
    ),
)


def _key_ref(what: str) -> Object:
    return Object(
        fields=(
            Field(name="name", kind=NAME, required=True, doc=f"Name of the {what} on the workload cluster."),
            Field(name="key", kind=Text(format=formats.DATA_KEY), required=True, doc="Key in it."),
            Field(name="optional", kind=Flag(), doc="Whether it may be missing."),
        )
    )


ENV = Object(
    upstream="EnvVar",
    fields=(
        Field(
            name="name",
            kind=Text(format=formats.AGENT_ENV_NAME),
            required=True,
            doc="Name of the variable.",
            example="SERVICE_CIDR",
        ),
        Field(name="value", kind=Text(empty=True), private=True, doc="Its value.", example="10.96.0.0/12"),
        Field(
            name="valueFrom",
            kind=Object(
                fields=(
                    Field(name="configMapKeyRef", kind=_key_ref("ConfigMap"), doc="A key of a ConfigMap."),
                    Field(name="secretKeyRef", kind=_key_ref("Secret"), doc="A key of a Secret."),
                    Field(
                        name="fieldRef",
                        kind=Object(
                            fields=(
                                Field(
                                    name="fieldPath",
                                    kind=Text(format=formats.LINE),
                                    required=True,
                                    doc="Path of the field.",
                                    example="spec.nodeName",
                                ),
                                Field(name="apiVersion", kind=Text(format=formats.LINE), doc="Version of the path."),
                            )
                        ),
                        doc="A field of the pod.",
                    ),
                    Field(
                        name="resourceFieldRef",
                        kind=Object(
                            fields=(
                                Field(
                                    name="resource",
                                    kind=Text(format=formats.LINE),
                                    required=True,
                                    doc="Resource of the container.",
                                    example="limits.memory",
                                ),
                                Field(name="containerName", kind=NAMESPACE, doc="Name of the container."),
                                Field(name="divisor", kind=_QUANTITY, doc="Unit of the result."),
                            )
                        ),
                        doc="A resource of the container.",
                    ),
                ),
                constraints=(ExactlyOne(names=("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef")),),
            ),
            doc="Where its value comes from.",
        ),
    ),
    constraints=(
        Refuse(when=Given(path="value"), what=Given(path="valueFrom"), text="must not be given together with value"),
    ),
)
LOCAL_REFERENCE = Object(
    upstream="LocalObjectReference",
    fields=(Field(name="name", kind=NAME, required=True, doc="Name of the Secret.", example="registry"),),
)
