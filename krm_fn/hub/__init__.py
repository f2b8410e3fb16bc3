"""Clusternet's hub on its parent cluster: its Deployments and their kubeconfig, and the Secret of its own discovery.

Discovery (step 2 of the guide) waits for the Opaque Secret `capi-system/clusternet-cluster-api` with the keys `image`,
`parentURL` and `regToken` (clusternet `pkg/controllers/clusters/clusterlifecycle/discovery`).

No message shows any of a kubeconfig's contents. Rules: client-go `clientcmd`: only the current context counts, relative
paths are taken from the kubeconfig's folder, which in the pod is a mount of one key. Clusternet's images have no exec
plugins, and a kubeconfig that does not load makes the component exit.
"""

from __future__ import annotations

from krm_fn.krm.changes import Review
from krm_fn.krm.results import ERROR, INFO, WARNING, Result, about, tagged
from krm_fn.kube import raw, secrets
from krm_fn.kube.raw import mapping, sequence
from krm_fn.surface import HUB_NAME, HUB_NAMESPACE, PARENT_URL_KEY, SYSTEM_NAMESPACE, TOKEN_KEY
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.kube.secrets import Secret
    from krm_fn.model import Config, KubeconfigRef

RULE = "hub-kubeconfig-secret"
_FIELD = "spec.hub.kubeconfigSecretRef"
_DISCOVERY = "spec.hub.discoverySecret"

_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_CREDENTIALS = ("client-certificate-data", "client-certificate", "token", "tokenFile", "username")
_PLUGINS = {
    "exec": (
        "uses an exec credential plugin, which is not in clusternet's image: use a ServiceAccount token or a client"
        " certificate"
    ),
    "auth-provider": "uses an auth-provider, which clusternet's client no longer has: use a ServiceAccount token",
}
_SERVERS_OF_THE_POD = ("127.", "localhost", "0.0.0.0", "[::1]")  # noqa: S104 - compared with, not listened on


def discovery_secret(config: Config, token: Secret) -> dict[str, Any]:
    """Return the Secret for the hub's discovery, without our marks; it needs a token that is known here."""
    data = {"image": config.agent["image"], PARENT_URL_KEY: config.parent_url, TOKEN_KEY: token.reveal()}
    return secrets.made(HUB_NAME, HUB_NAMESPACE, "Opaque", data)


def review(items: Sequence[Item], config: Config) -> Review:
    """Check the hub's set-up, or complete it, as one config asks; nothing where `hub` is not set."""
    results: list[Result] = [_what_discovery_does(config)] if config.hub.discovery_secret else []
    reference = config.hub.kubeconfig
    if reference is None:
        return Review(results=tuple(results))
    from krm_fn.hub import deployments  # noqa: PLC0415 - a parent cluster's package only

    named, others = _find(items, reference)
    components = [one for one in map(deployments.component, others) if one is not None]
    revised: dict[int, Mapping[str, Any]] = {}
    for one in components:
        value, found = deployments.review(one, reference, change=config.mode != "Check")
        results += found
        if value is not None:
            revised[one.item.position] = value
    homes = {one.item.namespace for one in components if not deployments.takes_flag(one)}
    if not homes:
        message = (
            f"{_FIELD} has no effect: the input has no Deployment that takes --{deployments.FLAG} ({deployments.HUB} v0.12"
            f" to v0.14, {deployments.CONTROLLER_MANAGER} from v0.15); it belongs to the parent cluster, so set this in the"
            " config of that package (with guard.allowNoClusters: true)"
        )
        results.append(Result(message=message, severity=WARNING, field=_FIELD, tags=tagged(rule=deployments.RULE)))
    near = [one for one in named if "" in homes or not one.namespace or one.namespace in (homes or {SYSTEM_NAMESPACE})]
    for item in near:
        results += _judge_secret(item, reference)
    if homes and not near:
        results.append(_no_secret(sorted(homes), named, reference))
    return Review(revised=revised, results=tuple(results))


def _what_discovery_does(config: Config) -> Result:
    """Warn about what hub discovery does with the token."""
    message = (
        f"{_DISCOVERY}: the hub copies the token into a readable ConfigMap in every namespace with clusters, whatever"
        " ClusterResourceSet is there"
    )
    if config.resource_set.name == HUB_NAME:
        message += f"; ours is called {HUB_NAME} too, so only the hub's own ClusterResourceSet is not created"
    else:
        message += (
            f"; it also creates its own ClusterResourceSet {HUB_NAME} beside {config.resource_set.name}, and both install"
            " the agent"
        )
    return Result(message=message, severity=WARNING, field=_DISCOVERY, tags=tagged(rule="hub-discovery"))


