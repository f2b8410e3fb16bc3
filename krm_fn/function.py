"""The KRM function: a ResourceList in, changes and results out.

Joins what touches the outside (the operator's offers, the time it was given) to the pure Plan. The command line
calls the same `process`, so that no command decides anything on its own.
"""

from __future__ import annotations

from krm_fn import earlier, plan
from krm_fn.base import Record
from krm_fn.clusters import Inventory
from krm_fn.config import decode, given_tokens, is_config, name_of
from krm_fn.earlier import stale
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import ERROR, INFO, PACKAGE, WARNING, Errors, Related, Result, about, has_errors
from krm_fn.kube.secrets import Secret, looks_like_token
from krm_fn.surface import GROUP, HUB_NAME, KIND, MANAGER
from krm_fn.tokens import ABSENT, BOOTSTRAP_NAME, PUBLIC, Refused, sources
from krm_fn.tokens.redaction import Redactor, find_leaks, in_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from krm_fn.earlier import Baseline
    from krm_fn.earlier.compare import Comparison
    from krm_fn.krm.items import Item
    from krm_fn.krm.resource_list import ResourceList
    from krm_fn.model import Config, Generated, Token
    from krm_fn.tokens.expiry import BootstrapSecret
    from krm_fn.tokens.offers import Offers


_NAME = "metadata.name"


class Options(Record):
    """What the caller adds to the input."""

    offers: Offers  # the operator's offers of environment and token files
    now: int | None = None  # seconds since the epoch, for warnings about a token's expiry; None to leave them out
    baseline: Baseline | None = None  # an earlier rendered tree
    several: bool = False  # whether this is one of several runs, which are checked against the baseline together
    verbose: bool = False  # whether every Cluster's verdict is reported
    writes_files: bool = False  # whether the output goes into files (and so, most likely, into Git)
    # whether a token that is not available is an error, as it is for all commands but those that only explain
    needs_token: bool = True
    # finds an object in the user's own file, whose layout and lines a host may change; None where it can't
    original: Callable[[Item], Item | None] = lambda item: item


class Outcome(Record):
    """The result of a run. With an error among the results, `changes` is empty.

    `redactor` knows the tokens of the run: whoever prints more than `results` passes it through there first.
    """

    results: tuple[Result, ...]
    redactor: Redactor
    changes: Changes = Changes()
    plan: plan.Plan | None = None
    configs: tuple[Config, ...] = ()


def process(
    items: Sequence[Item],
    function_config: Item | None,
    options: Options,
    *,
    host_paths: bool = False,
    stream: bool = False,
) -> Outcome:
    """Run the function over an input, whose errors are results and never exceptions.

    Args:
        items: The items of the input.
        function_config: The functionConfig; None to take the configs among the items.
        options: What the caller adds.
        host_paths: Whether the host keeps items in files by path annotations (kpt).
        stream: Whether the items came in one stream, and not from the files that they name.
    """
    known: list[Secret] = []  # all tokens that must not be shown, as they are found
    try:
        outcome = _processed(items, function_config, options, known, host_paths=host_paths, stream=stream)
    except Errors as found:  # no config can be read, or an object where it is needed
        meant = [secret for item in _near(items) for secret in given_tokens(item)]
        known += [*_given(items, function_config), *meant, *in_secrets(items), *options.offers.tokens()]
        outcome = Outcome(results=found.results, redactor=Redactor(known))
    results: Sequence[Result] = outcome.results
    if any(one.severity != INFO for one in results):
        from krm_fn.krm.places import located  # noqa: PLC0415 - only where there is something to report

        results = located(results, items, function_config, stream=stream, original=options.original)
    return outcome.replace(results=outcome.redactor.results(results))  # last, after all that adds to them


def _processed(  # noqa: PLR0913 - a run as it is called, and where its tokens go
    items: Sequence[Item],
    function_config: Item | None,
    options: Options,
    known: list[Secret],
    *,
    host_paths: bool,
    stream: bool,
) -> Outcome:
    """Run the function; the results have their tokens still, which are added to those that are known.

    Raises:
        Errors: No config can be read, or an object where it is needed.
    """
    configs, others = find_configs(items, function_config, options, stream=stream)
    tokens = _tokens(configs, items, options, into_files=host_paths or options.writes_files)
    results = tokens.results
    known += [*_given(items, function_config), *tokens.known]
    if len(tokens.found) != len(configs):
        return Outcome(results=ordered(results), redactor=Redactor(known), configs=configs)
    prefixes = _names(configs)
    taken = Inventory(items, prefixes)
    before = earlier.read(taken, options.baseline, prefixes).replace(several=options.several)
    made = plan.make(zip(configs, tokens.found, strict=True), others, items, taken, before)
    results += [*_leaks(configs, tokens.found, items, taken), *made.results]
    results += [verdict.result() for verdict in made.verdicts] if options.verbose else []
    changes = Changes()
    if not has_errors(results):
        changes = stale.changes(configs, made.generated, taken.owned, host_paths=host_paths)
        changes = changes.replace(labelled=made.labelled, revised=made.revised)
        results += stale.path_errors(changes, items, configs) if host_paths and changes.added else []
    # names are shortened on the way to a registration name, after which a token in one has its shape no longer
    names = [cluster.name for cluster in taken.clusters] + [config.identity.name_template for config in configs]
    known += [Secret(name) for name in names if looks_like_token(name)]
    redactor = Redactor(known, _public_names(configs, made.generated))
    changes = Changes() if has_errors(results) else changes
    return Outcome(results=ordered(results), redactor=redactor, changes=changes, plan=made, configs=configs)


