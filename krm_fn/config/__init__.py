"""ClusternetCAPIConfig: one declarative model that decodes, defaults, validates and exports itself.

Here an object is decoded: envelope, tree, rules, records, with every error found reported at once.
"""

from __future__ import annotations

from krm_fn.base import nearest
from krm_fn.config import rules
from krm_fn.config.fields import paths_of
from krm_fn.config.report import Log, Place
from krm_fn.config.tree import CONFIG, METADATA, SPEC, agent
from krm_fn.hosts import ANNOTATED
from krm_fn.krm.results import Errors
from krm_fn.kube.labels import MATCHES_NOTHING, LabelSelector
from krm_fn.kube.secrets import Secret, quoted
from krm_fn.model import (
    AgentOptions,
    AgentVersion,
    Config,
    GuardOptions,
    HubOptions,
    IdentityOptions,
    KubeconfigRef,
    Patch,
    ResourceSetOptions,
)
from krm_fn.surface import ADDONS_GROUP, API_VERSION, GROUP, KIND
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result


# what kpt calls the ConfigMap that it makes of `-- key=value` and `configMap:`
_NAME_OF_HOST = "function-input"


def is_config(item: Item) -> bool:
    """Return whether an item is a `ClusternetCAPIConfig` of whatever version."""
    return item.kind == KIND and item.group == GROUP


def name_of(item: Item) -> tuple[str, str]:
    """Return namespace and name of a configuration without decoding it; "" for what is missing or no string.

    A ConfigMap of flat keys is called by its key `name`, since kpt calls every such ConfigMap the same.
    """
    if is_config(item):
        return item.namespace, item.name
    data = item.value().get("data")
    name = data.get("name") if isinstance(data, dict) else None
    if isinstance(name, str) and name:
        return item.namespace, name
    return item.namespace, "" if item.name == _NAME_OF_HOST else item.name


def given_tokens(item: Item) -> list[Secret]:
    """Return what a configuration gives as `registrationToken.value`, whether or not it can be decoded."""
    try:
        whole = item.value()
    except Errors:
        return []
    data = whole.get("data")
    spec = whole.get("spec")
    source = spec.get("registrationToken") if isinstance(spec, dict) else None
    given = [
        source.get("value") if isinstance(source, dict) else source,
        data.get("registrationToken.value") if isinstance(data, dict) else None,
    ]
    return [Secret(one) for one in given if isinstance(one, str)]


def decode(item: Item, listed: Item | None = None, original: Callable[[Item], Item | None] | None = None) -> Config:
    """Decode a `ClusternetCAPIConfig`, or a ConfigMap of flat keys, to a valid `Config`.

    Args:
        item: The object.
        listed: The same object as an item of the input, where a host gives it twice; the file is known there.
        original: Finds the object in the user's own file. Where it is given, several errors are examined for the one slip
            of indentation that is their cause, which takes a third of a second at most, longer for thousands of entries.

    Raises:
        Errors: With every error of the object, each with its field path, and never with the value of a secret.
    """
    place = (listed or item).place()
    log = Log(place, lambda name: paths_of(CONFIG, name))
    root = "spec"
    if is_config(item):
        name, namespace, spec = _own(item.value(), log)
    elif item.kind == "ConfigMap" and item.api_version == "v1":
        name, namespace, spec = _flat(item, log)
        root = "data"
    else:
        _foreign(item, Place(log, ""))
        raise Errors(log.errors)
    if log.errors:
        if original is not None and root == "spec":
            raise Errors(_one_cause(original(item) or item, place, log.errors))
        raise Errors(log.errors)
    return _config(name, namespace, spec, origin=place, root=root, warnings=tuple(log.warnings))


def _one_cause(item: Item, place: Mapping[str, Any], errors: Sequence[Result]) -> Sequence[Result]:
    """Return several errors as one where one slip of indentation is their cause."""
    from contextlib import suppress  # noqa: PLC0415 - for errors only

    from krm_fn.config import indentation  # noqa: PLC0415 - for errors only

    def judge(value: Any) -> Sequence[Result]:
        log = Log(place, lambda name: paths_of(CONFIG, name))
        with suppress(Errors):  # they are in the log
            _own(value, log)
        return log.errors

    return errors if item.text.startswith(b"{") else indentation.cause(item.value(), errors, judge)


def _own(value: dict[str, Any], log: Log) -> tuple[str, str, dict[str, Any]]:
    top = Place(log, "")
    if value.get("apiVersion") != API_VERSION:
        # nothing else can be judged by a version that we don't know
        _wrong_version(top, value.get("apiVersion"))
        raise Errors(log.errors)
    found = CONFIG.read(value, top)
    spec = found.get("spec")
    if spec is not None:
        rules.apply(spec, top.field("spec"))
    metadata = found.get("metadata") or {}
    return metadata.get("name", ""), metadata.get("namespace", ""), spec or {}