def _find(items: Sequence[Item], reference: KubeconfigRef) -> tuple[list[Item], list[Item]]:
    """Return the Secrets of the wanted name, and the Deployments that may be the hub's."""
    needle = reference.name.encode()
    named = [
        item
        for item in items
        if item.kind == "Secret" and item.contains(needle) and item.name == reference.name and not item.group
    ]
    deployments = [
        item
        for item in items
        if item.kind == "Deployment" and (item.contains(b"controller") or item.contains(b"clusternet-hub"))
    ]
    for found in (named, deployments):
        found.sort(key=lambda item: (item.namespace, item.name))  # results must not depend on the order of the input
    return named, deployments


def _no_secret(homes: list[str], elsewhere: list[Item], reference: KubeconfigRef) -> Result:
    """Report where the Secret has to be; an error where the input has it in another namespace."""
    home = homes[0] or SYSTEM_NAMESPACE
    if not elsewhere:
        message = f"Secret {home}/{reference.name} is not in the input, so its kubeconfig was not checked"
        return Result(message=message, severity=INFO, field=_FIELD, tags=tagged(rule=RULE))
    places = ", ".join(sorted({item.namespace for item in elsewhere}))
    message = f"Secret {reference.name} is in namespace {places}, and a pod in {home} can't mount it: move it to namespace {home}"
    return Result(message=message, severity=ERROR, field=_FIELD, tags=tagged(rule=RULE))


# --- the kubeconfig --------------------------------------------------------------------------------------------------


def _judge_secret(item: Item, reference: KubeconfigRef) -> list[Result]:
    """Check one Secret that holds the hub's kubeconfig."""
    text, problem, severity = _content(item.value(), reference.key)
    if problem:
        return [about(item, f"the hub's kubeconfig {problem}", rule=RULE, severity=severity)]
    try:
        config = load(text)
    except BadYaml:
        config = None
    if not isinstance(config, dict):
        message = (
            f"the hub's kubeconfig under key {reference.key} is not YAML that holds a mapping; the hub exits on it"
        )
        return [about(item, message, rule=RULE)]
    found = sorted(_problems(config), key=lambda one: one[0] != ERROR)
    return [about(item, f"the hub's kubeconfig {what}", rule=RULE, severity=severity) for severity, what in found]


def _content(value: dict[str, Any], key: str) -> tuple[str, str, str]:
    """Return the text under a key, or what is wrong with it and how bad that is."""
    found = secrets.texts(value)
    if key not in found:
        return "", f"is missing: there is no key {key!r} (keys: {', '.join(sorted(map(str, found))) or 'none'})", ERROR
    text = found[key]
    if "sops" in value or (text is not None and secrets.encrypted(text)):
        return "", "is encrypted by SOPS here, so it was not checked", INFO
    if text is None or "\ufffd" in text:
        return "", f"can't be read: data[{key!r}] is not base64 of UTF-8 text", ERROR
    return text, "", ERROR


def _problems(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield errors, which make the component exit or never connect, and warnings of what is risky."""
    context = _named(config, "contexts", "context", config.get("current-context"))
    if context is None:
        yield ERROR, "names no current-context that it holds"
        return
    cluster = _named(config, "clusters", "cluster", context.get("cluster"))
    user = _named(config, "users", "user", context.get("user"))
    server = raw.text(cluster, "server")
    plugins = [problem for field, problem in _PLUGINS.items() if mapping(user).get(field)]
    if not server:
        yield ERROR, "has no server for its current context"
    else:
        yield from _problems_of_server(server, insecure=mapping(cluster).get("insecure-skip-tls-verify") is True)
    if user is None:
        yield ERROR, "has no user for its current context"
    elif plugins:
        yield from ((ERROR, problem) for problem in plugins)
    elif server and not any(user.get(one) for one in _CREDENTIALS):
        yield WARNING, "has no credentials for its current context, so requests would be anonymous"
    for part in (cluster, user):
        for field in _FILES:
            path = raw.text(part, field)
            if path and not path.startswith("/"):
                yield ERROR, f"has a relative path in {field}, which does not exist in the pod: {_instead(field)}"
            elif path:
                yield WARNING, f"has a path in {field}, and the file must exist in the container: {_instead(field)}"


def _problems_of_server(server: str, *, insecure: bool) -> Iterator[tuple[str, str]]:
    if server.startswith("http:"):
        yield WARNING, "reaches its server over http, which sends credentials unencrypted"
    if server.partition("//")[2].startswith(_SERVERS_OF_THE_POD):
        yield WARNING, "names a server on the local host, which from the pod is the pod itself"
    if insecure:
        yield WARNING, "sets insecure-skip-tls-verify, so anyone on the network path can read the credentials"


def _instead(field: str) -> str:
    return "embed the token" if field == "tokenFile" else f"embed it as {field}-data"


def _named(config: dict[str, Any], plural: str, singular: str, name: Any) -> dict[str, Any] | None:
    """Return an entry of one of a kubeconfig's lists of named entries; None where it is missing."""
    for one in sequence(config.get(plural)):
        if name and mapping(one).get("name") == name:
            return mapping(one, singular)
    return None
