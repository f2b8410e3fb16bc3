"""Checks the kubeconfig Secret for the hub, where it is among the items; no message shows any of its contents.

Rules: client-go `clientcmd`: only the current context counts, relative paths are taken from the kubeconfig's folder,
which in the pod is a mount of one key. Clusternet's images have no exec plugins, and a kubeconfig that does not load
makes the component exit.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.kube import raw, secrets
from krm_fn.kube.raw import about, mapping, sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.model import KubeconfigRef

RULE = "hub-kubeconfig-secret"

_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_CREDENTIALS = ("client-certificate-data", "client-certificate", "token", "tokenFile", "username")
_SERVERS_OF_THE_POD = ("127.", "localhost", "0.0.0.0", "[::1]")  # noqa: S104 - compared with, not listened on


def review(item: Item, reference: KubeconfigRef) -> list[Result]:
    """Check one Secret that holds the hub's kubeconfig.

    Args:
        item: The Secret.
        reference: `spec.hub.kubeconfigSecretRef`.

    Returns:
        Errors for what would make the component exit or never connect, warnings for what is risky.
    """
    value = item.value()
    text, problem, severity = _content(value, reference.key)
    if problem:
        return [about(item, f"the hub's kubeconfig {problem}", rule=RULE, severity=severity)]
    config = _parsed(text)
    if config is None:
        message = (
            f"the hub's kubeconfig under key {reference.key} is not YAML that holds a mapping; the hub exits on it"
        )
        return [about(item, message, rule=RULE)]
    errors, warnings = _judge(config)
    return [
        *(about(item, f"the hub's kubeconfig {one}", rule=RULE) for one in errors),
        *(about(item, f"the hub's kubeconfig {one}", rule=RULE, severity=WARNING) for one in warnings),
    ]


def _content(value: dict[str, Any], key: str) -> tuple[str, str, str]:
    """Return the text under a key, or what is wrong with it and how bad that is."""
    plain = mapping(value, "stringData").get(key)
    encoded = mapping(value, "data").get(key)
    if plain is None and encoded is None:
        present = sorted(str(one) for field in ("data", "stringData") for one in mapping(value, field))
        return "", f"is missing: there is no key {key!r} (keys: {', '.join(present) or 'none'})", ERROR
    text = raw.text(plain if plain is not None else encoded)
    if secrets.encrypted(text) or "sops" in value:
        return "", "is encrypted by SOPS here, so it was not checked", INFO
    if plain is not None:
        return text, "", ERROR
    packed = secrets.decode(text)
    try:
        return (b"\xff" if packed is None else packed).decode("utf-8"), "", ERROR
    except ValueError:
        return "", f"can't be read: data[{key!r}] is not base64 of UTF-8 text", ERROR


def _parsed(text: str) -> dict[str, Any] | None:
    from krm_fn.yaml import BadYaml  # noqa: PLC0415 - most inputs hold no kubeconfig
    from krm_fn.yaml.read import load  # noqa: PLC0415 - the same

    try:
        value = load(text)
    except BadYaml:
        return None
    return value if isinstance(value, dict) else None


def _judge(config: dict[str, Any]) -> tuple[list[str], list[str]]:
    context = _named(config, "contexts", "context", config.get("current-context"))
    if context is None:
        return ["names no current-context that it holds"], []
    cluster = _named(config, "clusters", "cluster", context.get("cluster"))
    user = _named(config, "users", "user", context.get("user"))
    errors: list[str] = []
    warnings: list[str] = []
    if cluster is None or not raw.text(cluster.get("server")):
        errors.append("has no server for its current context")
    else:
        _judge_server(cluster, warnings)
    if user is None:
        errors.append("has no user for its current context")
    else:
        if user.get("exec"):
            errors.append(
                "uses an exec credential plugin, which is not in clusternet's image: use a ServiceAccount token or a client "
                "certificate"
            )
        if user.get("auth-provider"):
            errors.append("uses an auth-provider, which clusternet's client no longer has: use a ServiceAccount token")
        if not errors and not any(user.get(one) for one in _CREDENTIALS):
            warnings.append("has no credentials for its current context, so requests would be anonymous")
    for part in (cluster or {}, user or {}):
        _judge_files(part, errors, warnings)
    return errors, warnings


def _judge_server(cluster: dict[str, Any], warnings: list[str]) -> None:
    server = raw.text(cluster.get("server"))
    if server.startswith("http:"):
        warnings.append("reaches its server over http, which sends credentials unencrypted")
    if server.partition("//")[2].startswith(_SERVERS_OF_THE_POD):
        warnings.append("names a server on the local host, which from the pod is the pod itself")
    if cluster.get("insecure-skip-tls-verify") is True:
        warnings.append("sets insecure-skip-tls-verify, so anyone on the network path can read the credentials")


def _judge_files(part: dict[str, Any], errors: list[str], warnings: list[str]) -> None:
    for field in _FILES:
        path = raw.text(part.get(field))
        if path and not path.startswith("/"):
            errors.append(f"has a relative path in {field}, which does not exist in the pod: {_instead(field)}")
        elif path:
            warnings.append(f"has a path in {field}, and the file must exist in the container: {_instead(field)}")


def _instead(field: str) -> str:
    return "embed the token" if field == "tokenFile" else f"embed it as {field}-data"


def _named(config: dict[str, Any], plural: str, singular: str, name: Any) -> dict[str, Any] | None:
    """Return an entry of one of a kubeconfig's lists of named entries; None where it is missing."""
    for one in sequence(config.get(plural)):
        if name and mapping(one).get("name") == name:
            return mapping(one, singular)
    return None
