"""`manifests`: what a workload cluster would get, as it would get it; the registration token is never shown."""

from __future__ import annotations

import click

from krm_fn import function
from krm_fn.agent import documents
from krm_fn.agent import manifests as agent_manifests
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.krm import runner
from krm_fn.krm.results import Errors, has_errors
from krm_fn.surface import TOKEN_KEY, agent_of
from krm_fn.tokens.redaction import Cleared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.function import Outcome
    from krm_fn.model import Config
    from krm_fn.plan import Plan

PARTS = ("identity", "registration", "agent")
PLACEHOLDER = "<base64 of the registration token>"

HELP = """Print the manifests that a workload cluster gets, in the order in which they are applied.

The registration Secret is printed with a placeholder in place of the token: fill it in, and the result is what a Secret
for spec.registrationToken.existingSecret must contain.

\b
Examples:
  clusternet-capi-fn manifests examples/kustomization
  clusternet-capi-fn manifests fleet.yaml --only registration
  clusternet-capi-fn manifests clusters/ --cluster team-a/one --only agent | kubectl apply --dry-run=server -f -
"""


@click.command("manifests", help=HELP)
@inputs.options
@click.option("--only", type=click.Choice(PARTS), help="One part only.")
@click.option(
    "--cluster", "chosen", metavar="NAMESPACE/NAME", help="One Cluster only (with PerCluster each has its own)."
)
def command(*, source: inputs.Source, only: str | None, chosen: str | None) -> int:
    parts = (only,) if only else PARTS
    given = inputs.process(source, function.Options(offers=shared.environment_offers(), needs_token=False))
    outcome = given.outcome
    if parts == ("registration",) and outcome.configs:
        click.echo(outcome.redactor.text("".join(registration(one) for one in outcome.configs)), nl=False)
        return runner.OK
    diagnostics.report((*given.results, *outcome.results), outcome.redactor)
    if has_errors(outcome.results):
        return runner.FAILED
    try:
        text = "".join(_manifests(outcome, parts, chosen))
    except Errors as errors:
        raise Cleared(errors.results, outcome.redactor) from None
    click.echo(outcome.redactor.text(text), nl=False)
    return runner.OK


def registration(config: Config) -> str:
    """Return the registration manifest with a placeholder for the token."""
    manifest = agent_manifests.registration_object(config.agent, config.parent_url, "")
    manifest["data"][TOKEN_KEY] = PLACEHOLDER
    return f"# config {config.owner}: put the token in, base64-encoded\n" + documents([manifest])


def _served(made: Plan, chosen: str | None) -> list[Verdict]:
    """Return what was decided about the Clusters that register, or about the one that was asked for.

    Raises:
        Errors: There is no such Cluster, or it does not register.
    """
    verdicts = made.verdicts
    served = [one for one in verdicts if one.matched and (chosen is None or one.cluster.title == chosen)]
    if chosen is None or served:
        return served
    unknown = inputs.no_cluster([chosen], {one.cluster.title for one in verdicts})
    if unknown:
        raise Errors(unknown)
    reason = next(one.rule for one in verdicts if one.cluster.title == chosen)
    message = f"Cluster {chosen} does not register: {reason}"
    raise Errors.of(message)


def _manifests(outcome: Outcome, parts: Sequence[str], chosen: str | None) -> Iterator[str]:
    """Yield each distinct set of manifests once, under a comment that names for whom it is."""
    if outcome.plan is None:
        return
    # what a later part of a build changed under the same name counts; it may also have renamed or removed an object
    built = {new.key: new.value for new in outcome.plan.generated}
    carriers = {
        (new.owner, new.key.namespace, new.key.name): built.get(new.key, new.value)
        for part in outcome.plan.parts
        for new in part.generated
        if new.key.kind == "ConfigMap"
    }
    configs = {config.owner: config for config in outcome.configs}
    served = _served(outcome.plan, chosen)
    shown: dict[tuple[str, str], list[str]] = {}

    def add(config: Config, namespace: str, own: str, title: str) -> None:
        n = config.resource_set.name
        texts = []
        for part in parts:
            if part == "registration":
                texts.append(registration(config))
                continue
            name = config.identity_map if part == "identity" else agent_of(n, own)
            texts.extend(carriers[config.owner, namespace, name]["data"].values())
        shown.setdefault(("".join(texts), config.owner), []).append(title)

    for one in served:
        config = configs[one.config]
        add(config, one.cluster.namespace, one.cluster.name if config.per_cluster else "", one.cluster.title)
    reached = {(one.config, one.cluster.namespace) for one in served}
    for owner, namespace, name in sorted(carriers, key=lambda carrier: carrier[1:]) if chosen is None else ():
        config = configs[owner]
        if name == agent_of(config.resource_set.name) and (owner, namespace) not in reached:
            add(config, namespace, "", f"namespace {namespace}")
    for (text, owner), titles in shown.items():
        yield f"# for {', '.join(titles)} (config {owner})\n"
        yield text
