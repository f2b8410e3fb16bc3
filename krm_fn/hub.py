"""Clusternet's hub on its parent cluster: its Deployments and their kubeconfig, and the Secret of its own discovery.

Discovery (step 2 of the guide) waits for the Opaque Secret `capi-system/clusternet-cluster-api` with the keys `image`,
`parentURL` and `regToken` (clusternet `pkg/controllers/clusters/clusterlifecycle/discovery`). It reads Clusters with a
kubeconfig for the management cluster, which needs a volume, a mount and `--cluster-api-kubeconfig`: of clusternet-hub from
v0.12 to v0.14, of clusternet-controller-manager from v0.15 on (`cmd/clusternet-hub`, `cmd/clusternet-controller-manager`,
their manifests and Helm charts). Containers have the component's name; a Helm release puts its own before the Deployment's.

No message shows any of a kubeconfig's contents. Rules: client-go `clientcmd`: only the current context counts, relative
paths are taken from the kubeconfig's folder, which in the pod is a mount of one key. Clusternet's images have no exec
plugins, and a kubeconfig that does not load makes the component exit.
"""

from __future__ import annotations

from krm_fn.base import Record, clone, late
from krm_fn.krm.changes import Review
from krm_fn.krm.results import ERROR, INFO, WARNING, Result, about
from krm_fn.kube import raw, secrets
from krm_fn.kube.raw import mapping, sequence, text
from krm_fn.surface import HUB_NAME, HUB_NAMESPACE, PARENT_URL_KEY, SYSTEM_NAMESPACE, TOKEN_KEY
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.kube.raw import Release
    from krm_fn.kube.secrets import Secret
    from krm_fn.model import Config, KubeconfigRef

HUB = "clusternet-hub"
CONTROLLER_MANAGER = "clusternet-controller-manager"
FLAG = "cluster-api-kubeconfig"
MOVED = (0, 15)  # the flag, from the hub to the controller manager

_FIRST = (0, 12)
_VOLUME = "cluster-api-kubeconfig"
_MOUNTS = ("/etc/cluster-api-kubeconfig", "/cluster-api-kubeconfig")  # the second where /etc itself is mounted
_FILE = "kubeconfig"

_FIELD = "spec.hub.kubeconfigSecretRef"
_DISCOVERY = "spec.hub.discoverySecret"
_RULE = "hub-kubeconfig"
_SECRET_RULE = "hub-kubeconfig-secret"  # noqa: S105 - the name of a check

_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_CREDENTIALS = ("client-certificate-data", "client-certificate", "token", "tokenFile", "username")
_PLUGINS = {
    "exec": (
        "uses an exec credential plugin, which is not in clusternet's image: use a ServiceAccount token or a client"
        " certificate"
    ),
    "auth-provider": "uses an auth-provider, which clusternet's client no longer supports: use a ServiceAccount token",
}
_LOCAL = late(r"[^/]*//(?:127\.|localhost|0\.0\.0\.0|\[::1\])")


def discovery_secret(config: Config, token: Secret) -> dict[str, Any]:
    """Return the Secret for the hub's discovery, without our marks; it needs a token that is known here."""
    data = {"image": config.agent["image"], PARENT_URL_KEY: config.parent_url, TOKEN_KEY: token.reveal()}
    return secrets.made(HUB_NAME, HUB_NAMESPACE, "Opaque", data)


def review(items: Sequence[Item], config: Config) -> Review:
    """Check the hub's set-up, or complete it, as one config asks; nothing where `hub` is not set."""
    results = [_what_discovery_does(config)] if config.hub.discovery_secret else []
    reference = config.hub.kubeconfig
    if reference is None:
        return Review(results=tuple(results))
    components = [one for one in map(_component, items) if one is not None]
    components.sort(key=lambda one: (one.item.namespace, one.item.name))  # results don't depend on the input's order
    revised: dict[int, Mapping[str, Any]] = {}
    for one in components:
        value, found = _set_up(one, reference, change=config.renders)
        results += found
        if value is not None:
            revised[one.item.position] = value
    homes = sorted({one.item.namespace for one in components if not one.why_not})
    if not homes:
        message = (
            f"{_FIELD} has no effect: the input has no Deployment that takes --{FLAG} ({HUB} v0.12 to v0.14,"
            f" {CONTROLLER_MANAGER} from v0.15); it belongs to the parent cluster, so set this in the config of that package"
            " (with guard.allowNoClusters: true)"
        )
        results.append(Result(message=message, severity=WARNING, field=_FIELD, rule=_RULE))
    return Review(revised=revised, results=(*results, *_judge_secrets(items, homes, reference)))


