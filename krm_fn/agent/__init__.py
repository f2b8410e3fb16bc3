"""What runs on a workload cluster: clusternet-agent's objects, as the text that a ClusterResourceSet's resource holds.

Rules of that text come from Cluster API's reader (`util/yaml`, `util/resource`, v1.14.0): keys are walked in lexicographic
order, so they are numbered, one per stage; every document begins with `---`, or it would merge with the one before; every
string is double-quoted, or it may turn into a number; and a value under 32 bytes fails the whole resource.
"""

from __future__ import annotations

from krm_fn.agent import manifests
from krm_fn.agent.manifests import Registration, labels_text
from krm_fn.surface import DEPLOYER_TOKEN_KEY, DEPLOYMENT_KEY, IDENTITY_KEY, MIN_VALUE_BYTES, RBAC_KEY, REGISTRATION_KEY
from krm_fn.yaml.write import dump, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from krm_fn.model import AgentOptions


def check(options: AgentOptions) -> None:
    """Check options against the agent's release, and patches against its objects: once, before anything is built.

    Raises:
        Errors: With every error found; their fields begin with `spec.agent`.
    """
    if options["extraArgs"] or options["featureGates"] or options.patches:  # all that `checks` looks at
        from krm_fn.agent import checks  # noqa: PLC0415 - most configs keep the agent's defaults

        checks.review(options)


def documents(objects: Iterable[Any]) -> str:
    """Return objects as YAML documents, each after a `---`, every string double-quoted.

    Raises:
        ValueError: If the text is shorter than a ClusterResourceSet accepts; it is only without objects.
    """
    text = "".join("---\n" + dump(one, quote_all=True) for one in objects)
    if len(text.encode()) < MIN_VALUE_BYTES:
        message = f"a payload value needs {MIN_VALUE_BYTES} bytes or more"
        raise ValueError(message)
    return text


def identity_values(options: AgentOptions) -> dict[str, str]:
    """Return the data of the identity ConfigMap."""
    objects = manifests.identity_objects(options)
    return {IDENTITY_KEY: documents(objects[:-1]), DEPLOYER_TOKEN_KEY: documents(objects[-1:])}


def registration_values(options: AgentOptions, parent_url: str, token: str) -> dict[str, str]:
    """Return the values of the registration Secret, not yet base64-encoded."""
    return {REGISTRATION_KEY: documents([manifests.registration_object(options, parent_url, token)])}


class AgentPayload:
    """The data of agent ConfigMaps under one set of options, made for thousands of registrations in one run.

    What does not depend on the registration is built, patched and written once. For each of the few shapes that a
    Deployment takes (with a name or without, …) its text is written once around marks, and each registration fills in
    the marks. The text is the same as that of `documents(agent_objects(…))`.
    """

    def __init__(self, options: AgentOptions) -> None:
        *rbac, deployment = manifests.agent_objects(options, Registration())
        self._options = options
        self._rbac = documents(rbac)
        # `repr` contains the letters of every text, and is faster than writing it
        self._mark = unused_mark(repr(deployment))
        self._shapes: dict[tuple[bool, ...], list[str]] = {}

    def values(self, registration: Registration, checksum: str = "") -> dict[str, str]:
        """Return the data of the agent ConfigMap for one registration; `checksum` as in `manifests.agent_objects`."""
        parts = (registration.name, registration.name_prefix, labels_text(registration.labels), checksum)
        shape = tuple([bool(part) for part in parts])
        pieces = self._shapes.get(shape)
        if pieces is None:
            pieces = self._shapes[shape] = self._pieces(shape)
        out = pieces.copy()
        for position in range(1, len(out), 2):
            out[position] = quoted(parts[int(out[position])])[1:-1]
        return {RBAC_KEY: self._rbac, DEPLOYMENT_KEY: "".join(out)}

    def _pieces(self, shape: tuple[bool, ...]) -> list[str]:
        """Return the Deployment's text for a shape: literal text and, between, the numbers of parts to fill in."""
        name, prefix, labels, checksum = (f"{self._mark}{part};" if there else "" for part, there in enumerate(shape))
        # The flag writes labels as `key=value`, so the mark is the key and what follows belongs to the hole.
        registration = Registration(name=name, name_prefix=prefix, labels={labels: ""} if labels else {})
        deployment = manifests.agent_objects(self._options, registration, checksum)[-1]
        first, *rest = documents([deployment]).split(self._mark)
        pieces = [first]
        for piece in rest:
            part, _, text = piece.partition(";")
            pieces += [part, text.removeprefix("=")]
        return pieces


def unused_mark(text: str) -> str:
    """Return letters that a text does not contain, to mark a place in it."""
    mark = "HOLE"
    while mark in text:
        mark += "X"
    return mark
