"""The objects of clusternet-agent on a workload cluster, as data.

Three groups, because they travel in three carriers: identity (never replaced once created), registration (the secret),
and agent (RBAC and Deployment, replaced whenever they change). Names, rules and wiring are those of the upstream
manifests (clusternet/clusternet `deploy/agent`, v0.12.0 to v0.18.1), with the errors of the hub's own copy fixed: a
token Secret for the app deployer, a namespace on every namespaced object, the control-plane taint tolerated.
"""

from __future__ import annotations

from krm_fn.agent import releases
from krm_fn.agent.releases import traits
from krm_fn.base import Record
from krm_fn.kube import secrets
from krm_fn.surface import (
    ADMIN_ROLE,
    AGENT,
    CHECKSUM_ANNOTATION,
    DEPLOYER,
    DEPLOYER_ROLE,
    PARENT_URL_KEY,
    REGISTRATION_SECRET,
    TOKEN_KEY,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from krm_fn.agent.releases import Traits
    from krm_fn.model import AgentOptions

# The only health path that any release serves: `pkg/utils/metrics.go` installs the healthz handler alone at every tag
# from v0.15.0 to v0.18.1, and `/readyz` and `/livez` answer 404.
HEALTH_PATH = "/healthz"

# Pod Security level restricted: the agent is a network client, and v0.18.1 writes no file. Whatever Kubernetes takes
# for the whole pod is given there, where a merge patch can change it without repeating the list of containers.
_POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}

# Options that are fields of the pod, in the order in which they are written; one that is not given, or empty, is left out.
_POD_FIELDS = ("imagePullSecrets", "priorityClassName", "nodeSelector", "affinity", "tolerations")
_NOTHING: tuple[Any, ...] = (None, [], {})

# As in the upstream manifests; MultiClusterService stays off unless asked for, since it needs two CRDs on the cluster.
DEFAULT_GATES = {"AppPusher": True, "Predictor": True, "Recovery": True, "SocketConnection": True}

_RBAC_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"{_RBAC_GROUP}/v1"
_READ = ["get", "list", "watch"]


class Registration(Record):
    """What the agent's flags say about the cluster that it registers; an empty part is left to the agent.

    Attributes:
        name: The name to register under.
        name_prefix: Instead of a name: the agent appends `-` and five random characters.
        labels: Labels of the future ManagedCluster.
    """

    name: str = ""
    name_prefix: str = ""
    labels: Mapping[str, str] = {}


def every_object(options: AgentOptions) -> list[dict[str, Any]]:
    """Return all objects without patches, for those who check patches; no registration and no token."""
    namespace = options["namespace"]
    return [*_identity(namespace), _registration(namespace, "", ""), *_agent(options, Registration(), "")]


def identity_objects(options: AgentOptions) -> list[dict[str, Any]]:
    """Return the Namespace, both ServiceAccounts and the app deployer's token Secret, in order of creation.

    They are the same for every release and depend on the namespace (and on patches) alone: a ClusterResourceSet with
    ApplyOnce never brings a later change. The Secret asks the cluster to make a token (Kubernetes 1.24 and newer make
    none by themselves); agents up to v0.12 find it through the account's `secrets`.
    """
    return _patched(_identity(options["namespace"]), options)


def registration_object(options: AgentOptions, parent_url: str, token: str) -> dict[str, Any]:
    """Return the Secret from which the agent takes the parent URL and the registration token.

    The result holds the token base64-encoded and must not reach any message.
    """
    return _patched([_registration(options["namespace"], parent_url, token)], options)[0]


def agent_objects(options: AgentOptions, registration: Registration, checksum: str = "") -> list[dict[str, Any]]:
    """Return RBAC and, last, the Deployment. A change of `checksum`, the registration Secret's digest, rolls the pods."""
    return _patched(_agent(options, registration, checksum), options)


def _patched(objects: list[dict[str, Any]], options: AgentOptions) -> list[dict[str, Any]]:
    """Return the objects with the patches that aim at them applied, in the order of the patches."""
    for patch in options.patches:
        target = (patch.kind, patch.name)
        objects = [merged(one, patch.patch) if target == target_of(one) else one for one in objects]
    return objects