def _wrong_version(top: Place, found: object) -> None:
    place = top.field("apiVersion")
    place.error(
        f'must be {API_VERSION}, not "{quoted(found)}": this function knows no other version',
        "api-version",
        fix=place.written(API_VERSION),
        change=(quoted(found) if found else None, API_VERSION),
    )


def _flat(item: Item, log: Log) -> tuple[str, str, dict[str, Any]]:
    from krm_fn.config.flat import unflatten  # noqa: PLC0415 - only for a ConfigMap

    data = Place(log, "data")
    raw = unflatten(item.value(), data)
    namespace, name = name_of(item)
    if name:
        METADATA.read({"name": name, **({"namespace": namespace} if namespace else {})}, Place(log, "metadata"))
    elif not log.broken("data.name"):
        data.field("name").error("is required: give the name that identifies this configuration", "required")
    spec = SPEC.read(raw, data)
    rules.apply(spec, data)
    return name, namespace, spec


def _foreign(item: Item, top: Place) -> None:
    """Say why an object is no configuration."""
    if item.group == GROUP:
        near = nearest(item.kind, (KIND,))
        hint = f": did you mean {near}?" if near else ""
        place = top.field("kind")
        said = f'must be {KIND}, not "{quoted(item.kind)}"{hint}'
        place.error(said, "kind", fix=place.written(KIND), change=(quoted(item.kind) or None, KIND))
    elif item.kind == KIND:
        _wrong_version(top, item.api_version)
    else:
        top.field("kind").error(
            f'must be {KIND} of {API_VERSION}, or ConfigMap of v1, not "{quoted(item.kind)}" of '
            f'"{quoted(item.api_version)}"',
            "kind",
        )


def _config(name: str, namespace: str, spec: Mapping[str, Any], **known: Any) -> Config:
    """Make a `Config` of the values of `spec`, as the tree reads them, and of what is known besides."""
    selector = spec.get("namespaceSelector")
    return Config(
        name=name,
        namespace=namespace,
        parent_url=spec["parentURL"],
        token=sources.read(spec["registrationToken"]),
        cluster_selector=LabelSelector.read(spec["clusterSelector"]) or MATCHES_NOTHING,
        namespace_selector=None if selector is None else LabelSelector.read(selector),
        namespaces=tuple(spec.get("namespaces", ())),
        serve_empty_namespaces=spec["serveEmptyNamespaces"],
        agent=_agent(spec["agent"]),
        identity=_identity(spec["identity"]),
        resource_set=_resource_set(spec["clusterResourceSet"]),
        feature_gate=spec["managementCluster"]["featureGate"],
        hub=_hub(spec["hub"]),
        hosts=tuple(host for host in ANNOTATED if spec["gitops"][host.name]),
        guard=_guard(spec["guard"]),
        mode=spec["mode"],
        **known,
    )


def _agent(value: Mapping[str, Any]) -> AgentOptions:
    return AgentOptions(
        fields={**dict.fromkeys(agent.AGENT.names), **value},
        version=rules.release_of(value) or AgentVersion(major=0, minor=0, patch=0),
        patches=tuple(
            Patch(kind=one["target"]["kind"], name=one["target"]["name"], patch=one["patch"])
            for one in value["patches"]
        ),
    )


def _identity(value: Mapping[str, Any]) -> IdentityOptions:
    return IdentityOptions(
        mode=value["mode"],
        name_prefix=value.get("namePrefix", ""),
        name_template=value["nameTemplate"],
        labels=value["labels"],
        label_keys=tuple(sorted(value["labelKeys"])),
    )


def _resource_set(value: Mapping[str, Any]) -> ResourceSetOptions:
    version = value["apiVersion"]
    return ResourceSetOptions(
        name=value["name"],
        strategy=value["strategy"],
        api_version="" if version == "auto" else f"{ADDONS_GROUP}/{version.removeprefix(f'{ADDONS_GROUP}/')}",
        labels=value["labels"],
        annotations=value["annotations"],
        extra_resources=value["extraResources"],
    )


def _hub(value: Mapping[str, Any]) -> HubOptions:
    ref = value.get("kubeconfigSecretRef")
    return HubOptions(
        discovery_secret=value["discoverySecret"],
        kubeconfig=None if ref is None else KubeconfigRef(name=ref["name"], key=ref["key"]),
    )


def _guard(value: Mapping[str, Any]) -> GuardOptions:
    return GuardOptions(
        allow_no_clusters=value["allowNoClusters"],
        min_clusters=value.get("minClusters"),
        max_removed=value.get("maxRemovedClusters"),
        on_invalid_cluster=value["onInvalidCluster"],
    )