def run(resource_list: ResourceList, options: Options) -> Outcome:
    """Run the function over a ResourceList, which takes the changes and the results."""
    items, config, host_paths = resource_list.items, resource_list.function_config, resource_list.host_paths
    hidden = _hidden(items, config) if host_paths else None
    if hidden is not None:
        outcome = Outcome(results=(hidden,), redactor=Redactor())
    else:
        outcome = process(items, config, options, host_paths=host_paths, stream=True)
    resource_list.apply(outcome.changes)
    resource_list.results += outcome.results
    return outcome


def _hidden(items: Sequence[Item], config: Item | None) -> Result | None:
    """Report that the host hands over selected items alone, where that can be seen.

    Without our own earlier output among them, each run would add the same objects again.
    """
    kptfiles = [item for item in items if item.kind == "Kptfile"]  # kpt lists its own file by default
    if not (any(map(_selects, kptfiles)) if kptfiles else config is not None and PACKAGE in config.annotations):
        return None
    message = (
        "the host hides objects from this function, its own earlier output among them, which it would add again: remove"
        " selectors, exclude and --match-* from its step in the Kptfile; spec.clusterSelector chooses the Clusters"
    )
    return Result(message=message, file_path="" if config is None else config.file_path, rule="hidden-items")


def _selects(kptfile: Item) -> bool:
    """Return whether this function gets selected items alone, according to the pipeline."""
    try:
        steps = kptfile.value()["pipeline"]["mutators"] if kptfile.contains(b"selectors", b"exclude") else ()
        ours = [one for one in steps if MANAGER in str(one.get("exec") or one.get("image"))]
    except (Errors, AttributeError, KeyError, TypeError):
        return False
    return any(one.get("selectors") or one.get("exclude") for one in ours)


def compare(outcome: Outcome, items: Sequence[Item]) -> Comparison | None:
    """Compare what a run made of its input with the tree that it was given as baseline.

    Returns:
        The comparison; None where the baseline holds nothing to compare with, or the run could make no objects.
    """
    made = outcome.plan
    if made is None or made.before.baseline is None or any(part.served and not part.generated for part in made.parts):
        return None
    from krm_fn.earlier import compare as comparing  # noqa: PLC0415 - for `plan` alone

    failed = has_errors(outcome.results)
    return comparing.compare(made.parts, made.inventory, items, made.before.baseline, failed=failed)


def ordered(results: Sequence[Result]) -> tuple[Result, ...]:
    """Order results: errors, warnings, the rest, each in the order found; duplicates are dropped."""
    rank = {ERROR: 0, WARNING: 1}
    return tuple(sorted(dict.fromkeys(results), key=lambda one: rank.get(one.severity, 2)))


# --- configs ---------------------------------------------------------------------------------------------------------


def find_configs(
    items: Sequence[Item], function_config: Item | None, options: Options, *, stream: bool
) -> tuple[tuple[Config, ...], tuple[Config, ...]]:
    """Return the configs to render, and further ones in the input that count for overlaps only.

    With a functionConfig that one is rendered; an item of the same identity *is* the functionConfig (kpt and kustomize's
    generators list it among the items). Without one, all configs among the items are rendered together.

    Raises:
        Errors: All errors of all configs to render, or that there is none.
    """
    among = [item for item in items if is_config(item)]
    if function_config is None:
        among += [item for item in items if item.kind == KIND and item.group != GROUP] or (
            [] if among else _near(items)
        )
        if not among:
            raise _no_config(stream=stream)
        rendered = _decode_all(among, options.original)
        seen: dict[str, Config] = {}
        for config in rendered:
            other = seen.setdefault(config.owner, config)
            if other is not config:
                message = f"two {KIND}s are called {config.owner}; give each a name of its own"
                related = (Related.at("the other", other.place(_NAME)),)
                raise Errors([about(config, message, rule="duplicate-config", field=_NAME, related=related)])
        return rendered, ()
    own = name_of(function_config)
    same = (item for item in among if name_of(item) == own and item.kind == function_config.kind)
    listed = next((item for item in same if item.file_path), None)
    rendered = (decode(function_config, None if function_config.file_path else listed, options.original),)
    others = []
    for item in among:
        if name_of(item) == own:
            continue
        try:
            others.append(decode(item))
        except Errors:
            continue  # an invalid config is reported where it is rendered
    return rendered, tuple(others)


