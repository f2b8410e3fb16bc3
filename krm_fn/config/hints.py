"""What to say of a wrong field beyond that it is wrong: where it belongs, an example, text to paste. Loaded for errors only."""

from __future__ import annotations

from krm_fn.krm.results import tagged
from krm_fn.kube.secrets import quoted
from krm_fn.yaml.explain import lookalike
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.config.kinds import Kind
    from krm_fn.config.report import Place


def beside(fields: Sequence[Any], value: Mapping[str, Any], at: Place) -> str:
    """Report fields of a child that are beside it, since its line is missing or they are not indented.

    Args:
        fields: The fields of the object, each a `Field`.
        value: The object.
        at: Where it is.

    Returns:
        The name of that child; "" where there is none.
    """
    known = {field.name for field in fields}
    unknown = [key for key in value if key not in known]
    for field in fields:
        there = field.name in value
        if value.get(field.name) is not None:
            continue
        own = [key for key in unknown if key in getattr(field.kind, "names", ())]
        whole = len(own) == len(unknown) and (len(own) > 1 or field.required or at.private)
        if own and (there or (whole and not at.log.elsewhere(own[0]))):
            names = ", ".join(own[:-1]) + (" and " if len(own) > 1 else "") + own[-1]
            path = at.field(field.name).path
            text = f"is empty: indent {names} below it" if there else f"is missing: write {field.name}: above {names}"
            fix = "\n".join([f"{field.name}:", *(f"  {key}: …" for key in own)])
            where = path if there else at.field(own[0]).path
            at.log.add(where, message=f"{path} {text}", fix=fix, tags=tagged(rule="unknown-field"))
            at.log.explain(path)
            return str(field.name)
    return ""


def example(kind: Kind, value: object) -> str:
    """Return an example of a kind on one line, to go on after a message that says what is expected."""
    return "" if " such as " in kind.expected else f", for example {flow(value)}"


def moved(near: str, value: object, at: Place) -> str:
    """Return the start of the field that was meant, with what is there where that is one value."""
    steps = near.removeprefix(f"{at.path}.").split(".")
    lines = [f"{'  ' * depth}{step}:" for depth, step in enumerate(steps)]
    if isinstance(value, (str, int, bool)) and not at.private and len(steps) > 1:
        lines[-1] += f" {flow(quoted(value) if isinstance(value, str) else value)}"
    return "\n".join(lines)


def flow(value: object) -> str:
    """Return JSON-like data as YAML on one line, quoted where YAML needs it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return dump(value).rstrip("\n")


def odd(name: str) -> str:
    """Name a character of a field's name that looks like another one, to go on after a message."""
    found = lookalike(name)
    return f": its name holds {found}" if found else ""
