"""`manifests`: what a workload cluster would get, as it would get it; the registration token is never shown."""

from __future__ import annotations

import click

from krm_fn import function
from krm_fn.agent import manifests as agent_manifests
from krm_fn.agent import payload
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.krm import runner
from krm_fn.krm.results import Faults, fault, has_errors
from krm_fn.surface import agent_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.function import Outcome
    from krm_fn.model import Config, Verdict

PARTS = ("identity", "registration", "agent")
PLACEHOLDER = "<base64 of the registration token>"

HELP = """Print the manifests that a workload cluster gets, in the order in which they are applied.

The registration Secret is printed with a placeholder in place of the token: fill it in, and the result is what a Secret
for spec.registrationToken.existingSecret has to hold.

\b
Examples:
  clusternet-capi-fn manifests examples/kustomization
  clusternet-capi-fn manifests fleet.yaml --only registration
  clusternet-capi-fn manifests clusters/ --cluster team-a/one --only agent | kubectl apply --dry-run=server -f -
"""


@click.command("manifests", help=HELP)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-c", "--config", metavar="FILE", help="The ClusternetCAPIConfig, if it is not among the files.")
@click.option("--only", type=click.Choice(PARTS), help="One part only.")
@click.option(
    "--cluster", "chosen", metavar="NAMESPACE/NAME", help="One Cluster only (with PerCluster each has its own)."
)
def command(paths: Sequence[str], config: str | None, only: str | None, chosen: str | None) -> int:
    """Print them."""
    parts = (only,) if only else PARTS
    try:
        given = inputs.read(paths, config)
        configs, _ = function.find_configs(given.tree.items, given.function_config)
        if parts == ("registration",):
            click.echo("".join(registration(one) for one in configs), nl=False)
            return runner.OK
        outcome = function.process(
            given.tree.items, given.function_config, function.Options(offers=shared.environment_offers())
        )
        diagnostics.report((*given.results, *outcome.results), outcome.redactor)
        if has_errors(outcome.results):
            return runner.FAILED
        click.echo(outcome.redactor.text("".join(_manifests(outcome, parts, chosen))), nl=False)
    except Faults as faults:
        diagnostics.report(faults.results)
        return runner.FAILED
    return runner.OK


def registration(config: Config) -> str:
    """Return the registration manifest with a placeholder for the token."""
    manifest = agent_manifests.registration_object(config.agent, config.parent_url, "")
    manifest["data"]["regToken"] = PLACEHOLDER
    return f"# config {config.owner}: put the token in, base64-encoded\n" + payload.documents([manifest])


def _manifests(outcome: Outcome, parts: Sequence[str], chosen: str | None) -> Iterator[str]:
    """Yield each distinct set of manifests once, under a comment that says for whom it is."""
    if outcome.plan is None:
        return
    carriers = {
        (new.owner, new.key.namespace, new.key.name): new.value
        for new in outcome.plan.generated
        if new.key.kind == "ConfigMap"
    }
    configs = {config.owner: config for config in outcome.configs}
    served = [one for one in outcome.plan.verdicts if one.matched and (chosen is None or one.cluster.title == chosen)]
    if chosen is not None and not served:
        reasons = [one.rule for one in outcome.plan.verdicts if one.cluster.title == chosen]
        why = f"it does not register: {reasons[0]}" if reasons else "there is no such Cluster in the input"
        message = f"Cluster {chosen}: {why}"
        raise fault(message)
    shown: dict[str, list[Verdict]] = {}
    for one in served:
        config = configs[one.config]
        n, own = config.resource_set.name, one.cluster.name if config.per_cluster else ""
        texts = []
        for part in parts:
            if part == "registration":
                texts.append(registration(config))
                continue
            name = config.identity_map if part == "identity" else agent_of(n, own)
            texts.extend(carriers[config.owner, one.cluster.namespace, name]["data"].values())
        shown.setdefault("".join(texts), []).append(one)
    for text, verdicts in shown.items():
        yield f"# for {', '.join(one.cluster.title for one in verdicts)} (config {verdicts[0].config})\n"
        yield text