def _no_config(*, stream: bool) -> Errors:
    """Report that there is no configuration, in the words of a host or of the command line."""
    what = f"{KIND} ({GROUP}/v1alpha1)"
    message = (
        f"there is no configuration: give a {what} as functionConfig, or put one among the items"
        if stream
        else f"there is no configuration: put a {what} among the files, or give its file with -c; `clusternet-capi-fn init`"
        " writes one"
    )
    return Errors.of(message, rule="no-config")


def _near(items: Sequence[Item]) -> list[Item]:
    """Return the objects that were most likely meant as configurations: of our group, or of a similar kind."""
    from krm_fn.base import nearest  # noqa: PLC0415 - for errors only

    similar = {kind for kind in {item.kind for item in items} if kind and nearest(kind, (KIND,))}
    return [item for item in items if item.kind in similar or item.group == GROUP]


def _decode_all(items: Sequence[Item], original: Callable[[Item], Item | None]) -> tuple[Config, ...]:
    configs: list[Config] = []
    errors: list[Result] = []
    for item in items:
        try:
            configs.append(decode(item, original=original))
        except Errors as found:  # noqa: PERF203 - one try per config
            errors += found.results
    if errors:
        raise Errors(errors)
    return tuple(sorted(configs, key=lambda config: config.owner))


# --- tokens ----------------------------------------------------------------------------------------------------------


def _given(items: Sequence[Item], function_config: Item | None) -> list[Secret]:
    """Return the tokens that configs hold themselves, those included that can't be decoded."""
    given = [item for item in items if item.kind == KIND or item.group == GROUP]
    given += [] if function_config is None else [function_config]
    return [secret for item in given for secret in given_tokens(item)]


class Tokens(Record):
    """The tokens of some configs."""

    found: Sequence[Token]  # one per config; fewer on an error
    results: list[Result]  # about them, and the warnings of the configs
    known: list[Secret]  # all that must not be shown; what was refused may be most of a token


def _tokens(configs: Sequence[Config], items: Sequence[Item], options: Options, *, into_files: bool) -> Tokens:
    """Find the token of each config."""
    results = [warning for config in configs for warning in config.warnings]
    tokens: list[Token] = []
    bootstrap: Sequence[BootstrapSecret] = ()
    if any(item.kind == "Secret" and item.contains(BOOTSTRAP_NAME.encode()) for item in items):
        from krm_fn.tokens import expiry  # noqa: PLC0415 - where there is something to judge

        bootstrap = expiry.bootstrap_secrets(items)
        results += expiry.review_bootstrap_secrets(bootstrap)
    known = [one.token for one in bootstrap]
    for config in configs:
        try:
            token = sources.resolve(config, items, options.offers)
        except Errors as found:
            # which of them was meant is not known now
            known += [found.secret] if isinstance(found, Refused) else [*in_secrets(items), *options.offers.tokens()]
            if options.needs_token or any(one.rule != ABSENT for one in found.results):
                results += found.results
                continue
            why = "(a warning only: `render` needs the token, this does not)"
            results += [one.replace(message=f"{one.message} {why}", severity=WARNING) for one in found.results]
            token = sources.stand_in(config, [*(options.baseline.items if options.baseline else ()), *items])
        tokens.append(token)
        if token.secret is not None:
            known.append(token.secret)
            if bootstrap or token.expires is not None or token.secret.reveal() in PUBLIC:
                from krm_fn.tokens import expiry  # noqa: PLC0415 - as above

                results += expiry.review(config, token, bootstrap, now=options.now)
        warning = sources.git_warning(config) if into_files else None
        results += [] if warning is None else [warning]
    return Tokens(found=tokens, results=results, known=known)


def _public_names(configs: Sequence[Config], generated: Sequence[Generated]) -> list[str]:
    """Return names of ours that look like a token only because they join two names: `canary.cluster0000000001`."""
    sets = tuple(f"{one.resource_set.name}." for one in configs if not looks_like_token(one.resource_set.name))
    names = {new.key.name for new in generated if looks_like_token(new.key.name)}
    return sorted(one for one in names if any(one.startswith(n) and not looks_like_token(one[len(n) :]) for n in sets))


def _leaks(configs: Sequence[Config], tokens: Sequence[Token], items: Sequence[Item], taken: Inventory) -> list[Result]:
    """Report tokens that also appear in plain text elsewhere; their sources and our own output are where they may be."""
    ours = {one.item.position for one in taken.owned}
    results: list[Result] = []
    for config, token in zip(configs, tokens, strict=True):
        if token.secret is not None:
            source = sources.secret_item(config, items)
            allowed = ours if source is None else {*ours, source.position}
            results += find_leaks(token.secret, items, except_positions=allowed)
    return results


def _names(rendered: Sequence[Config]) -> tuple[str, ...]:
    """Return the beginnings of all names that these configs generate or refer to."""
    names = {name for config in rendered for name in (config.resource_set.name, config.registration)}
    if any(config.hub.discovery_secret for config in rendered):
        names.add(HUB_NAME)
    return tuple(sorted(names))
