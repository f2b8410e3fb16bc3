"""`manifests`: what a workload cluster would get, as it would get it; the registration token is never shown."""

from __future__ import annotations

import click

from krm_fn import function
from krm_fn.agent import documents
from krm_fn.agent import manifests as agent_manifests
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.clusters import capi
from krm_fn.earlier import Coverage
from krm_fn.krm import runner
from krm_fn.krm.results import Errors, has_errors
from krm_fn.surface import AGENT_NAMESPACE_ANNOTATION, RESOURCE_SET_KIND, TOKEN_KEY
from krm_fn.tokens.redaction import Cleared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Part
    from krm_fn.clusters.capi import ResourceSet
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


def _manifests(outcome: Outcome, wanted: Sequence[str], chosen: str | None) -> Iterator[str]:
    """Yield each distinct set of manifests once, under a comment that names for whom it is.

    What a Cluster gets is looked up as Cluster API does it: by the ClusterResourceSets that select it, and their references.

    Raises:
        Errors: The one Cluster that was asked for is not there, or does not register.
    """
    made = outcome.plan
    if made is None:
        return
    shown: dict[tuple[str, str], list[str]] = {}
    for part in made.parts:
        coverage = Coverage(_sets(part))
        maps = {(new.key.namespace, new.key.name): new.value for new in part.generated if new.key.kind == "ConfigMap"}
        reached: set[str] = set()
        for cluster in part.served:
            reached.add(cluster.namespace)
            if chosen in {None, cluster.title}:
                text = "".join(_texts(part.config, maps, coverage.of(cluster), wanted))
                shown.setdefault((text, part.config.owner), []).append(cluster.title)
        unreached: dict[str, list[ResourceSet]] = {}
        for one in _sets(part) if chosen is None and not part.config.per_cluster else ():
            if one.namespace not in reached:
                unreached.setdefault(one.namespace, []).append(one)
        for namespace, sets in unreached.items():
            text = "".join(_texts(part.config, maps, sets, wanted))
            shown.setdefault((text, part.config.owner), []).append(f"namespace {namespace}")
    if chosen is not None and not shown:
        raise _not_served(made, chosen)
    for (text, owner), titles in shown.items():
        yield f"# for {', '.join(titles)} (config {owner})\n"
        yield text


def _sets(part: Part) -> list[ResourceSet]:
    return [capi.read_set(new.value) for new in part.generated if new.key.kind == RESOURCE_SET_KIND]


def _texts(
    config: Config,
    maps: Mapping[tuple[str, str], Mapping[str, Any]],
    sets: Iterable[ResourceSet],
    wanted: Sequence[str],
) -> Iterator[str]:
    """Yield what sets deliver of the parts that are wanted."""
    references = {(one.namespace, name): None for one in sets for kind, name in one.resources if kind == "ConfigMap"}
    carriers = [maps[one] for one in references if one in maps]
    for part in wanted:
        if part == "registration":
            yield registration(config)
        for carrier in carriers:
            is_identity = AGENT_NAMESPACE_ANNOTATION in carrier["metadata"]["annotations"]
            if part == ("identity" if is_identity else "agent"):
                yield from carrier["data"].values()


def _not_served(made: Plan, chosen: str) -> Errors:
    """Report that the Cluster that was asked for is not there, or does not register."""
    verdicts = made.verdicts
    unknown = inputs.no_cluster([chosen], {one.cluster.title for one in verdicts})
    if unknown:
        return Errors(unknown)
    reason = next(one.rule for one in verdicts if one.cluster.title == chosen)
    return Errors.of(f"Cluster {chosen} does not register: {reason}")