def _what_discovery_does(config: Config) -> Result:
    """Warn about what hub discovery does with the token."""
    message = (
        f"{_DISCOVERY}: the hub copies the token into a readable ConfigMap in every namespace with clusters, whatever"
        " ClusterResourceSet is there"
    )
    if config.resource_set.name == HUB_NAME and not config.per_cluster:
        message += f"; ours is called {HUB_NAME} too, so only the hub's own ClusterResourceSet is not created"
    else:
        message += (
            f"; it also creates its own ClusterResourceSet {HUB_NAME} beside {config.resource_set.name}{'.*' * config.per_cluster},"
            " and both install the agent"
        )
    return Result(message=message, severity=WARNING, field=_DISCOVERY, rule="hub-discovery")


# --- the Deployments --------------------------------------------------------------------------------------------------


class _Component(Record):
    """A Deployment of the input that runs clusternet's hub or controller manager."""

    item: Item
    name: str  # HUB or CONTROLLER_MANAGER
    container: int  # position of the container that runs it
    release: Release | None  # from the image's tag; None when unknown

    @property
    def title(self) -> str:
        """For messages: the Deployment and the release of its image."""
        return f"{raw.title(self.item)} ({self.name} {self.release or 'of unknown release'})"

    @property
    def why_not(self) -> str:
        """Why it does not take the flag; empty if it does.

        The controller manager exists only in releases that have the flag, so there an unknown release does not matter.
        """
        line = None if self.release is None else self.release.line
        if self.name == CONTROLLER_MANAGER:
            return f"before v0.15 {HUB} takes --{FLAG}" if line is not None and line < MOVED else ""
        if line is None:
            return f"its image has no tag that shows whether it takes --{FLAG} (v0.12 to v0.14)"
        if line >= MOVED:
            return f"since v0.15 {CONTROLLER_MANAGER} takes --{FLAG}"
        return f"--{FLAG} exists since v0.12" if line < _FIRST else ""


def _component(item: Item) -> _Component | None:
    """Recognise a Deployment by the image, else the name, of one of its containers; None for any other."""
    if item.kind != "Deployment" or item.group != "apps" or not item.contains(b"controller", b"clusternet-hub"):
        return None
    for index, one in enumerate(raw.containers(item.value())):
        image = text(one, "image")
        for name in (raw.image_name(image), text(one, "name")):
            if name in {HUB, CONTROLLER_MANAGER}:
                return _Component(item=item, name=name, container=index, release=raw.image_release(image))
    return None


