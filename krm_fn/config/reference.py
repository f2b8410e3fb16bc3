"""The tree as a reference in Markdown: every field with type, default, meaning and example, then the rules beyond."""

from __future__ import annotations

import json
import textwrap

from krm_fn.base import nearest
from krm_fn.config.export import BEYOND, SUMMARY, TITLE
from krm_fn.config.fields import UNSET, Either, Field, ListOf, MapOf, Object, inside, paths_of
from krm_fn.config.kinds import Choice, Flag, Json, Kind, Number, Text, Whole
from krm_fn.config.report import flow
from krm_fn.config.tree import CONFIG, METADATA, SPEC
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = f"""# {TITLE}

<!-- made by `clusternet-capi-fn schema --format markdown`; change krm_fn/config/tree/ instead -->

{SUMMARY} Smallest useful one:

```yaml
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
spec:
  parentURL: https://parent.example.com:6443
  registrationToken:
    secretRef: {{name: clusternet-registration}}
  clusterSelector:
    matchLabels: {{clusternet.io/register: "true"}}
```

Editors complete and check the file with the JSON Schema in `schema/clusternetcapiconfig.editor.schema.json`, also
printed by `clusternet-capi-fn schema --format editor-schema`. With the YAML language server, put this at the top of the
file:

```yaml
# yaml-language-server: $schema=schema/clusternetcapiconfig.editor.schema.json
```

Validators take `schema/clusternetcapiconfig.schema.json` (`clusternet-capi-fn schema`): the same rules in the keywords of
JSON Schema alone, so that strict ones (ajv) load it. `clusternet-capi-fn explain FIELD` prints a field in a terminal.
"""

_FLAT = """## Flat keys

kpt hands settings over as a ConfigMap (`kpt fn eval -- key=value`, `configMap:` in a Kptfile). There a field is named
by its dotted path below `spec`, and `name` identifies the configuration, as `metadata.name` does elsewhere:

```yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: function-input
data:
  name: fleet
  parentURL: https://parent.example.com:6443
  registrationToken.secretRef.name: clusternet-registration
  clusterSelector: env=prod,region in (eu,us),!legacy
  agent.replicas: "1"
  agent.extraArgs: --kube-api-qps=80,--kube-api-burst=160
  agent.podLabels.team: platform
  identity.labels: provider=capi,tier=edge
  agent.tolerations: '[{"operator": "Exists"}]'
```

- Selectors are in kubectl's syntax: `=`, `==`, `!=`, `in`, `notin`, `key`, `!key`.
- Lists of strings are separated by commas, maps are `key=value` pairs or one key each; everything else is JSON, and JSON
  is accepted wherever a list or an object is expected.
"""

_BEYOND_HEAD = """## Rules beyond the schema

The function also checks what a JSON Schema can't say:
"""


def markdown_reference() -> str:
    """Return the reference as Markdown, ending in a newline."""
    sections = [_HEAD, *_sections(METADATA, "metadata"), *_sections(SPEC, "spec"), _FLAT]
    beyond = "".join(f"- {sentence}\n" for sentence in BEYOND)
    return "\n".join([*sections, f"{_BEYOND_HEAD}\n{beyond}"])


def explanation(path: str) -> tuple[str, str]:
    """Explain a field.

    Args:
        path: Dotted, `spec` in front or not; list indices are left out or written `[]`.

    Returns:
        The text for a terminal, "" for an unknown path; then the path that was most likely meant, "" if none is near.
    """
    names = [name for name in path.replace("[]", "").strip(".").split(".") if name]
    if not names or CONFIG.get(names[0]) is None:
        names = ["spec", *names]
    field = Field("", CONFIG, "")
    for at, name in enumerate(names):
        inner = inside(field.kind)
        found = inner.get(name) if inner else None
        if found is None:
            there = nearest(name, inner.names) if inner else ""
            same = paths_of(CONFIG, names[-1])
            ends = [one for one in same if there in one.split(".")] if len(same) > 1 else same
            return "", ends[0] if len(ends) == 1 else ".".join([*names[:at], there]) if there else ""
        field = found
    lines = [f"{'.'.join(names)} <{_plain_type(field.kind)}>", "", *wrap(field.doc, 76, prefix="  "), ""]
    if field.required:
        lines += ["Required.", ""]
    elif field.default is not UNSET and field.default not in ({}, []):
        lines += [f"Default: {flow(field.default)}", ""]
    if field.example is not UNSET:
        lines += ["Example:", *(f"  {line}" for line in dump({field.name: field.example}).splitlines()), ""]
    inner = inside(field.kind)
    if inner:
        lines.append("Fields:")
        for one in inner.fields:
            required = " -required-" if one.required else ""
            lines += [f"  {one.name} <{_plain_type(one.kind)}>{required}", *wrap(one.doc, 76, prefix="    ")]
    return "\n".join(lines).rstrip("\n") + "\n", ""


def wrap(text: str, width: int, *, prefix: str) -> list[str]:
    """Return a text in lines of a width, each behind a prefix."""
    return textwrap.wrap(text, width, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False)


def _sections(kind: Object, path: str) -> Iterator[str]:
    rows = "".join(_row(field) for field in kind.fields)
    yield f"## `{path}`\n\n| field | type | default | meaning | example |\n|---|---|---|---|---|\n{rows}"
    for field in kind.fields:
        inner = inside(field.kind)
        if inner and not inner.upstream:  # none for Kubernetes' own types
            yield from _sections(inner, f"{path}.{field.name}{'[]' if isinstance(field.kind, ListOf) else ''}")


def _row(field: Field) -> str:
    default = "**required**" if field.required else _code(UNSET if field.default in ({}, []) else field.default)
    doc = field.doc + (" A secret: never shown." if field.secret else "")
    cells = (f"`{field.name}`", _type(field.kind), default, doc, _code(field.example))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _type(kind: Kind) -> str:
    if isinstance(kind, Object):
        return kind.upstream or "object"
    if isinstance(kind, Choice):
        return ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, Either):
        return " or ".join(dict.fromkeys(_type(one) for one in kind.kinds))
    if isinstance(kind, ListOf):
        return f"list of {_type(kind.item)}"
    if isinstance(kind, MapOf):
        return f"map of {_type(kind.value)}"
    return _SCALARS[type(kind)]


def _plain_type(kind: Kind) -> str:
    return _type(kind).replace("`", "")


def _code(value: object) -> str:
    return "–" if value is UNSET else f"`{value if isinstance(value, str) else json.dumps(value)}`"


_SCALARS: dict[type[Kind], str] = {Flag: "boolean", Json: "object", Number: "number", Text: "string", Whole: "integer"}