def target_of(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and name, by which patches find an object."""
    return one["kind"], one["metadata"]["name"]


def merged(target: Any, patch: Any) -> Any:
    """Return a value with a merge patch applied; neither argument changes (RFC 7386, section 2)."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key), value)
    return out


def _object(api_version: str, kind: str, name: str, namespace: str = "", **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def _identity(namespace: str) -> list[dict[str, Any]]:
    token = _object("v1", "Secret", DEPLOYER, namespace, type="kubernetes.io/service-account-token")
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": DEPLOYER}
    return [
        _object("v1", "Namespace", namespace),
        _object("v1", "ServiceAccount", AGENT, namespace),
        _object("v1", "ServiceAccount", DEPLOYER, namespace, secrets=[{"name": DEPLOYER}]),
        token,
    ]


def _registration(namespace: str, parent_url: str, token: str) -> dict[str, Any]:
    data = {PARENT_URL_KEY: secrets.encode(parent_url), TOKEN_KEY: secrets.encode(token)}
    return _object("v1", "Secret", REGISTRATION_SECRET, namespace, type="Opaque", data=data)


def _agent(options: AgentOptions, registration: Registration, checksum: str) -> list[dict[str, Any]]:
    release = traits(options.version)
    return [*_rbac(options["namespace"], release), _deployment(options, release, registration, checksum)]


def _rbac(namespace: str, release: Traits) -> list[dict[str, Any]]:
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    objects = [
        _object(_RBAC, "Role", ADMIN_ROLE, namespace, rules=[everything]),
        _binding("RoleBinding", ADMIN_ROLE, ("Role", ADMIN_ROLE), AGENT, namespace),
        _object(_RBAC, "ClusterRole", ADMIN_ROLE, rules=_admin_rules(release)),
        _binding("ClusterRoleBinding", ADMIN_ROLE, ("ClusterRole", ADMIN_ROLE), AGENT, namespace),
    ]
    deployer = "cluster-admin"
    if release.own_deployer_role:
        deployer = DEPLOYER_ROLE
        rules = [everything, {"nonResourceURLs": ["*"], "verbs": ["*"]}]
        objects.append(_object(_RBAC, "ClusterRole", DEPLOYER_ROLE, rules=rules))
    objects.append(_binding("ClusterRoleBinding", DEPLOYER_ROLE, ("ClusterRole", deployer), DEPLOYER, namespace))
    return objects


def _admin_rules(release: Traits) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": _READ},
        {"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": _READ},
    ]
    if release.endpoint_slices:
        group = ["multicluster.x-k8s.io"]
        writes = ["update", "patch"] if release.export_writes else []
        rules += [
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
            {"apiGroups": group, "resources": ["serviceexports"], "verbs": [*_READ, *writes]},
            {"apiGroups": group, "resources": ["serviceimports"], "verbs": _READ},
        ]
    return [*rules, {"nonResourceURLs": ["*"], "verbs": ["*"]}]


def _binding(kind: str, name: str, role: tuple[str, str], account: str, namespace: str) -> dict[str, Any]:
    return _object(
        _RBAC,
        kind,
        name,
        namespace if kind == "RoleBinding" else "",
        roleRef={"apiGroup": _RBAC_GROUP, "kind": role[0], "name": role[1]},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    )


def _deployment(options: AgentOptions, release: Traits, registration: Registration, checksum: str) -> dict[str, Any]:
    annotations = dict(options["podAnnotations"])
    if checksum:
        annotations[CHECKSUM_ANNOTATION] = checksum
    # Ours last: the selector needs it.
    template: dict[str, Any] = {"labels": dict(sorted({**options["podLabels"], "app": AGENT}.items()))}
    if annotations:
        template["annotations"] = dict(sorted(annotations.items()))
    spec = {
        "replicas": options["replicas"],
        "selector": {"matchLabels": {"app": AGENT}},
        "template": {"metadata": template, "spec": _pod(options, release, registration)},
    }
    deployment = _object("apps/v1", "Deployment", AGENT, options["namespace"], spec=spec)
    deployment["metadata"]["labels"] = {"app": AGENT}
    return deployment


def _pod(options: AgentOptions, release: Traits, registration: Registration) -> dict[str, Any]:
    pod: dict[str, Any] = {"serviceAccountName": AGENT, "securityContext": dict(_POD_SECURITY)}
    pod |= {name: options[name] for name in _POD_FIELDS if options[name] not in _NOTHING}
    if "imagePullSecrets" in pod:
        pod["imagePullSecrets"] = [one if isinstance(one, dict) else {"name": one} for one in pod["imagePullSecrets"]]
    pod["containers"] = [_container(options, release, registration)]
    return pod


def _container(options: AgentOptions, release: Traits, registration: Registration) -> dict[str, Any]:
    args = arguments(options, release, registration)
    container: dict[str, Any] = {"name": AGENT, "image": options["image"]}
    if options["imagePullPolicy"]:
        container["imagePullPolicy"] = options["imagePullPolicy"]
    container["command"] = [f"/usr/local/bin/{AGENT}"]
    container["args"] = args
    container["env"] = [
        _from_secret("PARENT_URL", PARENT_URL_KEY),
        _from_secret("REG_TOKEN", TOKEN_KEY),
        {"name": "AGENT_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        *options["env"],
    ]
    port = releases.health_port(args) if release.health_port else 0
    if port:
        container["livenessProbe"] = {**_probe(port), "initialDelaySeconds": 15, "periodSeconds": 20}
        container["readinessProbe"] = {**_probe(port), "periodSeconds": 10}
    if options["resources"]:
        container["resources"] = options["resources"]
    container["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    # The image's own is /root with mode 0700, into which some container runtimes can't put another user.
    container["workingDir"] = "/"
    return container


def _from_secret(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": REGISTRATION_SECRET, "key": key}}}


def _probe(port: int) -> dict[str, Any]:
    return {"httpGet": {"path": HEALTH_PATH, "port": port, "scheme": "HTTPS"}, "timeoutSeconds": 5}


# --- the command line ------------------------------------------------------------------------------------------------


def arguments(options: AgentOptions, release: Traits, registration: Registration) -> list[str]:
    """Return the whole list of arguments for one registration.

    Name and labels are passed only where there are any: an empty flag would read as a wish for an empty name.
    """
    ours = ["--cluster-reg-token=$(REG_TOKEN)", "--cluster-reg-parent-url=$(PARENT_URL)"]
    if registration.name:
        ours.append(f"--cluster-reg-name={registration.name}")
    if registration.name_prefix:
        ours.append(f"--cluster-reg-name-prefix={registration.name_prefix}")
    if registration.labels:
        ours.append(f"--cluster-labels={labels_text(registration.labels)}")
    gates = sorted({**DEFAULT_GATES, **options["featureGates"]}.items())
    switches = ",".join(f"{gate}={'true' if on else 'false'}" for gate, on in gates)
    ours += [
        f"--cluster-reg-type={options['clusterType']}",
        f"--cluster-sync-mode={options['syncMode']}",
        "--use-metrics-server=false",
        f"--feature-gates={switches}",
    ]
    if release.leader_elect_flag:
        ours.append("--leader-elect=true")
    ours += [
        "--leader-elect-resource-namespace=$(AGENT_NAMESPACE)",
        "--predictor-direct-access=false",
        "--predictor-port=8080",
    ]
    if release.client_limits:
        ours += ["--kube-api-qps=50", "--kube-api-burst=100"]
    ours.append("--v=0")  # at its own default of 2 the agent logs all its flags at each start, the token among them
    return _with(ours, options["extraArgs"])


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as the agent's flag takes them: `k=v,k=v`, sorted by key."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _with(ours: Iterable[str], extra: Iterable[str]) -> list[str]:
    """Return our flags, each replaced in place where `extra` gives it too, followed by the rest of `extra`."""
    given = {releases.flag_name(argument): argument for argument in extra}
    out = [given.pop(releases.flag_name(argument), argument) for argument in ours]
    return [*out, *given.values()]