def _set_up(one: _Component, reference: KubeconfigRef, *, change: bool) -> tuple[dict[str, Any] | None, list[Result]]:
    """Set up one Deployment, if it takes the kubeconfig; without `change`, only report what is missing.

    Returns:
        The new value, None where nothing changes, and what to report.
    """
    base = f"spec.template.spec.containers[{one.container}]"

    def report(message: str, severity: str = INFO, field: str = base) -> Result:
        return about(one.item, message, rule=_RULE, severity=severity, field=field)

    value: dict[str, Any] = clone(one.item.value())
    pod, container = raw.pod_spec(value), raw.containers(value)[one.container]
    present = raw.flags(container, FLAG)
    if one.why_not:
        results = [report(f"{one.title} is left alone: {one.why_not}", field="")]
        message = f"{one.title} is given --{FLAG}, which it does not know, and exits: remove the flag there"
        if one.release is not None:
            results += [report(message, WARNING, f"{base}.{flag.path}") for flag in present]
        return None, results
    wrong = raw.unlisted(pod, "volumes") or raw.unlisted(container, "volumeMounts", *raw.FLAG_FIELDS)
    if wrong:
        return None, [report(f"{one.title} is left alone: {wrong} is not a list", WARNING)]
    if raw.hides_flag(container, FLAG) or raw.in_shell(container):
        message = f"{one.title} is left alone: its flags are inside a longer argument; give each an argument of its own"
        return None, [report(message, WARNING)]
    path = _mount(pod, container, reference)
    if present:
        raw.set_flag(container, present[0], path)
        raw.remove_flags(container, present[1:])
    else:
        raw.add_flag(container, f"--{FLAG}={path}", bare="command" if one.name == HUB else "args")
    message = f"{one.title} reads the management cluster's kubeconfig from Secret {reference.name} at {path}"
    results = [report(message)]
    if value == one.item.value():
        return None, results
    if not change or raw.is_local(one.item):
        message = (
            f"{one.title} lacks volume, mount or --{FLAG} for Secret {reference.name}, and is not changed here (mode:"
            " Check, or a local-config object)"
        )
        return None, [report(message, WARNING)]
    if any(flag.value != path for flag in present):
        results.append(report(f"--{FLAG} pointed elsewhere and now names the file from Secret {reference.name}"))
    return value, results


def _mount(pod: dict[str, Any], container: dict[str, Any], reference: KubeconfigRef) -> str:
    """Bring volume and mount into place, and return the path of the kubeconfig in the container.

    A volume that holds the key already is used: its mount is made read-only, or one is added. Else the volume of an earlier
    run is pointed at the Secret and key of now; it is known by its name, its kind and where it is mounted.
    """
    volumes = pod["volumes"] = sequence(pod.get("volumes"))
    mounts = container["volumeMounts"] = sequence(container.get("volumeMounts"))
    source = {"secretName": reference.name, "items": [{"key": reference.key, "path": _FILE}]}
    # of each mount its volume, its folder and itself
    mounted = [(text(one, "name"), folder, one) for one in mounts if (folder := text(one, "mountPath").rstrip("/"))]
    holding = {name: file for one in volumes if (name := text(one, "name")) and (file := _file(one, reference))}
    for name, file in holding.items():
        for volume, folder, mount in mounted:
            if volume == name and mount.get("subPath") in (None, "", file):
                mount["readOnly"] = True
                return folder if mount.get("subPath") else f"{folder}/{file}"
    if not holding:
        named = {
            name: one["secret"]
            for one in volumes
            if mapping(one, "secret") and (name := text(one, "name")).startswith(_VOLUME)
        }
        for volume, folder, mount in mounted:
            if volume in named and folder.startswith(_MOUNTS) and not mount.get("subPath"):
                named[volume].update(source)
                mount["readOnly"] = True
                return f"{folder}/{_FILE}"
        name, file = _free(_VOLUME, {text(one, "name") for one in (*volumes, *mounts)}.__contains__), _FILE
        volumes.append({"name": name, "secret": source})

    def overlaps(free: str) -> bool:
        return any(f"{free}/".startswith(f"{one}/") or one.startswith(f"{free}/") for _, one, _ in mounted)

    free = _free(_MOUNTS[any(one == "/etc" for _, one, _ in mounted)], overlaps)
    mounts.append({"name": name, "mountPath": free, "readOnly": True})
    return f"{free}/{file}"


def _file(volume: Any, reference: KubeconfigRef) -> str:
    """Return the file in which a volume has the kubeconfig; empty if it has none."""
    secret = mapping(volume, "secret")
    chosen = secret.get("items")
    if secret.get("secretName") != reference.name:
        return ""
    if not chosen:
        return reference.key
    return next((text(one, "path") for one in sequence(chosen) if mapping(one).get("key") == reference.key), "")


def _free(name: str, taken: Callable[[str], bool]) -> str:
    """Return a name, with the first free number appended if it is taken."""
    number = 2
    while taken(f"{name}-{number}"):
        number += 1
    return f"{name}-{number}" if taken(name) else name


# --- the kubeconfig ---------------------------------------------------------------------------------------------------


def _judge_secrets(items: Sequence[Item], homes: Sequence[str], reference: KubeconfigRef) -> list[Result]:
    """Check the Secrets that hold the hub's kubeconfig, if they are in the namespace of a Deployment that takes it."""
    named = [
        item
        for item in items
        if item.kind == "Secret"
        and item.contains(reference.name.encode())
        and item.name == reference.name
        and not item.group
    ]
    named.sort(key=lambda item: item.namespace)
    wanted = homes or [SYSTEM_NAMESPACE]
    near = [item for item in named if "" in homes or item.namespace in {"", *wanted}]
    if near or not homes:
        return [
            about(item, f"the hub's kubeconfig {what}", rule=_SECRET_RULE, severity=severity)
            for item in near
            for severity, what in _judge(item, reference.key)
        ]
    home, severity = homes[0] or SYSTEM_NAMESPACE, INFO
    message = f"Secret {home}/{reference.name} is not in the input, so its kubeconfig was not checked"
    if named:
        severity, places = ERROR, ", ".join(dict.fromkeys(item.namespace for item in named))
        message = f"Secret {reference.name} is in namespace {places}, and a pod in {home} can't mount it: move it to namespace {home}"
    return [Result(message=message, severity=severity, field=_FIELD, rule=_SECRET_RULE)]


def _judge(item: Item, key: str) -> list[tuple[str, str]]:
    """Return what is wrong with the kubeconfig under a key, and how bad each of it is; errors first."""
    value = item.value()
    found = secrets.texts(value)
    if key not in found:
        there = ", ".join(sorted(map(str, found))) or "none"
        return [(ERROR, f"is missing: there is no key {key!r} (keys: {there})")]
    content = found[key]
    if "sops" in value or (content is not None and secrets.encrypted(content)):
        return [(INFO, "is encrypted by SOPS here, so it was not checked")]
    if content is None or "\ufffd" in content:
        return [(ERROR, f"can't be read: data[{key!r}] is not base64 of UTF-8 text")]
    try:
        config = load(content)
    except BadYaml:
        config = None
    if not isinstance(config, dict):
        return [(ERROR, f"under key {key} is not YAML that holds a mapping; the hub exits on it")]
    return sorted(_problems(config), key=lambda one: one[0] != ERROR)


def _problems(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield errors, which make the component exit or never connect, and warnings of what is risky."""
    context = _named(config, "contexts", "context", config.get("current-context"))
    if context is None:
        yield ERROR, "has no current-context, or one that it does not contain"
        return
    cluster = _named(config, "clusters", "cluster", context.get("cluster"))
    user = _named(config, "users", "user", context.get("user"))
    server = text(cluster, "server")
    plugins = [problem for field, problem in _PLUGINS.items() if mapping(user).get(field)]
    risks = (
        (server.startswith("http:"), "reaches its server over http, which sends credentials unencrypted"),
        (_LOCAL.match(server), "names a server on the local host, which from the pod is the pod itself"),
        (
            server and mapping(cluster).get("insecure-skip-tls-verify") is True,
            "sets insecure-skip-tls-verify, so anyone on the network path can read the credentials",
        ),
    )
    if not server:
        yield ERROR, "has no server for its current context"
    yield from ((WARNING, what) for risky, what in risks if risky)
    if user is None:
        yield ERROR, "has no user for its current context"
    elif plugins:
        yield from ((ERROR, problem) for problem in plugins)
    elif server and not any(user.get(one) for one in _CREDENTIALS):
        yield WARNING, "has no credentials for its current context, so requests would be anonymous"
    for part in (cluster, user):
        for field in _FILES:
            path = text(part, field)
            instead = "embed the token" if field == "tokenFile" else f"embed it as {field}-data"
            if path and not path.startswith("/"):
                yield ERROR, f"has a relative path in {field}, which does not exist in the pod: {instead}"
            elif path:
                yield WARNING, f"has a path in {field}, and the file must exist in the container: {instead}"


def _named(config: dict[str, Any], plural: str, singular: str, name: Any) -> dict[str, Any] | None:
    """Return an entry of one of a kubeconfig's lists of named entries; None where it is missing."""
    named = (one for one in raw.entries(config, plural) if name and one.get("name") == name)
    return next((mapping(one, singular) for one in named), None)
